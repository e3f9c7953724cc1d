"""Versions of laws: what was recorded is never changed, and a request keeps the one that it came under."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from dsar import checks, deadlines
from dsar.enums import Outcome, Right
from dsar.law import code_words, codes, editions, regimes, table_editions
from dsar.law.errors import LawError, RegimeFileError
from dsar.management.commands.regimes import Command
from dsar.models import Case
from dsar.notifications import appeal_letter
from tests import drive


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Three laws of one's own, to be changed."""
    for name in ("eu_gdpr", "default", "in_dpdp"):
        shutil.copy(regimes.FOLDER / f"{name}.toml", tmp_path)
    monkeypatch.setattr(regimes, "FOLDER", tmp_path)
    regimes.load.cache_clear()
    for name in regimes.all_ids():
        editions.record(name)
    yield tmp_path
    regimes.load.cache_clear()


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    regimes.load.cache_clear()


def test_every_version_is_as_it_was_recorded() -> None:
    assert editions.problems() == []
    listed = editions.listed()
    assert set(listed) == set(regimes.all_ids()) and len(listed) == 33


def test_a_file_changed_without_a_new_version_is_refused_and_the_message_says_what_to_do(
    db: None, folder: Path
) -> None:
    change(folder / "eu_gdpr.toml", "# EU/EEA", "# Only a comment is other: EU/EEA")
    assert editions.problems() == []
    change(folder / "eu_gdpr.toml", "value = 2", "value = 1")
    (problem,) = editions.problems()
    assert "eu_gdpr.toml: what it says was changed" in problem and "--new-version eu_gdpr VERSION" in problem
    assert [error.id for error in checks.check_law()] == ["rightsdesk.E024"]
    with pytest.raises(RegimeFileError, match="never replaced"):
        editions.record("eu_gdpr")
    with pytest.raises(RegimeFileError, match="not recorded as it stands"):
        editions.new_version("eu_gdpr", "2030-01-01", date(2030, 1, 1))
    with pytest.raises(ImproperlyConfigured, match=r"eu_gdpr.toml: what it says was changed.*--new-version"):
        checks.require_all()
    change(folder / "eu_gdpr.toml", "value = 1", "value = 2")


def test_two_versions_that_hold_from_the_same_day_are_named(folder: Path) -> None:
    old = regimes.load("eu_gdpr").version
    with pytest.raises(RegimeFileError, match="must lie after 2018-05-25"):
        editions.new_version("eu_gdpr", "2030-01-01", date(2018, 5, 25))
    editions.new_version("eu_gdpr", "2030-01-01", date(2030, 1, 1))
    editions.record("eu_gdpr")
    assert editions.problems() == []
    editions.new_version("eu_gdpr", "2031-01-01", date(2031, 1, 1))
    change(folder / "eu_gdpr.toml", "version_from = 2031-01-01", "version_from = 2030-01-01")
    editions.record("eu_gdpr")
    (problem,) = editions.problems()
    assert "2030-01-01" in problem and "2031-01-01" in problem and "both hold from 2030-01-01" in problem
    change(folder / "eu_gdpr.toml", "version_from = 2030-01-01\n", "")
    assert any(old in problem and "both hold from 2018-05-25" in problem for problem in editions.problems())


