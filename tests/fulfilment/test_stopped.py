""" "This was not me" reaches the work itself: what is under way comes back to a person with its workers fenced out, what had
ended stands in the queue by name, and page and letter say no more than is so (laws 4, 9)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dsar import audit
from dsar.desk.next_step import next_step
from dsar.enums import (
    Outcome,
    OwnerTaskStatus,
    RestrictionGround,
    Right,
    State,
    StepKind,
    StepReason,
    StepStatus,
)
from dsar.fulfilment import begin, control, owners, restricting, runner
from dsar.models import REQUESTER, Actor, Message, OwnerTask, PrivacyRequest, Restriction
from dsar.notices import Notice
from dsar.notifications import compose, outbox
from dsar.review import corrections, decide
from dsar.verification import confirmation
from dsar.workflow import move
from tests import drive, house
from tests.drive import CAST, Route
from tests.fulfilment.test_stuck import in_review
from tests.owners import with_paper

pytestmark = pytest.mark.usefixtures("own_journal")
NEW = "Adelina Ashgrove"


@pytest.fixture(autouse=True)
def _paper_too(settings: Any, tmp_path: Path) -> None:
    settings.DATA_MAP = with_paper(tmp_path)
    settings.QUIET_PERIOD = timedelta(0)


def name_on_file() -> str:
    (row,) = house.rows("users", email=CAST.plain)
    return str(row["full_name"])


def correcting(approver: Actor) -> PrivacyRequest:
    """A correction that is approved and laid out: nobody has begun."""
    request = in_review(Right.CORRECTION)
    known = corrections.propose(request.pk, "name", NEW, actor=REQUESTER)
    corrections.decide(request.pk, known.pk, True, "", "", seen=corrections.version_of(known), actor=approver)
    decide.approve(request.pk, actor=approver)
    begin.drain()
    return drive.fresh(request.pk)


def said(request: PrivacyRequest, notice: Notice) -> str:
    return " ".join(str(compose.mail(Message.objects.get(request=request, notice=notice)).body).split())


# --- what is under way ------------------------------------------------------------------------------------------------


def test_a_correction_that_is_being_carried_out_goes_no_further_and_begins_anew_once_it_is_approved(
    company: None, approver: Actor
) -> None:
    request = correcting(approver)
    confirmation.not_me(request.case)
    drive.carry_out()
    held = drive.fresh(request.pk)
    assert (held.state, held.judgement, held.attention) == (State.REVIEW, ["not_me"], "")
    assert held in PrivacyRequest.objects.needing_staff()
    assert name_on_file() != NEW
    assert not OwnerTask.objects.exists(), "no colleague is asked either"
    decide.approve(request.pk, actor=approver)
    drive.carry_out()
    assert name_on_file() == NEW
    owners.answer(OwnerTask.objects.get(step__request=request).pk, OwnerTaskStatus.DONE)
    assert drive.fresh(request.pk).outcome == Outcome.GRANTED
    assert audit.verify() == []


def test_whoever_is_at_it_right_then_is_fenced_out(company: None, approver: Actor) -> None:
    request = correcting(approver)
    step = runner.claim([StepKind.RECTIFY], [State.FULFILLING])
    assert step is not None
    confirmation.not_me(request.case)
    runner.work(step)
    assert name_on_file() != NEW
    held = drive.fresh(request.pk)
    assert (held.state, held.attention) == (State.REVIEW, StepReason.DISPUTED), "it may have written before"
    assert next_step(held, drive.person_of_the_desk("approver")).title == "Somebody says: this was not me"


def test_law_09_what_was_written_before_stands_in_the_queue_and_no_letter_denies_it(
    company: None, approver: Actor
) -> None:
    request = correcting(approver)
    drive.carry_out()
    task = OwnerTask.objects.get(step__request=request)
    assert (name_on_file(), drive.fresh(request.pk).state) == (NEW, State.FULFILLING)
    confirmation.not_me(request.case)
    held = drive.fresh(request.pk)
    assert held in PrivacyRequest.objects.stuck().filter(attention=StepReason.DISPUTED)
    written = held.steps.get(source="platform")
    assert (written.status, bool(written.tallies)) == (StepStatus.DONE, True), "what was done is still on record"
    assert held.steps.get(pk=task.step_id).status == StepStatus.DONE, "the colleague need not any more"
    move(request.pk, "withdraw", actor=REQUESTER)
    assert "nothing was deleted, changed" not in said(request, Notice.WITHDRAWN)
    other = in_review(Right.CORRECTION)
    move(other.pk, "withdraw", actor=REQUESTER)
    assert "nothing was deleted, changed" in said(other, Notice.WITHDRAWN)


@pytest.mark.parametrize("ends", [True, False])
def test_a_restriction_that_is_being_carried_out_stays_until_people_decide(
    company: None, approver: Actor, ends: bool
) -> None:
    request = in_review(Right.RESTRICTION)
    decide.approve(request.pk, actor=approver, ground=RestrictionGround.CLAIMS)
    begin.drain()
    confirmation.not_me(request.case)
    drive.carry_out()
    assert drive.fresh(request.pk).state == State.REVIEW
    (row,) = house.rows("users", email=CAST.plain)
    assert row["processing_restricted"], "kept and not used, whoever asked"
    if not ends:
        decide.approve(request.pk, actor=approver, ground=RestrictionGround.UNLAWFUL)
        drive.carry_out()
        owners.answer(OwnerTask.objects.open().get(step__request=request).pk, OwnerTaskStatus.DONE)
        assert drive.fresh(request.pk).outcome == Outcome.GRANTED
        assert Restriction.objects.in_force().get().ground == RestrictionGround.UNLAWFUL
        return
    move(request.pk, "withdraw", actor=REQUESTER)
    outbox.drain()
    text = said(request, Notice.WITHDRAWN)
    assert "Until now your data were kept and not used otherwise. With this letter that ends." in text
    restricting.drain()
    drive.carry_out()
    (row,) = house.rows("users", email=CAST.plain)
    assert not row["processing_restricted"]


def test_what_is_said_to_be_held_is_not_said_before_a_person_has_looked(company: None, approver: Actor) -> None:
    request = in_review(Right.KNOW)
    decide.approve(request.pk, actor=approver)
    begin.drain()
    confirmation.not_me(request.case)
    drive.carry_out()
    assert drive.fresh(request.pk).state == State.REVIEW
    assert not Message.objects.filter(request=request, notice=Notice.DONE_KNOW).exists()


# --- what had ended ---------------------------------------------------------------------------------------------------


def test_law_09_what_could_not_be_stopped_any_more_stands_in_the_queue_by_name(route: Route) -> None:
    erased = route.completed()
    done = move(route.carrying_out(Right.CORRECTION).pk, "settle", actor=drive.SYSTEM, outcome="granted")
    denied = move(route.disputed(route.fulfilling()).pk, "uphold_dispute", actor=route.approver)
    choice = route.locating(Right.OPT_OUT_SALE)
    move(choice.pk, "located", actor=drive.SYSTEM, nothing_held=False, judgement=[])
    choice = move(choice.pk, "settle", actor=drive.SYSTEM, outcome="granted")
    for request in (erased, done, denied, choice):
        confirmation.not_me(request.case)
    stuck = PrivacyRequest.objects.stuck().filter(attention=StepReason.DISPUTED)
    assert {one.pk for one in stuck} == {erased.pk, done.pk}
    for request in (erased, done):
        control.retry(request.pk, actor=route.handler)
    assert not PrivacyRequest.objects.stuck().exists(), "whoever has looked takes it off the list"
