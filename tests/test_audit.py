"""The audit trail: what can be noticed, and by what. The guards are lifted here: this is the attacker who got past."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Role
from dsar import audit, guards
from dsar.enums import State
from dsar.fulfilment import control
from dsar.models import (
    REQUESTER,
    SYSTEM,
    Actor,
    AuditEvent,
    Case,
    CaseKey,
    Checkpoint,
    House,
    PrivacyRequest,
    Subject,
)  # fmt: skip
from dsar.review import decide, holds
from dsar.verification import confirmation
from dsar.workflow import move
from tests import drive, house
from tests.drive import CAST, Route

pytestmark = pytest.mark.usefixtures("own_journal")


@contextmanager
def unguarded() -> Iterator[None]:
    """Inside the test's own transaction, which is rolled back."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            for guard in guards.guards():
                cursor.execute(f"DROP TRIGGER IF EXISTS {guard.trigger}")
        yield
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")


@pytest.fixture
def request_(db: None) -> PrivacyRequest:
    """A request with a history of five events and more, and a neighbour with another one."""
    route = Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER))
    drive.a_case()
    request = route.fulfilling()
    assert audit.verify() == []
    assert request.case.audit_length >= 5
    return request


def events(request: PrivacyRequest) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(chain=request.case.chain).order_by("number"))


def head_of(request: PrivacyRequest) -> Case:
    return Case.objects.get(pk=request.case_id)


CHANGES: dict[str, Callable[[AuditEvent], object]] = {
    "at": lambda event: event.at + timedelta(microseconds=1),
    "actor_kind": lambda event: "staff" if event.actor_kind != "staff" else "system",
    "actor_id": lambda event: (event.actor_id or 0) + 1,
    "what": lambda event: event.what + "!",
    "request_id": lambda event: (event.request_id or 0) + 1,
    "from_state": lambda event: "triage",
    "to_state": lambda event: "rejected",
    "details": lambda event: {**event.details, "more": 1},
    "previous": lambda event: "0" * 64,
    "hash": lambda event: "0" * 64,
}


@pytest.mark.parametrize("place", [0, 2, -1], ids=["first", "middle", "last"])
def test_law_11_a_change_of_any_field_is_noticed_where_it_was_made(request_: PrivacyRequest, place: int) -> None:
    event = events(request_)[place]
    for column, change in CHANGES.items():
        with transaction.atomic():
            with unguarded():
                AuditEvent.objects.filter(pk=event.pk).update(**{column: change(event)})
            faults = audit.verify()
            transaction.set_rollback(True)
        found = [(fault.chain, fault.number, fault.problem) for fault in faults]
        assert found == [(request_.case.chain, event.number, "an event was changed")], column
    assert audit.verify() == []


def test_law_11_every_field_of_an_event_is_covered() -> None:
    covered = {*CHANGES, "chain", "number", "id"}
    assert {field.column for field in AuditEvent._meta.concrete_fields} == covered


def test_law_11_a_deletion_in_the_middle_is_noticed(request_: PrivacyRequest) -> None:
    with unguarded():
        AuditEvent.objects.filter(pk=events(request_)[2].pk)._raw_delete("default")
    assert [(f.number, f.problem) for f in audit.verify()] == [(3, "an event is missing")]


def test_law_11_a_deletion_that_is_closed_up_again_is_noticed(request_: PrivacyRequest) -> None:
    gone = events(request_)[2]
    with unguarded():
        AuditEvent.objects.filter(pk=gone.pk)._raw_delete("default")
        for event in events(request_)[2:]:
            AuditEvent.objects.filter(pk=event.pk).update(number=F("number") - 1)
        Case.objects.filter(pk=request_.case_id).update(audit_length=F("audit_length") - 1)
    assert [f.problem for f in audit.verify()] == ["an event was changed"]


def test_law_11_what_is_written_while_the_trail_is_verified_is_no_fault(
    request_: PrivacyRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list(audit.owners())
    drive.a_case()
    Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER)).disputed(request_)
    monkeypatch.setattr(audit, "owners", lambda: iter(read))
    assert audit.verify() == []
    with unguarded():
        AuditEvent.objects.filter(pk=events(request_)[0].pk)._raw_delete("default")
    assert [fault.problem for fault in audit.verify()] == ["an event is missing"]


def test_law_11_two_events_cannot_change_places(request_: PrivacyRequest) -> None:
    one, other = events(request_)[1:3]
    with unguarded():
        AuditEvent.objects.filter(pk=one.pk).update(number=999)
        AuditEvent.objects.filter(pk=other.pk).update(number=one.number)
        AuditEvent.objects.filter(pk=one.pk).update(number=other.number)
    assert [f.problem for f in audit.verify()] == ["an event was changed"]


