"""What a deletion kept: erased when its date comes or its hold is lifted, looked at on its day of review (laws 5, 6, 13)."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from django.utils import timezone

from accounts.models import Role
from dsar import audit
from dsar.connectors.registry import connector
from dsar.demo.schema import metadata
from dsar.enums import DecisionKind, Outcome, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import control, erasure, held_step, later, remains, runner
from dsar.models import Actor, Case, Kept, Message, PrivacyRequest, Step
from dsar.notices import MessageStatus, Notice
from dsar.notifications import compose, letters
from dsar.review import decide, holds, purge
from dsar.verification import confirmation
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive, house
from tests.drive import CAST
from tests.fulfilment.released import body_of, erasing

pytestmark = pytest.mark.usefixtures("own_journal")

CLAIMS = "EU_LEGAL_CLAIMS"


def erased(approver: Actor, address: str = CAST.plain) -> PrivacyRequest:
    """A deletion that has ended, with what the law keeps left behind."""
    request = drive.released(approver, address)
    drive.carry_out()
    done = drive.fresh(request.pk)
    assert done.state == State.COMPLETED
    return done


def of(user: int) -> dict[str, int]:
    """How many rows of a person each table of the company holds, the empty ones left out."""
    return {name: len(rows) for name, rows in house.everything_of(user).items() if rows}


def kept_by(request: PrivacyRequest) -> dict[str, Kept]:
    return {one.code: one for one in Kept.objects.filter(request=request)}


def the_step(request: PrivacyRequest) -> Step:
    return Step.objects.get(request=request, kind=StepKind.LATER)


def set_back(user: int, years: int) -> None:
    """Let the company's rows be so much older, and the refund be paid: their dates come without anybody's clock being moved."""
    days = years * 366
    with house.company_engine().begin() as connected:
        for name, column in (("invoices", "issued_on"), ("security_logs", "created_at")):
            table = metadata.tables[name]
            for row in connected.execute(sa.select(table).where(table.c.user_id == user)).mappings().all():
                moved = {column: row[column] - timedelta(days=days)}
                connected.execute(sa.update(table).where(table.c.id == row["id"]).values(moved))
        refunds = metadata.tables["refunds"]
        connected.execute(sa.update(refunds).where(refunds.c.user_id == user).values(status="paid"))


def look(request: PrivacyRequest) -> None:
    """The day of the next look has come."""
    Step.objects.filter(request=request, kind=StepKind.LATER).update(due_at=timezone.now() - timedelta(seconds=1))
    drive.carry_out()


def told(request: PrivacyRequest, notice: Notice) -> list[Message]:
    return list(Message.objects.filter(request=request, notice=notice).order_by("pk"))


@pytest.fixture
def user(company: None) -> int:
    """The ordinary person's number in the company."""
    found = house.user_id(CAST.plain)
    assert found is not None
    return found


@pytest.mark.parametrize("purged", [False, True], ids=["case kept", "case purged"])
def test_law_06_when_the_date_comes_it_is_erased_by_itself(user: int, approver: Actor, *, purged: bool) -> None:
    neighbour = house.everything_of(house.user_id(CAST.neighbour) or 0)
    request = erased(approver)
    assert of(user).keys() >= {"invoices", "security_logs"}
    kept = kept_by(request)
    assert kept["TAX_ACCOUNTING"].until is not None
    assert {one.email_index for one in kept.values()} == {request.case.email_index}
    step = the_step(request)
    assert (step.status, step.source) == (StepStatus.QUEUED, "platform")
    # Looked at by the first of its dates, and once a month until then.
    first = min(one.until or one.review_on or date.max for one in kept.values())
    assert timezone.localdate(step.due_at) <= first + timedelta(days=1)
    if purged:
        purge.purge(request.case_id)
    # Before the date nothing goes, however often somebody looks, and nobody is written to.
    before = of(user)
    look(request)
    assert of(user) == before
    assert told(request, Notice.KEPT_ERASED) == []
    assert the_step(request).due_at > timezone.now()

    set_back(user, 11)
    look(request)
    assert of(user) == {}
    assert not Kept.objects.filter(request=request).exists()
    ended = the_step(request)
    assert (ended.status, ended.ref_sealed, ended.intent_sealed) == (StepStatus.DONE, None, None)
    assert drive.fresh(request.pk).attention == ""
    assert house.everything_of(house.user_id(CAST.neighbour) or 0) == neighbour
    assert audit.AuditEvent.objects.filter(what="later_done", request_id=request.pk).exists()
    assert audit.verify() == []
    if purged:
        assert told(request, Notice.KEPT_ERASED) == []
    else:
        (letter,) = told(request, Notice.KEPT_ERASED)
        text = compose.as_text(letter, compose.context_for(letter))
        assert "Invoices" in text
        assert "Kept" not in text
        assert not [line for line in letters.items(drive.fresh(request.pk)) if line["action"] == "kept"]


