"""What we keep and how long: every rule is carried out by the house itself, and by the command that an engineer calls.

That every table has a rule is held in test_own_data.py."""

from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from dsar import audit, housekeeping, journal, measures, records, tasks
from dsar.enums import CheckKind, IntakeStatus, PackageStatus, RepresentativeKind
from dsar.models import (
    REQUESTER,
    AuditEvent,
    AuthorityPaper,
    Case,
    CopyPart,
    House,
    IdentityCheck,
    IdentityPaper,
    Intake,
    LegalHold,
    Package,
    Representation,
    RequestRecord,
    Tombstone,
)  # fmt: skip
from dsar.review import purge
from dsar.workflow import move
from tests import drive
from tests.drive import Route
from tests.test_records import a_record

pytestmark = pytest.mark.usefixtures("own_journal")

TODAY = timezone.now().date()


# --- something of each kind that is due ---------------------------------------------------------------------------------


def a_case_that_ended(route: Route) -> None:
    drive.a_request()
    drive.ended_long_ago(route)


def a_purged_case(route: Route) -> None:
    for ended in (drive.ended_long_ago(route), route.lapsed()):
        purge.purge(ended.case_id)
    assert records.forget_expired() == 1


def mail_put_aside(_route: Route) -> None:
    Intake.objects.filter(pk=drive.arrived().pk).update(status=IntakeStatus.DISMISSED)
    drive.arrived()


def a_copy(route: Route) -> None:
    ended = move(route.checking().pk, "withdraw", actor=REQUESTER)
    Package.objects.create(
        request=ended, status=PackageStatus.OFFERED, name="none.copy", digest="d", offered_at=timezone.now(),
        expires_at=timezone.now(),
    )  # fmt: skip
    CopyPart.objects.create(request=ended, source="a", number=1)


def a_paper(route: Route) -> None:
    case = route.lapsed().case
    stands = Representation.named(case, RepresentativeKind.GUARDIAN, "Somebody", "somebody@example.com")
    stands.save(force_insert=True)
    AuthorityPaper.objects.create(representation=stands, size=1, body_sealed=b"x")


def an_identity_paper(route: Route) -> None:
    case = route.lapsed().case
    check = IdentityCheck.objects.create(case=case, kind=CheckKind.PAPER, expires_at=timezone.now() + timedelta(days=9))
    IdentityPaper.objects.create(check_ref=check, size=1, body_sealed=b"x")


def a_tombstone(_route: Route) -> None:
    for number in (1, 2):
        day = TODAY + timedelta(days=(number - 1) * 2 - 1)
        Tombstone.objects.create(
            source="email", index=f"{number}", covers_until=timezone.now(), expires_on=day, request_id=number
        )


def a_line_of_the_journal(_route: Route) -> None:
    journal.write("erased", marks={"email": "new"})
    old = {"kind": "erased", "written": (timezone.now() - timedelta(days=5000)).isoformat(), "marks": {"email": "old"}}
    with settings.JOURNAL_FILE.open("a") as file:
        file.write(journal._signed(old) + "\n")


def a_lifted_hold(_route: Route) -> None:
    given = {"email_index": "i", "code": "EU_LEGAL_CLAIMS", "note_sealed": b"x", "review_on": TODAY}
    LegalHold.objects.create(**given)
    LegalHold.objects.create(**given, lifted_at=timezone.now() - timedelta(days=1), status="lifted")


def a_session(_route: Route) -> None:
    Session.objects.create(session_key="old", session_data="x", expire_date=timezone.now() - timedelta(minutes=1))
    Session.objects.create(session_key="new", session_data="x", expire_date=timezone.now() + timedelta(hours=1))


def a_change_of_an_account(route: Route) -> None:
    admin = User.objects.get(pk=route.approver.user_id)
    LogEntry.objects.create(user=admin, action_flag=2, object_repr="x", action_time=timezone.now() - timedelta(days=1))


