"""Every step of every request can be ended by somebody, and what was done by hand counts (laws 4, 13, 15)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Role
from dsar import audit
from dsar.connectors.base import SourceUnavailable
from dsar.connectors.sql import SqlConnector
from dsar.desk.catalogue import VERBS
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
from dsar.fulfilment import begin, control, held_step, locating, owner_clock, owners, recipients, restricting, runner
from dsar.models import REQUESTER, Actor, OwnerTask, PrivacyRequest, RecipientNotice, Restriction, Step
from dsar.notifications import outbox, owner_letters
from dsar.review import corrections, decide, purge
from dsar.workflow import Invalid, move
from tests import drive, house
from tests.drive import CAST, Route
from tests.fulfilment.test_stuck import in_review, kinds
from tests.owners import with_paper

pytestmark = pytest.mark.usefixtures("own_journal")


@pytest.fixture(autouse=True)
def _paper_too(settings: Any, tmp_path: Path) -> None:
    settings.DATA_MAP = with_paper(tmp_path)
    settings.QUIET_PERIOD = timedelta(0)
    settings.RETRY_AFTER = timedelta(seconds=30)
    settings.RESTRICTION_NOTICE = timedelta(0)


# --- law 15: no step is a dead end ------------------------------------------------------------------------------------

WORKS: dict[StepKind, Callable[[Route], PrivacyRequest]] = {
    **dict.fromkeys((StepKind.CLOSE, StepKind.SETTLE, StepKind.ERASE), Route.fulfilling),
    **dict.fromkeys((StepKind.EXPORT, StepKind.PACK), lambda route: route.carrying_out(Right.ACCESS)),
    StepKind.RECTIFY: lambda route: route.carrying_out(Right.CORRECTION),
    StepKind.RESTRICT: lambda route: route.carrying_out(Right.RESTRICTION),
    **dict.fromkeys((StepKind.LIFT, StepKind.LATER), Route.completed),
    StepKind.LOOK: lambda route: route.carrying_out(Right.KNOW),
    StepKind.APPLY: lambda route: route.locating(Right.MARKETING_OPT_OUT),
    StepKind.NOTIFY: Route.completed,
}
BLOCKING = tuple(reason for reason in StepReason if reason)


def ended_by(slug: str, request: PrivacyRequest, step: Step, actor: Actor) -> bool:
    """Whether a verb that the desk offers ends this step; what it did is undone again."""
    if not VERBS[slug].is_there(request):
        return False
    with transaction.atomic():
        match slug:
            case "by-hand":
                control.done_by_hand(request.pk, step.pk, actor=actor, file=b"x", file_name="x.txt")
            case "go-on-without":
                control.go_on_without(request.pk, step.pk, "SYSTEM_CANNOT", "It is gone.", actor=actor)
            case "not-done":
                drive.not_done(request.pk, step.pk, "It is gone.", actor=actor)
            case "recipient":
                recipients.decide(request.pk, "mail_delivery", "impossible", "It is gone.", actor=actor)
        done = Step.objects.get(pk=step.pk).status == StepStatus.DONE
        transaction.set_rollback(True)
    return done


@pytest.mark.parametrize("kind", StepKind)
def test_law_15_no_step_is_a_dead_end(db: None, kind: StepKind) -> None:
    approver = drive.person_of_the_desk(Role.APPROVER)
    request = WORKS[kind](Route(drive.person_of_the_desk(Role.HANDLER), approver))
    source = "to:mail_delivery" if kind == StepKind.NOTIFY else "" if kind == StepKind.PACK else "platform"
    step = Step.objects.create(request=request, source=source, kind=kind, status=StepStatus.BLOCKED)
    if kind == StepKind.NOTIFY:
        RecipientNotice.objects.create(request=request, recipient="mail_delivery")
    dead = []
    for reason in BLOCKING:
        Step.objects.filter(pk=step.pk).update(reason=reason)
        PrivacyRequest.objects.filter(pk=request.pk).update(attention=reason)
        held = drive.fresh(request.pk)
        ways = [
            slug
            for slug in ("by-hand", "go-on-without", "not-done", "recipient")
            if ended_by(slug, held, step, approver)
        ]
        # What the law holds back ends with less to erase; putting files together is work of ours alone, tried again.
        if kind in (StepKind.SETTLE, StepKind.ERASE) and VERBS["narrow"].is_there(held):
            ways += ["narrow"]
        if kind == StepKind.PACK and VERBS["retry"].is_there(held):
            ways += ["retry"]
        if not ways:
            dead.append(reason)
        if reason in (StepReason.HOLD, StepReason.PLAN_CHANGED) and kind == StepKind.ERASE:
            assert ways == ["narrow"]
    assert dead == []


def test_what_a_worker_failed_to_erase_an_approver_alone_says_is_gone(route: Route) -> None:
    request = route.fulfilling()
    step = Step.objects.create(
        request=request, source="platform", kind=StepKind.ERASE, status=StepStatus.BLOCKED, reason=StepReason.ERROR
    )
    assert (step.ends_by_hand(route.handler), step.ends_by_hand(route.approver)) == (False, True)


@pytest.fixture
def route(db: None) -> Route:
    return Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER))


LONG = "A" * 400


def a_wish(new: str) -> PrivacyRequest:
    request = in_review(Right.CORRECTION)
    corrections.propose(request.pk, "name", new, actor=REQUESTER)
    return drive.fresh(request.pk)


def accept(request: PrivacyRequest, actor: Actor) -> None:
    known = request.corrections.get()
    corrections.decide(request.pk, known.pk, True, "", "", seen=corrections.version_of(known), actor=actor)


def test_a_value_that_no_source_can_hold_is_told_before_it_is_accepted(company: None, approver: Actor) -> None:
    request = a_wish(LONG)
    with pytest.raises(Invalid, match="cannot hold this value"):
        accept(request, approver)
    assert request.corrections.get().decided_at is None


def test_law_15_a_correction_that_a_source_does_not_take_ends_by_hand(
    company: None, approver: Actor, handler: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqlConnector, "fits", lambda *_given: True)
    request = a_wish(LONG)
    accept(request, approver)
    decide.approve(request.pk, actor=approver)
    drive.carry_out()
    owners.answer(OwnerTask.objects.get(step__request=request).pk, OwnerTaskStatus.DONE)
    stuck = request.steps.get(source="platform")
    assert (stuck.status, stuck.reason) == (StepStatus.BLOCKED, StepReason.BAD_VALUE)
    assert drive.fresh(request.pk).attention == StepReason.BAD_VALUE
    control.done_by_hand(request.pk, stuck.pk, actor=handler)
    assert drive.fresh(request.pk).state == State.COMPLETED


def test_who_received_what_an_owner_corrected_by_hand_is_told_as_well(
    company: None, approver: Actor, settings: Any
) -> None:
    told = settings.DATA_MAP.read_text().replace("categories: [invoices]", "categories: [purchases]", 1)
    settings.DATA_MAP.write_text(told)
    request = a_wish("Adelina Ashgrove")
    accept(request, approver)
    decide.approve(request.pk, actor=approver)
    drive.carry_out()
    owners.answer(OwnerTask.objects.get(step__request=request).pk, OwnerTaskStatus.DONE)
    assert drive.fresh(request.pk).state == State.COMPLETED
    assert set(request.recipients.values_list("recipient", flat=True)) == {"mail_delivery", "payments"}


def test_law_05_an_address_that_reaches_two_accounts_erases_neither_and_is_not_called_done(
    company: None, approver: Actor
) -> None:
    request = drive.confirmed()
    body = request.plans.frozen().newest().body()
    body["sources"]["platform"] |= {"status": "several", "ref": ""}
    with transaction.atomic():
        locating.store(request, body, frozen_at=timezone.now())
    before = house.everything_of(house.user_id(CAST.plain) or 0)
    control.release(request.pk, actor=approver)
    drive.carry_out()
    assert house.everything_of(house.user_id(CAST.plain) or 0) == before
    held = drive.fresh(request.pk)
    assert (held.state, held.attention) == (State.FULFILLING, StepReason.SEVERAL_MATCHES)


def test_law_03_the_account_is_shut_everywhere_however_the_request_ended(
    company: None, approver: Actor, second_approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_given: Any) -> None:
        raise SourceUnavailable("unreachable")

    with monkeypatch.context() as outage:
        outage.setattr(SqlConnector, "close", down)
        request = drive.confirmed()
    move(request.pk, "dispute", actor=REQUESTER)
    for somebody in (approver, second_approver):
        decide.judge_dispute(request.pk, True, "It was somebody else.", actor=somebody)
    assert drive.fresh(request.pk).outcome == Outcome.DENIED
    closing = request.steps.filter(kind=StepKind.CLOSE, source="platform")
    assert closing.get().status == StepStatus.QUEUED
    closing.update(due_at=timezone.now())
    runner.drain_closing()
    assert closing.get().status == StepStatus.DONE


# --- law 4: a dispute stops the end too, and loses nothing -------------------------------------------------------------


def test_law_04_an_answer_that_comes_while_it_is_disputed_is_kept_and_counts_afterwards(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    request = drive.released(approver)
    drive.carry_out()
    task = OwnerTask.objects.get(step__request=request)
    move(request.pk, "dispute", actor=REQUESTER)
    owners.answer(task.pk, OwnerTaskStatus.DONE, note="In box 7.", file=b"scan", file_name="box.pdf")
    task.refresh_from_db()
    assert (task.status, task.note, drive.fresh(request.pk).state) == (
        OwnerTaskStatus.DONE,
        "In box 7.",
        State.FULFILLING,
    )
    begin.drain()
    for somebody in (approver, second_approver):
        decide.judge_dispute(request.pk, False, "They did ask.", actor=somebody)
    begin.drain()
    held = drive.fresh(request.pk)
    assert (held.state, held.outcome) == (State.COMPLETED, Outcome.GRANTED_IN_PART)
    assert audit.verify() == []


def test_law_04_what_was_erased_just_before_a_dispute_is_recorded_and_the_dispute_stays_in_sight(
    company: None, approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = drive.released(approver)
    (task,) = _paper_answered_first(request)
    record = held_step.record

    def disputed_first(held: held_step.Held, *given: Any, **named: Any) -> None:
        if held.step.kind == StepKind.ERASE and drive.fresh(request.pk).disputed_at is None:
            left = request.steps.exclude(status=StepStatus.DONE).exclude(pk=held.step.pk)
            if not left.exists():
                move(request.pk, "dispute", actor=REQUESTER)
        record(held, *given, **named)

    monkeypatch.setattr(held_step, "record", disputed_first)
    drive.carry_out()
    held = drive.fresh(request.pk)
    assert (held.state, held.attention) == (State.FULFILLING, StepReason.DISPUTED)
    assert house.user_id(CAST.plain) is None
    erased = request.steps.get(kind=StepKind.ERASE, source="platform")
    assert erased.status == StepStatus.DONE
    assert sum(line["removed"] for line in erased.tallies) > 0
    assert task.step.request_id == request.pk


def _paper_answered_first(request: PrivacyRequest) -> list[OwnerTask]:
    """The step of the paper files is done by hand before a worker comes to anything else."""
    Step.objects.filter(request=request, source="paper").update(
        status=StepStatus.BLOCKED, reason=StepReason.NOT_SUPPORTED
    )
    owners.drain()
    tasks = list(OwnerTask.objects.filter(step__request=request).select_related("step"))
    for task in tasks:
        owners.answer(task.pk, OwnerTaskStatus.DONE)
    return tasks


# --- law 13: a restriction that was lifted by hand is over -------------------------------------------------------------


def restricted(approver: Actor) -> PrivacyRequest:
    request = in_review(Right.RESTRICTION)
    decide.approve(request.pk, actor=approver, ground=RestrictionGround.CLAIMS)
    drive.carry_out()
    owners.answer(OwnerTask.objects.get(step__request=request).pk, OwnerTaskStatus.DONE)
    assert drive.fresh(request.pk).state == State.COMPLETED
    return drive.fresh(request.pk)


@pytest.mark.parametrize("by", ["its owner", "the desk"])
def test_law_13_a_restriction_whose_last_mark_was_lifted_by_hand_is_over_and_blocks_no_purge(
    company: None, approver: Actor, handler: Actor, by: str
) -> None:
    request = restricted(approver)
    restricting.lift(request.pk, "Your claim is settled.", actor=approver)
    outbox.drain()
    drive.carry_out()
    lifting = OwnerTask.objects.open().get(step__request=request)
    assert (lifting.step.kind, Restriction.objects.get(request=request).lifted_at) == (StepKind.LIFT, None)
    owner_clock.sweep()
    if by == "its owner":
        owners.answer(lifting.pk, OwnerTaskStatus.DONE)
    else:
        control.done_by_hand(request.pk, lifting.step_id, actor=handler)
    assert Restriction.objects.get(request=request).lifted_at is not None
    assert not is_marked()
    assert request.case_id in purge.due(timezone.now() + drive.BEYOND_THE_LOG)


def is_marked() -> bool:
    (row,) = house.rows("users", email=CAST.plain)
    return bool(row["processing_restricted"])


def test_a_restriction_that_comes_into_force_while_another_is_lifted_keeps_its_mark(
    company: None, approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, other = restricted(approver), in_review(Right.RESTRICTION)
    restricting.lift(request.pk, "Your claim is settled.", actor=approver)
    outbox.drain()
    lift = SqlConnector.lift

    def crossed(self: SqlConnector, ref: str) -> Any:
        Restriction.objects.create(request=other, email_index=other.case.email_index, ground=RestrictionGround.UNLAWFUL)
        self.restrict(ref)
        return lift(self, ref)

    monkeypatch.setattr(SqlConnector, "lift", crossed)
    runner.drain_fulfilling()
    assert kinds(request)[StepKind.LIFT, "platform"] == StepStatus.DONE
    assert is_marked()


# --- what an owner is asked ---------------------------------------------------------------------------------------------


def test_who_is_asked_about_a_choice_that_was_taken_back_reads_that_it_was(company: None, approver: Actor) -> None:
    said = []
    for take_back in (False, True):
        request = drive.by_web(CAST.plain, Right.MARKETING_OPT_OUT)
        PrivacyRequest.objects.filter(pk=request.pk).update(take_back=take_back)
        step = Step.objects.create(request=drive.fresh(request.pk), source="paper", kind=StepKind.APPLY)
        task = OwnerTask(step=step, due_on=timezone.localdate())
        task.give_to("archive@example.com")
        task.save()
        said.append(owner_letters.line(task))
    assert "record this person's choice" in said[0]["what"]
    assert "taken a choice back" in said[1]["what"]
    assert "taken back" in said[1]["right"]
