""" "This was not me" reaches a copy too, wherever it stands, and says what it did; a founded dispute puts back what the
confirmation set aside; and whoever starts again is shown a way that leads somewhere."""

import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.utils import timezone

from dsar import journal
from dsar.enums import (
    ContactBy,
    Outcome,
    PackageStatus,
    RestrictionGround,
    Right,
    State,
    StepKind,
    StepReason,
    StepStatus,
)
from dsar.fulfilment import control, package, restricting, runner
from dsar.intake import email, submit
from dsar.models import REQUESTER, Actor, AuditEvent, Case, Message, Package, PrivacyRequest, Restriction
from dsar.notices import Notice
from dsar.notifications import compose
from dsar.review import decide
from dsar.verification import confirmation, links
from dsar.workflow import Forbidden, Invalid, move
from tests import drive
from tests.drive import Route
from tests.fulfilment import copies
from tests.house import CAST

pytestmark = pytest.mark.usefixtures("own_journal")


def offered(approver: Actor) -> PrivacyRequest:
    return copies.hand_over(copies.checking(approver), approver)


def text_of(message: Message) -> str:
    return " ".join(str(compose.mail(message).body).split())


@pytest.mark.parametrize("build", [copies.approved, copies.checking])
def test_not_me_stops_a_copy_in_the_making(
    company: None, approver: Actor, second_approver: Actor, build: Callable[[Actor], PrivacyRequest]
) -> None:
    request = build(approver)
    confirmation.not_me(request.case)
    request = drive.fresh(request.pk)
    assert (request.state, request.judgement, request.outcome) == (State.REVIEW, ["not_me"], "")
    assert request in PrivacyRequest.objects.needing_staff()
    runner.drain_fulfilling()
    package.expire()
    assert not Package.objects.exclude(status=PackageStatus.GONE).exists()
    assert not request.copy_parts.exists()
    letter = Message.objects.get(request=request, notice=Notice.DISPUTE_NOTED)
    assert "From an address of yours we were told that it was not you who asked." in text_of(letter)
    assert not PrivacyRequest.objects.stuck().exists()
    # A person has looked, and it goes on: every source is asked afresh, and somebody else hands it over.
    decide.approve(request.pk, actor=approver)
    runner.drain_fulfilling()
    assert drive.fresh(request.pk).state == State.CHECKING
    with pytest.raises(Invalid, match="Another approver"):
        copies.hand_over(drive.fresh(request.pk), approver)
    assert copies.hand_over(drive.fresh(request.pk), second_approver).outcome == Outcome.GRANTED