SCENES: dict[str, Callable[[Route], object]] = {
    "references": a_purged_case,
    "cases": a_case_that_ended,
    "incoming": mail_put_aside,
    "copies": a_copy,
    "papers": a_paper,
    "identity_papers": an_identity_paper,
    "records": lambda _route: (a_record(), a_record(keep_until=TODAY)),
    "tombstones": a_tombstone,
    "journal": a_line_of_the_journal,
    "holds": a_lifted_hold,
    "sessions": a_session,
    "account_log": a_change_of_an_account,
}


@pytest.fixture
def all_due(route: Route, settings: Any) -> dict[str, int]:
    """Something of every kind is due, and how many of each; something of most is not."""
    assert set(SCENES) == set(housekeeping.PARTS)
    settings.TOMBSTONE_PERIOD = timedelta(days=1)
    House.objects.get_or_create(pk=1)
    for scene in SCENES.values():
        scene(route)
    settings.RECORD_PERIOD = settings.APPEAL_WITHIN = settings.ASIDE_PERIOD = timedelta(0)
    return {key: part.due() for key, part in housekeeping.PARTS.items()}


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the house."""
    return {
        model._meta.label: sorted(model._default_manager.values_list(), key=repr)
        for model in apps.get_models()
        if model._meta.app_label in ("dsar", "accounts", "sessions", "admin")
    }


def called(*words: str) -> dict[str, str]:
    """What the command prints, by kind."""
    out = StringIO()
    call_command("purge", *words, stdout=out)
    return dict(line.split(": ", 1) for line in out.getvalue().splitlines())


def test_law_13_what_is_due_goes_by_itself(all_due: dict[str, int]) -> None:
    assert all(all_due.values()), all_due
    tasks.sweep()
    tasks.look_for_restored()
    assert {key: part.due() for key, part in housekeeping.PARTS.items()} == dict.fromkeys(all_due, 0)
    # What is not due is there.
    assert Case.objects.filter(purged_at__isnull=False, reference__startswith="RD-").count() == 1, "its log is kept"
    assert RequestRecord.objects.filter(keep_until=TODAY).exists()
    assert Session.objects.get().session_key == "new"
    assert Tombstone.objects.get().index == "2"
    assert [line.get("marks") for line in journal.lines("erased")] == [{"email": "new"}, None]
    assert LegalHold.objects.exclude(email_index="").get().lifted_at is None
    assert Intake.objects.filter(status=IntakeStatus.STORED, raw_sealed__isnull=False).exists()
    assert audit.verify() == []


def test_a_dry_run_counts_and_changes_nothing(all_due: dict[str, int]) -> None:
    before, lines = everything(), settings.JOURNAL_FILE.read_bytes()
    assert called("--dry-run") == {key: f"{number} would go" for key, number in all_due.items()}
    assert called("--dry-run", "--kind", "holds", "--kind", "cases").keys() == {"cases", "holds"}
    assert (everything(), settings.JOURNAL_FILE.read_bytes()) == (before, lines)


def test_the_command_does_what_it_counted_and_the_measures_remain(all_due: dict[str, int]) -> None:
    period = (date(2020, 1, 1), TODAY + timedelta(days=1))
    before = measures.report(*period).as_json()["rights"]
    assert called("--kind", "sessions") == {"sessions": "1 gone"}
    assert Case.objects.filter(purged_at__isnull=True, requests__ended_at__isnull=False).exists()
    said = called()
    assert said == {key: f"{number} gone" for key, number in all_due.items()} | {"sessions": "0 gone"}
    assert called() == dict.fromkeys(all_due, "0 gone")
    assert measures.report(*period).as_json()["rights"] == before
    assert audit.verify() == []
    noted = AuditEvent.objects.filter(chain="house", what="purged_by_command").order_by("number")
    assert [event.details for event in noted] == [
        {"sessions": 1},
        {key: number for key, number in all_due.items() if key != "sessions"},
    ]


def test_what_could_not_go_is_named(route: Route, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    a_case_that_ended(route)
    monkeypatch.setattr(purge, "lock_case", lambda _pk: 1 / 0)
    out = StringIO()
    with pytest.raises(CommandError, match="Not all of it could go"):
        call_command("purge", "--kind", "cases", stdout=out)
    assert out.getvalue() == "cases: 0 gone, 1 still due\n"
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("purge", "--kind", "everything")