def test_law_11_an_end_that_was_cut_off_is_noticed(request_: PrivacyRequest) -> None:
    with unguarded():
        AuditEvent.objects.filter(pk=events(request_)[-1].pk)._raw_delete("default")
    assert [f.problem for f in audit.verify()] == ["the end was cut off"]


def test_law_11_an_end_cut_off_with_the_head_moved_back_differs_from_the_journal(request_: PrivacyRequest) -> None:
    """Whoever edits case and chain together leaves a chain that verifies; the checkpoint outside does not fit it."""
    audit.checkpoint()
    last = events(request_)[-1]
    with unguarded():
        AuditEvent.objects.filter(pk=last.pk)._raw_delete("default")
        Case.objects.filter(pk=request_.case_id).update(audit_length=last.number - 1, audit_head=last.previous)
    case = head_of(request_)
    assert list(audit.verify_chain(case.chain, case.audit_length, case.audit_head)) == []
    assert [(f.chain, f.problem) for f in audit.verify()] == [
        (case.chain, "differs from the journal outside the database")
    ]


def test_law_11_even_a_chain_forged_with_the_key_differs_from_the_journal(request_: PrivacyRequest) -> None:
    audit.checkpoint()
    with unguarded():
        previous = ""
        for event in events(request_):
            event.actor_id, event.previous = 4711, previous
            previous = event.hash = audit.fingerprint(event)
            AuditEvent.objects.filter(pk=event.pk).update(actor_id=4711, previous=event.previous, hash=event.hash)
        Case.objects.filter(pk=request_.case_id).update(audit_head=previous)
    case = head_of(request_)
    assert list(audit.verify_chain(case.chain, case.audit_length, case.audit_head)) == []
    assert {f.problem for f in audit.verify()} == {"differs from the journal outside the database"}


def test_law_11_without_the_key_nobody_appends(request_: PrivacyRequest) -> None:
    case = head_of(request_)
    AuditEvent.objects.create(
        chain=case.chain, number=case.audit_length + 1, at=timezone.now(), actor_kind="system", what="forged",
        previous=case.audit_head, hash="f" * 64,
    )  # fmt: skip
    Case.objects.filter(pk=case.pk).update(audit_length=case.audit_length + 1, audit_head="f" * 64)
    assert [f.problem for f in audit.verify()] == ["an event was changed"]


def test_law_11_an_event_moved_into_another_chain_is_noticed_in_both(request_: PrivacyRequest) -> None:
    other = Case.objects.exclude(pk=request_.case_id)[0]
    with unguarded():
        AuditEvent.objects.filter(pk=events(request_)[-1].pk).update(chain=other.chain, number=other.audit_length + 1)
    assert {f.chain for f in audit.verify()} == {request_.case.chain, other.chain}


def test_law_11_a_chain_whose_owner_is_gone_is_noticed(request_: PrivacyRequest) -> None:
    AuditEvent.objects.create(
        chain="nobodys", number=1, at=timezone.now(), actor_kind="system", what="x", hash="f" * 64
    )
    assert [(f.chain, f.problem) for f in audit.verify()] == [("nobodys", "a chain without its owner")]


@pytest.mark.parametrize("column", ["at", "chains", "events", "root", "signature", "previous"])
def test_law_11_a_changed_checkpoint_is_noticed(request_: PrivacyRequest, column: str) -> None:
    audit.checkpoint()
    held = audit.checkpoint()
    value = getattr(held, column)
    changed = value + timedelta(seconds=1) if column == "at" else value + 1 if isinstance(value, int) else "0" * 64
    with unguarded():
        Checkpoint.objects.filter(pk=held.pk).update(**{column: changed})
    assert "a checkpoint was changed" in {f.problem for f in audit.verify()}


def test_law_11_a_checkpoint_that_was_taken_out_is_noticed(request_: PrivacyRequest) -> None:
    made = [audit.checkpoint() for _ in range(3)]
    with unguarded():
        Checkpoint.objects.filter(pk=made[1].pk)._raw_delete("default")
    assert "a checkpoint was changed" in {f.problem for f in audit.verify()}