def test_what_cannot_be_stopped_keeps_nothing_else_from_being_stopped(
    route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = route.releasing()
    other = submit.add_request(request.case, Right.CORRECTION, "And put it right.")
    real = confirmation.move

    def fails(pk: int, verb: str, **given: Any) -> PrivacyRequest:
        return real(pk, verb, **given) if pk == other.pk else real(1 // 0, verb, **given)

    with monkeypatch.context() as once:
        once.setattr(confirmation, "move", fails)
        with pytest.raises(confirmation.NotStopped):
            confirmation.not_me(request.case)
    assert drive.fresh(other.pk).judgement == ["not_me"]
    assert drive.fresh(request.pk).attention == StepReason.ERROR, "and somebody sees it"
    assert [one.pk for one in confirmation.not_me(request.case)] == [request.pk]
    assert (drive.fresh(request.pk).attention, drive.fresh(other.pk).attention) == (StepReason.DISPUTED, "")


@pytest.mark.parametrize("downloads", [0, 1])
def test_law_09_not_me_takes_a_copy_off_offer_and_shows_one_that_was_fetched(
    company: None, approver: Actor, downloads: int
) -> None:
    request = offered(approver)
    for _once in range(downloads):
        package.note_download(Package.objects.get())
    confirmation.not_me(request.case)
    with pytest.raises(package.NotThere):
        package.open_for_download(Package.objects.get())
    assert AuditEvent.objects.get(what="not_me").details == {"requests": 0, "copies": 1}
    stuck = PrivacyRequest.objects.stuck().filter(attention=StepReason.DISPUTED)
    assert [one.pk for one in stuck] == [request.pk], "nothing that was promised is taken away unseen"
    confirmation.not_me(request.case)


def test_a_person_can_withdraw_a_copy_until_it_is_handed_over_and_says_so_themselves(
    company: None, approver: Actor
) -> None:
    request = copies.checking(approver)
    move(request.pk, "withdraw", actor=REQUESTER)
    assert "as you wished" in text_of(Message.objects.get(request=request, notice=Notice.WITHDRAWN))


def test_a_founded_dispute_puts_back_the_restriction_that_the_confirmation_lifted(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    request = drive.confirming()
    index, contested, now = request.case.email_index, RestrictionGround.CONTESTED, timezone.now()
    newer, older = (drive.a_request("else@example.com", Right.RESTRICTION) for _ in range(2))
    in_force = Restriction.objects.create(request=newer, email_index=index, ground=contested)
    Restriction.objects.create(request=older, email_index=index, ground=contested, since=now, lifted_at=now)
    plan = confirmation.current_plan(request)
    assert plan is not None
    confirmation.confirm(request.pk, plan.digest)
    assert not Restriction.objects.in_force().exists()
    move(newer.pk, "overtake", actor=drive.SYSTEM)
    confirmation.not_me(request.case)
    for one in (approver, second_approver):
        decide.judge_dispute(request.pk, True, "It was somebody else.", actor=one)
    assert Restriction.objects.in_force().get() == in_force
    # Nothing else ends it: the deletion that had overtaken it is not carried out.
    restricting.lift(newer.pk, "It is settled.", actor=approver)
    assert not restricting.may_lift(drive.fresh(newer.pk))
    in_force.refresh_from_db()
    assert in_force.lifts_at is not None


def test_what_fails_at_the_confirmation_leaves_no_line_in_the_journal(
    company: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = drive.confirming()
    plan = confirmation.current_plan(request)
    assert plan is not None
    monkeypatch.setattr(confirmation, "_overtake", lambda _request: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        confirmation.confirm(request.pk, plan.digest)
    assert list(journal.lines("confirmed")) == []
    assert drive.fresh(request.pk).state == State.CONFIRMING


@pytest.mark.parametrize("how", ["done", "by hand", "paused", "put back"])
def test_law_09_no_worker_takes_off_the_queue_what_was_doubted_too_late(
    company: None, approver: Actor, settings: Any, how: str
) -> None:
    """An account that is still being shut when the word comes: whatever becomes of that step, a person looks."""
    settings.QUIET_PERIOD = timedelta(0)
    request = drive.released(approver)
    drive.carry_out()
    step = request.steps.filter(kind=StepKind.CLOSE).first()
    assert step is not None
    assert drive.fresh(request.pk).is_ended
    status = StepStatus.BLOCKED if how == "by hand" else StepStatus.QUEUED
    waits = {"status": status, "reason": StepReason.UNREACHABLE, "due_at": drive.later(days=-1), "finished_at": None}
    request.steps.filter(pk=step.pk).update(**waits)
    confirmation.not_me(request.case)
    if how == "done":
        drive.carry_out()
    elif how == "by hand":
        control.done_by_hand(request.pk, step.pk, actor=approver)
    else:
        request.steps.filter(pk=step.pk).update(status=StepStatus.LEASED)
        step.refresh_from_db()
        runner.pause(step, StepReason.UNREACHABLE, block=how == "paused", failed=True)
    step.refresh_from_db()
    assert (step.status == StepStatus.DONE) is (how in ("done", "by hand"))
    assert PrivacyRequest.objects.stuck().get().attention == StepReason.DISPUTED
    control.retry(request.pk, actor=approver)
    assert drive.fresh(request.pk).attention == ""


# --- the way back -----------------------------------------------------------------------------------------------------


def newest() -> Message:
    return Message.objects.latest("pk")


def test_a_new_link_goes_to_a_mailbox_though_a_letter_came_from_the_same_person(db: None) -> None:
    by_web = drive.a_case(CAST.plain)
    drive.a_case(CAST.plain, by_post=True, postal="1 High Street")
    drive.a_case(CAST.plain, machine=True)
    Message.objects.update(created_at=drive.later(days=-2))
    links.send_new_link_to(CAST.plain)
    assert (newest().case, newest().notice) == (by_web, Notice.RECEIVED_VERIFY)


def test_a_new_link_for_what_has_ended_leads_to_its_page_and_says_how_to_start_again(db: None) -> None:
    ended = drive.a_request(CAST.plain)
    drive.proven_by_link(ended.case)
    move(ended.pk, "withdraw", actor=REQUESTER)
    links.send_new_link_to(CAST.plain)
    assert newest().notice == Notice.WAY_BACK
    assert "make a new request at http" in text_of(newest())
    assert newest().check_ref is not None
    assert links.look(newest().check_ref.token).check.kind == "follow"
    # Whatever is open comes first, though something newer has ended.
    still_open = drive.a_request(CAST.plain)
    later = drive.a_request(CAST.plain)
    move(later.pk, "withdraw", actor=REQUESTER)
    Message.objects.update(created_at=drive.later(days=-2))
    links.send_new_link_to(CAST.plain)
    assert (newest().case, newest().notice) == (still_open.case, Notice.RECEIVED_VERIFY)


@pytest.mark.parametrize(("country", "right", "lesser"), [("DE", Right.ACCESS, False), ("US-CA", Right.ACCESS, True),
    ("US-CA", Right.DELETION, False)])  # fmt: skip
def test_law_15_whoever_could_not_be_proven_hears_how_to_start_again(
    desk: None, approver: Actor, country: str, right: str, lesser: bool
) -> None:
    request = drive.a_request(right=right, country=country[:2], region=country[3:])
    move(request.pk, "not_proven", actor=drive.SYSTEM)
    decide.lapse(request.pk, "We could not be sure.", actor=approver)
    said = text_of(Message.objects.get(request=request, notice=Notice.NOT_PROVEN))
    assert re.search(r"make a new request at https?://\S+, with the e-mail address of your account", said)
    assert ("It takes less to show who you are for another right" in said) is lesser


def test_whoever_reads_a_lost_mailbox_answers_nothing(desk: None) -> None:
    case = drive.a_case(CAST.plain)
    new = "new.address@example.com"
    now = timezone.now()
    Case.objects.filter(pk=case.pk).update(
        contact_sealed=case.seal(new, "contact"), contact_by=ContactBy.LOST_MAILBOX, contact_at=now
    )
    for writer in (CAST.plain, new):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = writer, case.reply_address(), "Re: your letter"
        mail.set_content(f"I am {writer}.")
        email.process(email.receive(mail.as_bytes())[0])
    received = Message.objects.filter(case=case, status="received")
    assert [message.text.strip() for message in received] == [f"I am {new}."]
    assert Case.objects.exclude(pk=case.pk).count() == 1, "the other one is a message of its own"


def test_law_15_a_copy_that_was_approved_anew_after_a_doubt_is_handed_over_by_who_approved_it_before(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    """Who approves last never hands it over; in a team of two the other one can."""
    request = copies.approved(approver)
    confirmation.not_me(request.case)
    decide.approve(request.pk, actor=second_approver)
    runner.drain_fulfilling()
    with pytest.raises(Invalid, match="Another approver"):
        copies.hand_over(drive.fresh(request.pk), second_approver)
    assert copies.hand_over(drive.fresh(request.pk), approver).outcome == Outcome.GRANTED


def test_law_15_a_deletion_that_was_approved_anew_after_a_doubt_is_released_by_who_approved_it_before(
    route: Route,
) -> None:
    second = drive.person_of_the_desk("approver", "second")
    request = route.review()
    drive.freeze(request)
    decide.approve(request.pk, actor=route.approver)
    confirmation.not_me(request.case)
    decide.approve(request.pk, actor=second)
    move(request.pk, "confirm", actor=REQUESTER, quiet=timedelta(0))
    with pytest.raises(Forbidden):
        move(request.pk, "release", actor=second)
    assert move(request.pk, "release", actor=route.approver).state == State.FULFILLING
