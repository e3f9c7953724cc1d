"""What is stuck is shown by name, stops nobody else, and can be ended by somebody (laws 1, 4, 9, 13, 15)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from dsar import audit, tasks
from dsar.enums import Right, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import control, locating, owner_clock, owners, runner
from dsar.models import Actor, AuditEvent, CaseKey, OwnerTask, PrivacyRequest, Restriction
from dsar.notifications import outbox
from dsar.review import clock
from tests import drive
from tests.drive import CAST
from tests.fulfilment import copies
from tests.owners import with_paper

pytestmark = pytest.mark.usefixtures("company", "own_journal")


@pytest.fixture(autouse=True)
def _paper_too(settings: Any, tmp_path: Path) -> None:
    settings.DATA_MAP = with_paper(tmp_path)
    settings.QUIET_PERIOD = timedelta(0)
    # What is put back waits: one look of the workers is one try.
    settings.RETRY_AFTER = timedelta(seconds=30)


def in_review(right: str, address: str = CAST.plain) -> PrivacyRequest:
    """Asked for by form, proven, located."""
    request = drive.by_web(address, right)
    locating.drain()
    drive.proven_by_link(request.case)
    locating.drain()
    return drive.fresh(request.pk)


def unreadable(request: PrivacyRequest) -> PrivacyRequest:
    """The key of its case is lost: nothing of it can be decrypted any more."""
    CaseKey.objects.filter(pk=request.case.uid).delete()
    return request


def kinds(request: PrivacyRequest) -> dict[tuple[str, str], str]:
    return {(step.kind, step.source): step.status for step in request.steps.all()}


# --- one person's trouble keeps nobody else waiting -----------------------------------------------------------------


def test_law_09_an_objection_that_was_refused_before_it_could_be_marked_everywhere_stops_nobody_else(
    approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = in_review(Right.OBJECTION)
    with monkeypatch.context() as nobody_asks:
        nobody_asks.setattr(owners, "drain", lambda: 0)
        drive.carry_out()
        assert kinds(refused)[StepKind.RESTRICT, "paper"] == StepStatus.BLOCKED
        drive.refuse(refused.pk, "COMPELLING_GROUNDS", "We must stop fraud with it.", facts="Cards.", actor=approver)
        outbox.drain()
        other = drive.released(approver, CAST.neighbour)
        drive.carry_out()
        assert kinds(other)[StepKind.ERASE, "platform"] == StepStatus.DONE
    found = kinds(refused)
    assert (found[StepKind.LIFT, "platform"], found[StepKind.RESTRICT, "paper"]) == (StepStatus.DONE, StepStatus.DONE)
    assert (StepKind.LIFT, "paper") not in found
    called_off = AuditEvent.objects.get(what="restricting_called_off")
    assert called_off.details == {"sources": ["paper"]}
    held = drive.fresh(refused.pk)
    assert (held.attention, Restriction.objects.get(request=held).lifted_at is None) == ("", False)
    assert audit.verify() == []


def a_search(_approver: Actor) -> PrivacyRequest:
    """Proven and looked for, waiting to be moved on."""
    request = drive.by_web(CAST.plain)
    locating.drain()
    drive.proven_by_link(request.case)
    return request


def an_approval(approver: Actor) -> PrivacyRequest:
    return copies.approved(approver, CAST.plain)


def an_objection(_approver: Actor) -> PrivacyRequest:
    return in_review(Right.OBJECTION)


LANES = {
    "locate": (a_search, State.LOCATING, locating.drain),
    "begin": (an_approval, State.FULFILLING, runner.drain_fulfilling),
    "weigh": (an_objection, State.REVIEW, runner.drain_fulfilling),
}


@pytest.mark.parametrize("lane", LANES)
def test_law_09_a_row_that_cannot_be_read_stops_nobody_else(approver: Actor, lane: str) -> None:
    build, state, drain = LANES[lane]
    broken = unreadable(build(approver))
    other = copies.approved(approver, CAST.neighbour)
    drain()
    runner.drain_fulfilling()
    held = drive.fresh(broken.pk)
    assert (held.state, held.attention) == (state, StepReason.ERROR)
    assert kinds(other)[StepKind.EXPORT, "platform"] == StepStatus.DONE


def test_law_09_a_task_that_cannot_be_read_stops_no_other(approver: Actor) -> None:
    broken, other = drive.released(approver), drive.released(approver, CAST.neighbour)
    drive.carry_out()
    late = OwnerTask.objects.get(step__request=other)
    unreadable(broken)
    owner_clock.sweep(timezone.now() + timedelta(days=60))
    late.refresh_from_db()
    assert late.escalated_at is not None
    assert drive.fresh(broken.pk).attention == StepReason.ERROR


def test_law_09_a_part_of_the_sweep_that_breaks_stops_no_other(
    approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> int:
        raise RuntimeError

    monkeypatch.setitem(tasks.SWEEPS, "clock", breaks)
    drive.released(approver)
    drive.carry_out()
    OwnerTask.objects.update(due_on=timezone.localdate() - timedelta(days=1))
    tasks.sweep()
    assert OwnerTask.objects.filter(escalated_at__isnull=False).exists()


def test_law_09_the_clock_reminds_everybody_but_the_one_it_cannot_read(approver: Actor) -> None:
    broken, other = drive.confirming(), drive.confirming(CAST.neighbour)
    unreadable(broken)
    clock.sweep(timezone.now() + timedelta(days=8))
    assert drive.fresh(broken.pk).attention == StepReason.ERROR
    assert drive.fresh(other.pk).reminders == 1


def test_law_09_a_reason_that_is_gone_uncovers_the_next_one(approver: Actor) -> None:
    request = copies.approved(approver)
    for source in ("platform", "accounts"):
        control.switch_source(source, False, actor=approver)
    drive.carry_out()
    assert drive.fresh(request.pk).attention == StepReason.SOURCE_OFF
    control.switch_source("accounts", True, actor=approver)
    assert drive.fresh(request.pk).attention == StepReason.SOURCE_OFF
    control.switch_source("platform", True, actor=approver)
    assert drive.fresh(request.pk).attention == ""