def test_a_table_that_all_laws_share_is_not_changed_unnoticed(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds for every request alike, and nothing starts before the change is recorded under a name of its own."""
    assert table_editions.problems() == []
    monkeypatch.setattr(table_editions, "LISTED", Path(shutil.copy(table_editions.LISTED, tmp_path)))
    monkeypatch.setattr(codes, "FILE", Path(shutil.copy(codes.FILE, tmp_path)))
    change(codes.FILE, "# Grounds for keeping", "# Only a comment is other")
    assert table_editions.problems() == []
    change(codes.FILE, "GDPR Art 12(5)(b)", "GDPR Art 12(5)")
    (problem,) = table_editions.problems()
    assert "codes.toml" in problem and "--record-tables" in problem
    assert [error.id for error in checks.check_law()] == ["rightsdesk.E024"]
    with pytest.raises(ImproperlyConfigured, match=r"codes\.toml: what it says was changed"):
        checks.require_all()
    with pytest.raises(RegimeFileError, match="recorded with other content"):
        table_editions.record("2026-11-22")
    out = StringIO()
    call_command(Command(stdout=out), record_tables="2030-01-01")
    assert "2030-01-01 is recorded: codes.toml." in out.getvalue()
    checks.require_all()
    words = dict(code_words.CODES) | {"EXCESSIVE": ("Much", "Too much.")}
    monkeypatch.setattr(code_words, "CODES", words)
    assert ["code_words.py" in problem for problem in table_editions.problems()] == [True]


def test_a_new_version_keeps_the_old_one_for_what_came_before(folder: Path) -> None:
    old = regimes.load("eu_gdpr").version
    out = StringIO()
    call_command(Command(stdout=out), new_version=["eu_gdpr", "2030-01-01"], begins=date(2030, 1, 1))
    assert f"eu_gdpr@{old}.toml is kept for what came before 2030-01-01" in out.getvalue()
    change(folder / "eu_gdpr.toml", "value = 1\n", "value = 2\n")
    change(folder / "eu_gdpr.toml", "cap = 3", "cap = 4")
    assert "--record eu_gdpr" in editions.problems()[0]
    call_command(Command(stdout=out), record="eu_gdpr")
    assert editions.problems() == []
    received = datetime(2029, 12, 31, 12, tzinfo=UTC)
    assert (
        regimes.load("eu_gdpr", on=date(2029, 12, 31)).version == deadlines.law_for("DE", "", received).version == old
    )
    new = regimes.load("eu_gdpr", on=date(2030, 1, 1))
    # The law is as old as it was; what changed is what we know of it, for what is received from that day on.
    assert (new.version, new.effective_from) == ("2030-01-01", date(2018, 5, 25))
    case = Case(regime="eu_gdpr", regime_version=old)
    assert deadlines.dates(case.law, "access", received).due_on == date(2030, 1, 31)
    assert deadlines.dates("eu_gdpr", "access", received).due_on == date(2030, 2, 28)
    (folder / f"eu_gdpr@{old}.toml").unlink()
    assert "its file is gone" in editions.problems()[0]
    with pytest.raises(LawError):
        Case(regime="eu_gdpr", regime_version="1999").law  # noqa: B018


def test_a_letter_names_the_last_day_of_an_appeal_by_the_version_of_the_case(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day up to which the way back is named is that up to which it is open, whatever a newer version counts by."""
    shutil.copytree(regimes.FOLDER, tmp_path / "laws")
    monkeypatch.setattr(regimes, "FOLDER", tmp_path / "laws")
    regimes.load.cache_clear()
    try:
        request = drive.a_request(right=Right.ACCESS, country="US", region="CO")
        editions.new_version("us_co_cpa", "2099-01-01", date(2099, 1, 1))
        now = datetime.now(UTC)
        here, *others = (
            now.astimezone(ZoneInfo(zone)) for zone in ("America/Denver", "Pacific/Kiritimati", "Pacific/Niue")
        )
        other = next(one for one in others if one.date() != here.date())
        change(tmp_path / "laws" / "us_co_cpa.toml", 'zone = "America/Denver"', f'zone = "{other.tzinfo}"')
        request = drive.fresh(request.pk)
        request.outcome, request.ended_at = Outcome.DENIED, now
        open_until = deadlines.appeal_until(deadlines.received_on(request.case.law, now))
        assert deadlines.appeal_until(deadlines.received_on("us_co_cpa", now)) != open_until
        assert appeal_letter.way(request)["until"] == open_until
    finally:
        regimes.load.cache_clear()


def test_the_command_lists_what_is_open_and_names_versions_that_requests_miss(db: None) -> None:
    out = StringIO()
    call_command(Command(stdout=out))
    told = out.getvalue()
    assert "Not yet in force" in told and "to be confirmed: effective_from" in told and "changed 2026-07-01" in told
    call_command(Command(stdout=out), check=True)
    assert "33 laws, every version as it was recorded" in out.getvalue()
    Case.objects.create(channel="web", regime="eu_gdpr", regime_version="1999")
    errors = StringIO()
    with pytest.raises(CommandError, match="1 things"):
        call_command(Command(stdout=out, stderr=errors), check=True)
    assert "rest on version 1999" in errors.getvalue()
    with pytest.raises(CommandError, match="unknown_regime"):
        call_command(Command(stdout=out), record="nowhere")
