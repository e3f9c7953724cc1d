"""What we keep and how long: every rule is carried out by the house itself, and by the command that an engineer calls.

That every table has a rule is held in test_own_data.py."""

from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import models
from django.utils import timezone

from accounts.models import User
from dsar import audit, housekeeping, journal, measures, tasks
from dsar.enums import CheckKind, IntakeStatus, PackageStatus, RepresentativeKind, Right
from dsar.models import (
    REQUESTER,
    AuditEvent,
    AuthorityPaper,
    Case,
    CaseKey,
    CopyPart,
    House,
    IdentityCheck,
    IdentityPaper,
    Intake,
    LegalHold,
    Package,
    PrivacyRequest,
    Representation,
    RequestRecord,
    Subject,
    Tombstone,
)  # fmt: skip
from dsar.models.own_data import OWN_DATA, Kind
from dsar.review import purge
from dsar.verification import confirmation
from dsar.workflow import move
from tests import drive
from tests.drive import Route
from tests.test_records import a_record

pytestmark = pytest.mark.usefixtures("own_journal")

TODAY = timezone.now().date()


# --- something of each kind that is due ---------------------------------------------------------------------------------


def a_case_that_ended(route: Route) -> None:
    drive.a_request()
    move(route.review(Right.ACCESS).pk, "withdraw", actor=REQUESTER)


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
    assert Case.objects.filter(purged_at__isnull=False).count() == 0
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
    settings.RECORD_PERIOD = settings.APPEAL_WITHIN = timedelta(0)
    monkeypatch.setattr(purge, "lock_case", lambda _pk: 1 / 0)
    out = StringIO()
    with pytest.raises(CommandError, match="Not all of it could go"):
        call_command("purge", "--kind", "cases", stdout=out)
    assert out.getvalue() == "cases: 0 gone, 1 still due\n"
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("purge", "--kind", "everything")


# --- what a purge leaves ----------------------------------------------------------------------------------------------

FINDS = (Kind.INDEX, Kind.PERSONAL, Kind.CREDENTIAL)
# An index that a purge leaves on purpose, and why.
LEFT = {
    "dsar.Intake": {"dedupe"},  # a hash of what was sent, not of who sent it
    "dsar.Kept": {"email_index"},  # until what it is about has been erased: it finds the holds on the person
}


def below(model: type[models.Model], path: str = "") -> dict[type[models.Model], str]:
    """Every model that hangs on this one, directly or through others, with the way back."""
    found: dict[type[models.Model], str] = {}
    for relation in model._meta.related_objects:
        child = relation.related_model
        if not isinstance(child, type) or child in (Case, model):
            continue
        way = f"{relation.field.name}__{path}" if path else relation.field.name
        found.setdefault(child, way)
        if way.count("__") < 2:
            for deeper, longer in below(child, way).items():
                found.setdefault(deeper, longer)
    return found


def test_law_13_no_table_that_hangs_on_a_case_keeps_what_finds_a_person(route: Route) -> None:
    """Of every table that has such a field the purge knows, and of this case it leaves none filled."""
    request = drive.a_request(right=Right.ACCESS)
    case = Case.objects.get(pk=request.case_id)
    hanging = below(Case)
    assert PrivacyRequest in hanging
    telling = {
        model: {name for name, kind in OWN_DATA[model._meta.label].fields.items() if kind in FINDS}
        - LEFT.get(model._meta.label, set())
        for model in (Case, *hanging)
    }
    code = Path(str(purge.__file__)).read_text()
    move(request.pk, "withdraw", actor=REQUESTER)
    purge.purge(case.pk)
    for model, names in telling.items():
        if not names:
            continue
        rows = model._default_manager.filter(**({"pk": case.pk} if model is Case else {hanging[model]: case.pk}))
        for row in rows:
            left = {name for name in names if getattr(row, model._meta.get_field(name).attname)}
            assert left <= ({"language"} if model is Case else set()), (model, left)
        assert model is Case or f"{model.__name__}.objects" in code, f"the purge does not know {model.__name__}"
    assert not CaseKey.objects.filter(pk=case.uid).exists()


def test_law_11_of_who_never_proved_themselves_no_index_is_left_either(route: Route) -> None:
    never, again = drive.a_request(), drive.a_request()
    other = drive.a_request(again.case.email)
    for request in (never, again, other):
        confirmation.not_me(request.case)
        move(request.pk, "withdraw", actor=REQUESTER)
    assert Subject.objects.filter(cases__isnull=True).count() == 2, "they were locked by it"
    purge.purge(never.case_id)
    purge.purge(again.case_id)
    assert [one.index for one in Subject.objects.all()] == [other.case.email_index], "one case still leads there"
    purge.purge(other.case_id)
    assert not Subject.objects.exists()
