"""Worked examples of the law (facts), and the command that runs a file of them."""

from __future__ import annotations

import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from dsar.law import vectors
from dsar.management.commands.deadlines import Command

TABLE = Path(__file__).with_name("vectors.csv")
ROWS = vectors.read(TABLE.read_text(encoding="utf-8").splitlines())


def wrong() -> list[vectors.Result]:
    return [result for result in map(vectors.check, ROWS) if result.outcome != "pass"]


def test_every_example_gives_its_dates_and_status() -> None:
    assert len(ROWS) > 60
    assert wrong() == []


def test_the_server_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    for zone in ("Pacific/Auckland", "Pacific/Honolulu", "UTC"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        with override_settings(TIME_ZONE=zone), timezone.override(zone):
            assert wrong() == []
    monkeypatch.undo()
    time.tzset()


def run(path: Path) -> str:
    out = StringIO()
    call_command(Command(stdout=out), vectors=path)
    return out.getvalue()


def test_the_command_passes_on_our_table() -> None:
    assert run(TABLE).splitlines()[-1] == f"{len(ROWS)} pass, 0 fail, 0 not modelled"


def test_the_command_names_what_is_not_modelled_and_ends_with_one_on_a_failure(tmp_path: Path) -> None:
    header, first, *_ = TABLE.read_text(encoding="utf-8").splitlines()
    foreign = first.replace("eu_gdpr", "xx_elsewhere")
    path = tmp_path / "some.csv"
    path.write_text(f"{header}\n{foreign}", encoding="utf-8")
    assert run(path).splitlines()[-1] == "0 pass, 0 fail, 1 not modelled"
    wrong = first.replace("2026-04-07", "2026-04-08")
    path.write_text(f"{header}\n{first}\n{foreign}\n{wrong}", encoding="utf-8")
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command(Command(stdout=out), vectors=path)
    assert end.value.code == 1
    text = out.getvalue()
    assert text.splitlines()[-1] == "1 pass, 1 fail, 1 not modelled"
    assert "expected 2026-04-08 found 2026-04-07" in text


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("received_at", "2026-03-05T10:00:00"),
        ("received_at", "yesterday"),
        ("events", "{"),
        ("events", '[{"event": "unheard_of", "on": "2026-03-06"}]'),
        ("deadline_timezone", "Europe/Nowhere"),
        ("holiday_calendar", "XX"),
        ("deadline_kind", "unheard_of"),
        ("right", "unheard_of"),
    ],
)
def test_a_row_that_cannot_be_read_fails_with_a_note(column: str, value: str) -> None:
    result = vectors.check({**ROWS[0], column: value})
    assert result.outcome == "fail"
    assert result.note


def test_a_file_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run(tmp_path / "none.csv")
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(CommandError, match="columns missing: vector_id"):
        run(path)
