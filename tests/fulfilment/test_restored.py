"""What a restore of a source brought back goes again; tombstones and their traces end; the reborn are left alone (laws 13, 16)."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone

from dsar import audit, journal, keys
from dsar.demo.schema import metadata
from dsar.enums import State, StepKind, StepReason, StepStatus
from dsar.fulfilment import control, restored
from dsar.models import Actor, House, Kept, Message, PrivacyRequest, Step, Tombstone
from dsar.notices import Notice
from dsar.review import holds, purge
from dsar.tasks import look_for_restored
from tests import drive, house
from tests.drive import CAST

pytestmark = pytest.mark.usefixtures("own_journal")

Rows = dict[str, list[dict[str, object]]]


def everything() -> tuple[int, Rows]:
    """The ordinary person's number and every row of theirs, as a backup of the company would have them."""
    user = house.user_id(CAST.plain)
    assert user is not None
    return user, house.everything_of(user)


def erased(approver: Actor) -> PrivacyRequest:
    request = drive.released(approver)
    drive.carry_out()
    done = drive.fresh(request.pk)
    assert done.state == State.COMPLETED
    return done


def put_back(rows: Rows, **changed: Any) -> None:
    """The company restores these rows; `changed` are columns of the account."""
    with house.company_engine().begin() as connected:
        for table in metadata.sorted_tables:
            for row in rows.get(table.name, []):
                found = connected.execute(sa.select(table.c.id).where(table.c.id == row["id"])).first()
                if found is None:
                    values = {**row, **changed} if table.name == "users" else row
                    connected.execute(sa.insert(table).values(values))


def left(user: int) -> set[str]:
    return {name for name, rows in house.everything_of(user).items() if rows}


@pytest.mark.parametrize("purged", [False, True], ids=["case kept", "case purged"])
def test_law_16_a_restored_source_is_erased_again_and_the_reborn_person_is_untouched(
    company: None, approver: Actor, *, purged: bool
) -> None:
    user, backup = everything()
    request = erased(approver)
    stays = house.everything_of(user)
    if purged:
        purge.purge(request.case_id)
    # The same person comes back: an account of a later day, with rows of its own.
    born = {**backup["users"][0], "id": 900001, "created_at": timezone.now() + timedelta(hours=1)}
    later = {**backup["prompts"][0], "id": 900002, "user_id": 900001}
    put_back({"users": [born], "prompts": [later]})
    reborn = house.everything_of(900001)
    assert restored.check() == restored.Report(0, {})
    put_back(backup, email=f"old.{CAST.plain}")
    assert "prompts" in left(user)

    look_for_restored()
    drive.carry_out()
    assert house.everything_of(user) == stays
    assert house.everything_of(900001) == reborn
    assert house.user_id(f"old.{CAST.plain}") is None
    found = audit.AuditEvent.objects.filter(what="came_back", request_id=request.pk)
    assert found.count() == 1
    assert drive.fresh(request.pk).attention == ""
    assert not Message.objects.filter(request=request, notice=Notice.KEPT_ERASED).exists()
    assert restored.check() == restored.Report(0, {})
    assert audit.verify() == []


def test_law_16_a_new_account_under_an_old_key_is_never_touched_by_a_machine(company: None, approver: Actor) -> None:
    """A company that uses a number, or an address as a key, twice."""
    user, backup = everything()
    request = erased(approver)
    put_back(backup, created_at=timezone.now() + timedelta(hours=1))
    reborn = house.everything_of(user)
    assert restored.check() == restored.Report(0, {})
    # What was kept under this key is due: which rows are whose, only a person can say.
    Step.objects.filter(request=request, kind=StepKind.LATER).update(due_at=timezone.now() - timedelta(seconds=1))
    drive.carry_out()
    assert house.everything_of(user) == reborn
    step = Step.objects.get(request=request, kind=StepKind.LATER)
    assert (step.status, step.reason) == (StepStatus.BLOCKED, StepReason.NOT_SUPPORTED)
    control.done_by_hand(request.pk, step.pk, actor=approver)
    assert not Kept.objects.filter(request=request).exists()
    assert drive.fresh(request.pk).attention == ""


def test_law_05_a_hold_keeps_what_came_back_and_a_dead_source_is_named(company: None, approver: Actor) -> None:
    user, backup = everything()
    request = erased(approver)
    purge.purge(request.case_id)
    holds.place(CAST.plain, "EU_LEGAL_CLAIMS", timezone.localdate() + timedelta(days=90), actor=approver, weighed="So.")
    Kept.objects.filter(request=request).update(email_index="")
    put_back(backup)
    there = house.everything_of(user)
    look_for_restored()
    drive.carry_out()
    assert house.everything_of(user) == there
    control.switch_source("platform", False, actor=approver)
    assert restored.check() == restored.Report(0, {"platform": "source_off"})


def test_law_16_replay_journal_looks_at_the_sources_too(
    company: None, approver: Actor, capsys: pytest.CaptureFixture[str]
) -> None:
    user, backup = everything()
    erased(approver)
    stays = house.everything_of(user)
    put_back(backup)
    call_command("replay_journal")
    assert "1 accounts came back" in capsys.readouterr().out
    drive.carry_out()
    assert house.everything_of(user) == stays


def test_law_13_tombstones_and_what_the_journal_has_of_a_person_expire(
    company: None, approver: Actor, settings: object
) -> None:
    request = erased(approver)
    mark = keys.tombstone_index("email", CAST.plain)
    with pytest.raises(IntegrityError):
        Tombstone.objects.filter(request_id=request.pk).delete()
    assert restored.forget_expired() == 0
    settings.TOMBSTONE_PERIOD = timedelta(days=-3)  # type: ignore[attr-defined]
    Tombstone.objects.bulk_create(
        [
            Tombstone(
                source="email", index="0" * 64, covers_until=timezone.now(), request_id=request.pk,
                expires_on=timezone.now().date() - timedelta(days=1),
            )
        ]
    )  # fmt: skip
    journal.write("other", number=1)
    assert mark in settings.JOURNAL_FILE.read_text()  # type: ignore[attr-defined]
    look_for_restored()
    assert not Tombstone.objects.filter(index="0" * 64).exists()
    assert mark not in settings.JOURNAL_FILE.read_text()  # type: ignore[attr-defined]
    # What was confirmed and erased is still known, and the file goes on.
    assert [line["request"] for line in journal.lines("confirmed", "erased")] == [str(request.uid)] * 2
    journal.write("other", number=2)
    assert [line["number"] for line in journal.lines("other")] == [1, 2]
    assert list(settings.JOURNAL_FILE.parent.iterdir()) == [settings.JOURNAL_FILE]  # type: ignore[attr-defined]
    call_command("replay_journal")


def test_it_looks_once_a_day_whoever_was_up_at_which_hour(company: None, approver: Actor) -> None:
    _user, backup = everything()
    erased(approver)
    assert look_for_restored() == 0
    put_back(backup)
    assert look_for_restored() == 0
    House.objects.update(compared_on=timezone.localdate() - timedelta(days=1))
    assert look_for_restored() == 1
