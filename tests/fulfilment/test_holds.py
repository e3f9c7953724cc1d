"""Holds: placed on a basis in law, looked at before each chunk, lifted one by one (laws 5, 6)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Role
from dsar.enums import HoldStatus, Outcome, State, StepReason, StepStatus
from dsar.fulfilment import control, locating, runner
from dsar.models import Actor, LegalHold, PrivacyRequest, Step
from dsar.review import clock, decide, holds
from dsar.verification import confirmation
from dsar.workflow import Forbidden
from tests import drive
from tests.drive import CAST
from tests.fulfilment.released import CLAIMS, FULFIL, body_of, erase_step_states, left_of, soon

pytestmark = pytest.mark.usefixtures("own_journal", "as_shipped")


def test_law_06_a_hold_before_the_confirmation_is_weighed_by_a_person_and_shown_to_the_requester(
    company: None, approver: Actor
) -> None:
    hold = holds.place(CAST.plain, CLAIMS, soon(), actor=approver, weighed="So.")
    assert hold.status == HoldStatus.ACTIVE
    request = drive.by_web(CAST.plain)
    drive.proven_by_link(request.case)
    locating.drain()
    weighed = drive.fresh(request.pk)
    assert weighed.state == State.REVIEW
    assert "hold" in weighed.judgement
    body = body_of(weighed)
    kept = {item["code"] for item in body["items"] if item["source"] == "platform"}
    assert kept == {CLAIMS}
    assert all(item["citation"] for item in body["items"] if item["code"] == CLAIMS)
    before = left_of()
    decide.approve(request.pk, actor=approver)
    plan = confirmation.current_plan(weighed)
    assert plan is not None
    confirmation.confirm(request.pk, plan.digest)
    control.release(request.pk, actor=drive.person_of_the_desk(Role.APPROVER, "second"))
    drive.carry_out()
    done = drive.fresh(request.pk)
    assert (done.state, done.outcome) == (State.COMPLETED, Outcome.DENIED)
    # Sessions went with the closing of the account and a refund that is due came in; all else stays under the hold.
    after = left_of()
    assert {name for name, number in before.items() if after.get(name, 0) < number} <= {"sessions"}


def test_law_05_a_hold_after_the_confirmation_blocks_by_name_and_lifted_the_work_goes_on(
    request_: PrivacyRequest, approver: Actor
) -> None:
    before = left_of()
    hold = holds.place(CAST.plain, CLAIMS, soon(), actor=approver, weighed="So.")
    drive.carry_out()
    assert left_of() == before
    blocked = Step.objects.filter(request=request_, status=StepStatus.BLOCKED)
    assert {step.reason for step in blocked} == {StepReason.HOLD}
    assert drive.fresh(request_.pk).attention == StepReason.HOLD
    holds.lift(hold.pk, actor=approver)
    drive.carry_out()
    done = drive.fresh(request_.pk)
    assert (done.state, done.attention) == (State.COMPLETED, "")


def test_two_holds_are_lifted_one_by_one(request_: PrivacyRequest, approver: Actor) -> None:
    before = left_of()
    first, second = (holds.place(CAST.plain, CLAIMS, soon(), actor=approver, weighed="So.") for _ in range(2))
    drive.carry_out()
    holds.lift(first.pk, actor=approver)
    drive.carry_out()
    assert left_of() == before
    holds.lift(second.pk, actor=approver)
    drive.carry_out()
    assert drive.fresh(request_.pk).state == State.COMPLETED


def test_a_hold_on_one_source_lets_the_others_go(request_: PrivacyRequest, approver: Actor) -> None:
    before = left_of()
    holds.place(CAST.plain, CLAIMS, soon(), actor=approver, weighed="So.", sources=("platform",))
    drive.carry_out()
    assert left_of() == before
    states = erase_step_states(request_)
    assert states.pop("platform")[1] in (StepReason.HOLD, "")
    assert all(status == StepStatus.DONE for status, _reason in states.values())


def test_a_hold_on_somebody_else_stops_nothing(request_: PrivacyRequest, approver: Actor) -> None:
    holds.place(CAST.neighbour, CLAIMS, soon(), actor=approver, weighed="So.")
    drive.carry_out()
    assert drive.fresh(request_.pk).state == State.COMPLETED


def test_a_hold_is_placing_until_no_live_lease_touches_its_scope(request_: PrivacyRequest, approver: Actor) -> None:
    step = runner.claim(*FULFIL, request_.pk)
    assert step is not None
    hold = holds.place(CAST.plain, CLAIMS, soon(), actor=approver, weighed="So.")
    elsewhere = holds.place(CAST.plain, CLAIMS, soon(), actor=approver, weighed="So.", sources=("no-such-source",))
    assert (hold.status, elsewhere.status) == (HoldStatus.PLACING, HoldStatus.ACTIVE)
    assert holds.settle_placing() == 0
    Step.objects.filter(pk=step.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    clock.sweep()
    assert LegalHold.objects.get(pk=hold.pk).status == HoldStatus.ACTIVE


@pytest.mark.parametrize(
    ("email", "code", "days"),
    [
        ("", CLAIMS, 30), ("noreply@example.com", CLAIMS, 30), (CAST.plain, "LEGAL_HOLD", 30), (CAST.plain, "", 30),
        (CAST.plain, "BUSINESS_NECESSITY", 30), (CAST.plain, CLAIMS, 0), (CAST.plain, CLAIMS, -1),
    ],
)  # fmt: skip
def test_law_06_a_hold_needs_a_person_a_basis_in_law_and_a_day_of_review(
    desk: None, approver: Actor, email: str, code: str, days: int
) -> None:
    with pytest.raises(decide.Invalid):
        holds.place(email, code, timezone.localdate() + timedelta(days=days), actor=approver, weighed="So.")
    assert not LegalHold.objects.exists()


def test_holds_are_for_approvers(desk: None, handler: Actor, approver: Actor) -> None:
    with pytest.raises(Forbidden):
        holds.place(CAST.plain, CLAIMS, soon(), actor=handler, weighed="So.")
    hold = holds.place(CAST.plain, CLAIMS, soon(), actor=approver, weighed="So.")
    with pytest.raises(Forbidden):
        holds.lift(hold.pk, actor=handler)
    holds.lift(hold.pk, actor=approver)
    lifted = LegalHold.objects.get(pk=hold.pk).lifted_at
    holds.lift(hold.pk, actor=approver)
    assert LegalHold.objects.get(pk=hold.pk).lifted_at == lifted