def test_law_11_a_move_that_commits_after_a_checkpoint_reaches_the_journal_with_the_next(
    request_: PrivacyRequest,
) -> None:
    """Its time is when it began, before the checkpoint; it was not there yet when the heads were read."""
    began = timezone.now()
    audit.checkpoint()
    case = head_of(request_)
    audit.record(case, audit.Entry("late", SYSTEM, at=began - timedelta(seconds=2)))
    audit.checkpoint()
    last = events(request_)[-1]
    with unguarded():
        AuditEvent.objects.filter(pk=last.pk)._raw_delete("default")
        Case.objects.filter(pk=case.pk).update(audit_length=last.number - 1, audit_head=last.previous)
    assert "differs from the journal outside the database" in {f.problem for f in audit.verify()}


def test_law_11_the_chain_of_a_purged_case_still_verifies(request_: PrivacyRequest) -> None:
    audit.checkpoint()
    CaseKey.objects.filter(pk=request_.case.uid).delete()
    Case.objects.filter(pk=request_.case_id).update(
        purged_at=timezone.now(), email_sealed=None, email_index="", name_sealed=None, reply_index="", subject=None
    )
    assert Case.objects.get(pk=request_.case_id).email == ""
    assert audit.verify() == []


def test_an_event_outside_a_transaction_is_refused(desk: None) -> None:
    case = drive.a_case()
    with pytest.raises(RuntimeError, match="transaction"):
        audit.record(case, audit.Entry("x", SYSTEM))
    with transaction.atomic():
        audit.record(Case.objects.select_for_update().get(pk=case.pk), audit.Entry("x", SYSTEM))
    assert audit.verify() == []


def test_the_house_has_a_chain_of_its_own(db: None) -> None:
    House.objects.get_or_create(pk=1)
    approver = drive.person_of_the_desk(Role.APPROVER)
    control.kill_switch(True, actor=approver)
    control.kill_switch(False, actor=approver)
    control.switch_source("platform", False, actor=approver)
    told = list(AuditEvent.objects.filter(chain="house").order_by("number").values_list("what", "actor_id"))
    assert told == [(what, approver.user_id) for what in ("kill_switch_on", "kill_switch_off", "source_off")]
    assert audit.verify() == []


def test_parallel_moves_of_one_case_make_one_unbroken_chain(desk: None) -> None:
    case = drive.a_case()

    def record(number: int) -> None:
        with transaction.atomic():
            audit.record(
                Case.objects.select_for_update().get(pk=case.pk), audit.Entry("noted", SYSTEM, details={"n": number})
            )

    assert drive.at_once(40, record) == [None] * 40
    assert AuditEvent.objects.filter(what="noted").count() == 40
    assert audit.verify() == []


def test_the_command_ends_with_an_error_where_something_is_wrong(
    request_: PrivacyRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_audit")
    assert "All chains hold" in capsys.readouterr().out
    with unguarded():
        AuditEvent.objects.filter(pk=events(request_)[1].pk).update(what="nothing")
    with pytest.raises(CommandError, match="1 faults"):
        call_command("verify_audit")
    assert f"{request_.case.chain} at 2" in capsys.readouterr().err


def test_law_11_no_direct_identifier_of_anybody_is_in_the_trail_of_a_whole_journey(
    company: None, handler: Actor, approver: Actor, second_approver: Actor
) -> None:
    person = house.rows("users", email=CAST.plain)[0]
    agent = drive.by_web(CAST.plain, acts_as="agent", statement="")
    move(agent.pk, "withdraw", actor=REQUESTER)
    request = drive.confirmed()
    decide.note(request.pk, f"Spoke with {person['full_name']} on the phone.", actor=handler)
    decide.reply(request.pk, f"Dear {person['full_name']}", actor=handler)
    confirmation.not_me(request.case)
    for one in (approver, second_approver):
        decide.judge_dispute(request.pk, False, f"It was {CAST.plain}.", actor=one)
    hold = holds.place(
        CAST.plain, "EU_LEGAL_CLAIMS", timezone.localdate() + timedelta(days=30), actor=approver, weighed="So."
    )
    holds.lift(hold.pk, actor=approver)
    control.release(request.pk, actor=approver)
    drive.carry_out()
    assert drive.fresh(request.pk).state == State.COMPLETED
    audit.checkpoint()
    rows = [*AuditEvent.objects.values(), *Checkpoint.objects.values(), *Subject.objects.values()]
    trail = json.dumps(rows, default=str) + settings.JOURNAL_FILE.read_text()
    assert len(rows) > 20
    telling = [CAST.plain, CAST.plain.partition("@")[0], str(person["full_name"]), str(person["phone"])]
    telling += str(person["full_name"]).split() + CAST.plain.partition("@")[0].split(".")
    assert [word for word in telling if word.lower() in trail.lower()] == []
    assert audit.verify() == []
