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
    assert run(TABLE).splitlines()[-1] == f"{len(ROWS)} pass, 0 fail"


def test_the_command_fails_what_it_does_not_know_with_the_reason_and_runs_the_rest(tmp_path: Path) -> None:
    header, first, *_ = TABLE.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "some.csv"
    foreign, torn = first.replace("eu_gdpr", "xx_elsewhere"), "V999,eu_gdpr,access"
    wrong = first.replace("2026-04-07", "2026-04-08")
    path.write_text("\n".join([header, foreign, torn, wrong, first]), encoding="utf-8")
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command(Command(stdout=out), vectors=path)
    assert end.value.code == 1
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["fail", "fail", "fail", "pass"]
    assert "unknown_regime" in lines[0] and "ValueError" in lines[1]
    assert "expected 2026-04-08 found 2026-04-07" in lines[2]
    assert lines[-1] == "1 pass, 3 fail"


def test_every_name_in_the_list_of_dates_by_right_is_understood() -> None:
    called = {
        "uk_gdpr": "complaint_to_controller_ack", "br_lgpd": "access_simplified access_full other_rights",
        "us_ca_ccpa": "know deletion correction opt_out_sale opt_out_targeted limit_sensitive reoffer_opt_in_not_before",
        "kr_pipa": "access correction deletion suspension automated_decision", "in_dpdp": "rights_request grievance",
        "za_popia": "access correction_deletion objection", "eu_gdpr": "objection_marketing withdraw_consent",
        "us_va_vcdpa": "opt_out_profiling", "default": "ack appeal opt_out record_retention_until extension_notice",
    }  # fmt: skip
    base = {**ROWS[0], "events": "[]", "deadline_timezone": "", "holiday_calendar": "n/a"}
    for regime, names in called.items():
        for name in names.split():
            for right in ("", "*", "all"):
                row = {**base, "regime": regime, "right": right, "deadline_kind": name}
                assert vectors.compute(row)[0] > "2026-03-05", row


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("received_at", "2026-03-05T10:00:00"),
        ("received_at", "yesterday"),
        ("events", "{"),
        ("events", '[{"event": "unheard_of", "on": "2026-03-06"}]'),
        ("events", "[3]"),
        ("events", '[{"event": "identity_requested", "on": 20260306}]'),
        ("received_at", "9999-12-31T10:00:00+01:00"),
        ("regime", "unheard_of"),
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