def test_law_06_each_row_goes_on_its_own_day(user: int, approver: Actor) -> None:
    """The letter names the last day of all; nothing younger keeps an older row."""
    request = erased(approver)
    logs = metadata.tables["security_logs"]
    first, *others = house.rows("security_logs", user_id=user)
    assert others
    with house.company_engine().begin() as connected:
        over = datetime.now(UTC) - timedelta(days=400)
        connected.execute(sa.update(logs).where(logs.c.id == first["id"]).values(created_at=over))
    look(request)
    assert house.rows("security_logs", user_id=user) == others
    assert "SECURITY_LOGS" in kept_by(request)
    assert told(request, Notice.KEPT_ERASED) == []


def test_law_06_a_hold_that_is_lifted_after_the_end_lets_go_what_it_kept(user: int, approver: Actor) -> None:
    hold = holds.place(CAST.plain, CLAIMS, timezone.localdate() + timedelta(days=90), actor=approver, weighed="So.")
    request = drive.by_web(CAST.plain)
    drive.proven_by_link(request.case)
    drive.locating.drain()
    decide.approve(request.pk, actor=approver)
    plan = confirmation.current_plan(drive.fresh(request.pk))
    assert plan is not None
    confirmation.confirm(request.pk, plan.digest)
    control.release(request.pk, actor=drive.person_of_the_desk(Role.APPROVER, "second"))
    drive.carry_out()
    assert drive.fresh(request.pk).state == State.COMPLETED
    held = of(user)
    assert "prompts" in held
    look(request)
    assert of(user) == held
    holds.lift(hold.pk, actor=approver)
    drive.carry_out()
    left = of(user)
    assert "prompts" not in left
    assert "invoices" in left
    assert CLAIMS not in kept_by(request)


def test_law_05_a_hold_placed_after_the_end_keeps_what_is_due_even_when_the_case_is_purged(
    user: int, approver: Actor
) -> None:
    request = erased(approver)
    purge.purge(request.case_id)
    hold = holds.place(CAST.plain, CLAIMS, timezone.localdate() + timedelta(days=90), actor=approver, weighed="So.")
    set_back(user, 11)
    before = of(user)
    look(request)
    assert of(user) == before
    assert kept_by(request)
    holds.lift(hold.pk, actor=approver)
    drive.carry_out()
    assert of(user) == {}


def test_law_05_the_kill_switch_and_a_switched_off_source_stop_it(user: int, approver: Actor) -> None:
    request = erased(approver)
    set_back(user, 11)
    before = of(user)
    control.kill_switch(True, actor=approver)
    look(request)
    assert (of(user), drive.fresh(request.pk).attention) == (before, StepReason.KILL_SWITCH)
    control.kill_switch(False, actor=approver)
    control.switch_source("platform", False, actor=approver)
    look(request)
    assert (of(user), drive.fresh(request.pk).attention) == (before, StepReason.SOURCE_OFF)
    control.switch_source("platform", True, actor=approver)
    drive.carry_out()
    assert of(user) == {}
    assert drive.fresh(request.pk).attention == ""


