"""Laws with a way back to the company."""

from dataclasses import replace

import pytest

from dsar.enums import AppealKind
from dsar.law import regimes
from dsar.law.regimes import Clock, Extension


def knows(monkeypatch: pytest.MonkeyPatch, kind: AppealKind, days: int = 45, more: int = 60) -> None:
    """Let the law of the EU know an appeal (with an extension), a complaint or a grievance."""
    load = regimes.load
    clocks = [Clock(kind.value, ("*",), days, "days", "calendar", "by", False, "Article of the appeal")]
    if kind == AppealKind.COMPLAINT:
        clocks = [Clock("complaint_ack", ("*",), 30, "days", "calendar", "by", False, "Article of the complaint")]
    named = "internal" if kind == AppealKind.APPEAL else "controller_complaint"
    longer = (Extension("appeal", more, "days", 1, days + more, "Article of more time"),)

    def loaded(regime_id: str, version: str | None = None):
        found = load(regime_id, version)
        if found.id != "eu_gdpr":
            return found
        extensions = (*found.extensions, *(longer if kind == AppealKind.APPEAL else ()))
        return replace(found, rollover="none", appeal=named, clocks=(*found.clocks, *clocks), extensions=extensions)

    monkeypatch.setattr(regimes, "load", loaded)
