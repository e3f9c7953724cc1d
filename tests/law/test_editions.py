"""Versions of laws: what was recorded is never changed, and a request keeps the one that it came under."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from dsar import checks, deadlines
from dsar.enums import Outcome, Right
from dsar.law import editions, regimes
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


def test_a_file_changed_without_a_new_version_is_refused_and_the_message_says_what_to_do(folder: Path) -> None:
    change(folder / "eu_gdpr.toml", "# EU/EEA", "# Only a comment is other: EU/EEA")
    assert editions.problems() == []
    change(folder / "eu_gdpr.toml", "value = 2", "value = 1")
    (problem,) = editions.problems()
    assert "eu_gdpr.toml: what it says was changed" in problem and "--new-version eu_gdpr VERSION" in problem
    assert [error.id for error in checks.check_law()] == ["rightsdesk.E024"]
    with pytest.raises(RegimeFileError, match="never replaced"):
        editions.record("eu_gdpr")
    with pytest.raises(RegimeFileError, match="not recorded as it stands"):
        editions.new_version("eu_gdpr", "2030-01-01")


def test_a_new_version_keeps_the_old_one_for_what_came_before(folder: Path) -> None:
    old = regimes.load("eu_gdpr").version
    out = StringIO()
    call_command(Command(stdout=out), new_version=["eu_gdpr", "2030-01-01"])
    assert f"eu_gdpr@{old}.toml is kept" in out.getvalue()
    change(folder / "eu_gdpr.toml", "effective_from = 2018-05-25", "effective_from = 2030-01-01")
    change(folder / "eu_gdpr.toml", "value = 1\n", "value = 2\n")
    change(folder / "eu_gdpr.toml", "cap = 3", "cap = 4")
    assert "--record eu_gdpr" in editions.problems()[0]
    call_command(Command(stdout=out), record="eu_gdpr")
    assert editions.problems() == []
    received = datetime(2029, 12, 31, 12, tzinfo=UTC)
    assert (
        regimes.load("eu_gdpr", on=date(2029, 12, 31)).version == deadlines.law_for("DE", "", received).version == old
    )
    assert regimes.load("eu_gdpr", on=date(2030, 1, 1)).version == "2030-01-01"
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
        editions.new_version("us_co_cpa", "2099-01-01")
        change(tmp_path / "laws" / "us_co_cpa.toml", 'zone = "America/Denver"', 'zone = "Asia/Tokyo"')
        request = drive.fresh(request.pk)
        request.outcome, request.ended_at = Outcome.DENIED, datetime.now(UTC).replace(hour=20)
        open_until = deadlines.appeal_until(request.ended_at, request.case.law)
        assert deadlines.appeal_until(request.ended_at, "us_co_cpa") != open_until
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