def test_law_08_a_worker_that_dies_in_the_middle_is_taken_over(user: int, approver: Actor, settings: object) -> None:
    settings.CHUNK_ROWS = 1  # type: ignore[attr-defined]
    request = erased(approver)
    purge.purge(request.case_id)
    set_back(user, 11)
    Step.objects.filter(request=request, kind=StepKind.LATER).update(due_at=timezone.now() - timedelta(seconds=1))
    step = runner.claim([StepKind.LATER], [State.FULFILLING])
    assert step is not None
    held = held_step.hold(step)
    work = later.Later(held.step, held.token, held.request, held.plan, {})
    source = connector("platform")
    ref = remains.unseal(held.request, step.ref_sealed, "platform:ref")
    intent, redo = erasure.t1_intent(work, source, ref)
    erasure.t2_company(work, source, ref, intent, redo=redo)
    # Dead before T3: the intent is sealed by the house, and redone.
    Step.objects.filter(pk=step.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    drive.carry_out()
    assert of(user) == {}
    assert the_step(request).status == StepStatus.DONE


# --- days of review ---------------------------------------------------------------------------------------------------


def narrowed(approver: Actor) -> PrivacyRequest:
    """A deletion from which an approver kept the prompts; its day of review has come."""
    request = drive.released(approver)
    drive.narrow(
        request.pk, {("platform", "prompts")}, CLAIMS, "A court asked for them.", actor=approver, weighed="So."
    )
    drive.carry_out()
    Kept.objects.filter(request=request, code=CLAIMS).update(review_on=timezone.localdate())
    look(request)
    return drive.fresh(request.pk)


def test_law_06_a_day_of_review_stands_in_the_queue_and_let_go_it_is_erased(user: int, approver: Actor) -> None:
    request = narrowed(approver)
    assert request.attention == StepReason.REVIEW
    assert PrivacyRequest.objects.needing_staff().filter(pk=request.pk).exists()
    assert "prompts" in of(user)
    # It keeps nothing else from going.
    set_back(user, 11)
    look(request)
    assert of(user).keys() == {"prompts", "users"}
    (line,) = later.to_review(request)
    later.let_go(request.pk, line.pk, "The court has closed the case.", actor=approver)
    drive.carry_out()
    assert of(user) == {}
    done = drive.fresh(request.pk)
    assert (done.attention, done.outcome) == ("", Outcome.GRANTED_IN_PART)
    assert done.decisions.filter(kind=DecisionKind.KEPT_GOES, decided_by_id=approver.user_id).exists()


def test_law_06_what_stays_longer_gets_a_new_day_and_the_person_is_told(user: int, approver: Actor) -> None:
    request = narrowed(approver)
    (line,) = later.to_review(request)
    day = timezone.localdate() + timedelta(days=200)
    later.keep_on(request.pk, line.pk, day, "The case goes on.", actor=approver)
    drive.carry_out()
    assert drive.fresh(request.pk).attention == ""
    assert "prompts" in of(user)
    assert kept_by(request)[CLAIMS].review_on == day
    (letter,) = told(request, Notice.KEPT_ON)
    assert letter.status == MessageStatus.QUEUED
    text = compose.as_text(letter, compose.context_for(letter))
    assert "The case goes on." in text
    assert "Prompts" in text
    with pytest.raises(Conflict):
        later.let_go(request.pk, line.pk, "Too early.", actor=approver)


def test_who_decides_about_what_was_kept(user: int, approver: Actor, handler: Actor) -> None:
    request = narrowed(approver)
    (line,) = later.to_review(request)
    today = timezone.localdate()
    with pytest.raises(Forbidden):
        later.let_go(request.pk, line.pk, "Not mine to say.", actor=handler)
    for act in (
        lambda: later.let_go(request.pk, line.pk, "  ", actor=approver),
        lambda: later.keep_on(request.pk, line.pk, today, "A reason.", actor=approver),
        lambda: later.keep_on(request.pk, line.pk, today + timedelta(days=400), "A reason.", actor=approver),
    ):
        with pytest.raises(Invalid):
            act()


def test_law_06_what_was_kept_altogether_is_looked_at_on_its_day_too(user: int, approver: Actor) -> None:
    """Narrowed to nothing: denied, and yet nothing is kept for ever."""
    request = drive.confirmed()
    everything = erasing(body_of(request))
    ended = drive.narrow(request.pk, everything, CLAIMS, "All of it is evidence.", actor=approver, weighed="So.")
    assert ended.outcome == Outcome.DENIED
    Kept.objects.filter(request=request, code=CLAIMS).update(review_on=timezone.localdate())
    before = of(user)
    look(request)
    assert (of(user), drive.fresh(request.pk).attention) == (before, StepReason.REVIEW)
    for line in later.to_review(request):
        later.let_go(request.pk, line.pk, "The court has closed the case.", actor=approver)
    drive.carry_out()
    assert of(user).keys() <= {"invoices", "security_logs", "refunds"}


def test_a_refund_that_is_not_paid_by_its_day_waits_for_a_person(company: None, approver: Actor) -> None:
    user = house.user_id(CAST.plain) or 0
    request = erased(approver)
    (due,) = [row for row in house.rows("refunds", user_id=user) if row["status"] == "due"]
    line = kept_by(request)["REFUND_DUE"]
    assert (line.until, line.review_on) == (None, due["due_on"])
    Kept.objects.filter(pk=line.pk).update(review_on=timezone.localdate())
    look(request)
    assert drive.fresh(request.pk).attention == StepReason.REVIEW
    assert house.rows("refunds", user_id=user) == [due]
    # Paid in the meantime, it goes by itself.
    Kept.objects.filter(pk=line.pk).update(review_on=timezone.localdate() + timedelta(days=5))
    refunds = metadata.tables["refunds"]
    with house.company_engine().begin() as connected:
        connected.execute(sa.update(refunds).where(refunds.c.id == due["id"]).values(status="paid"))
    look(request)
    assert house.rows("refunds", user_id=user) == []
    assert drive.fresh(request.pk).attention == ""


def test_law_13_the_row_goes_with_what_it_is_about_and_names_nobody(user: int, approver: Actor) -> None:
    request = erased(approver)
    step = the_step(request)
    purge.purge(request.case_id)
    assert Case.objects.get(pk=request.case_id).email_index == ""
    assert str(user).encode() != bytes(step.ref_sealed or b"")
    assert remains.unseal(drive.fresh(request.pk), step.ref_sealed, "platform:ref") == str(user)
