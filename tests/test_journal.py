"""The journal: what must survive a restore of our own database."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import Role
from dsar import audit, journal, keys
from dsar.enums import State
from dsar.models import Plan, Tombstone
from dsar.verification import confirmation
from tests import drive
from tests.drive import CAST, Route

pytestmark = pytest.mark.usefixtures("own_journal")


def test_lines_come_back_in_order_and_by_kind() -> None:
    for number in range(3):
        journal.write("one", number=number)
        journal.write("other", number=number)
    assert [line["number"] for line in journal.lines("one")] == [0, 1, 2]
    assert [line["kind"] for line in journal.lines("one", "other")] == ["one", "other"] * 3
    assert list(journal.lines("third")) == []


def test_no_file_is_an_empty_journal() -> None:
    assert list(journal.lines("one")) == []


def test_the_file_is_for_its_owner_alone_and_only_ever_grows() -> None:
    journal.write("one", number=1)
    first = settings.JOURNAL_FILE.read_bytes()
    journal.write("one", number=2)
    assert settings.JOURNAL_FILE.read_bytes().startswith(first)
    assert stat.S_IMODE(settings.JOURNAL_FILE.stat().st_mode) == 0o600


def test_a_line_that_was_changed_or_made_up_or_torn_does_not_count() -> None:
    journal.write("one", number=1)
    journal.write("one", number=2)
    journal.write("one", number=3)
    lines = settings.JOURNAL_FILE.read_text().splitlines()
    changed = json.loads(lines[1]) | {"number": 9}
    made_up = json.dumps({"kind": "one", "number": 4, "mac": "0" * 64})
    text = [
        lines[0],
        json.dumps(changed, sort_keys=True),
        made_up,
        "no json",
        "[]",
        "{}",
        '"text"',
        '{"mac": 1}',
        lines[2][:-20],
    ]
    settings.JOURNAL_FILE.write_bytes(b"\xff\xfe not even text\n" + "\n".join(text).encode())
    assert [line["number"] for line in journal.lines("one")] == [1]


def test_what_is_written_after_a_torn_line_is_read() -> None:
    journal.write("one", number=1)
    with settings.JOURNAL_FILE.open("ab") as file:
        file.write(b'{"kind": "one", "numb')
    journal.write("one", number=2)
    assert [line["number"] for line in journal.lines("one")] == [1, 2]


def test_many_writers_tear_nothing() -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: journal.write("one", number=number, filler="x" * 2000), range(200)))
    assert sorted(line["number"] for line in journal.lines("one")) == list(range(200))


def test_law_03_without_the_journal_nothing_is_confirmed(db: None) -> None:
    """Better no deletion than one that a restore of our database forgets."""
    request = Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER)).confirming()
    settings.JOURNAL_FILE.parent.mkdir()
    settings.JOURNAL_FILE.mkdir()
    with pytest.raises(OSError, match="journal"):
        confirmation.confirm(request.pk, Plan.objects.get(request=request).digest)
    assert drive.fresh(request.pk).state == State.CONFIRMING
    assert drive.fresh(request.pk).confirmed_at is None


def test_law_16_confirmation_and_erasure_leave_their_lines_without_naming_anybody(
    company: None, approver: object
) -> None:
    request = drive.released(approver)  # type: ignore[arg-type]
    drive.carry_out()
    assert drive.fresh(request.pk).state == State.COMPLETED
    confirmed, erased = list(journal.lines("confirmed", "erased"))
    assert confirmed["request"] == erased["request"] == str(request.uid)
    assert confirmed["subject"] == erased["marks"]["email"] == keys.tombstone_index("email", CAST.plain)
    text = settings.JOURNAL_FILE.read_text()
    assert CAST.plain not in text
    assert CAST.plain.partition("@")[0] not in text


def test_law_16_after_a_restore_the_tombstones_come_back_and_lost_confirmations_are_named(
    company: None, approver: object, capsys: pytest.CaptureFixture[str]
) -> None:
    request = drive.released(approver)  # type: ignore[arg-type]
    drive.carry_out()
    stones = sorted(Tombstone.objects.values_list("source", "index", "expires_on"))
    call_command("replay_journal")
    assert "0 tombstones restored" in capsys.readouterr().out
    kept = settings.JOURNAL_FILE.read_bytes()
    # The restored database is older than all of it.
    from tests import house

    house.wipe()
    settings.JOURNAL_FILE.write_bytes(kept)
    with pytest.raises(CommandError, match="1 confirmations are missing"):
        call_command("replay_journal")
    assert str(request.uid) in capsys.readouterr().err
    assert sorted(Tombstone.objects.values_list("source", "index", "expires_on")) == stones


def test_checkpoints_are_written_with_the_heads_that_moved(db: None) -> None:
    one = drive.a_case()
    audit.checkpoint()
    audit.checkpoint()
    other = drive.a_case()
    audit.checkpoint()
    first, second, third = [set(line["heads"]) for line in journal.lines("checkpoint")]
    assert one.chain in first
    assert other.chain in third
    assert other.chain not in first | second
