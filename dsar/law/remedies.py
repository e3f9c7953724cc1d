"""What a law lets a person do who does not accept an answer: an appeal to the company (most states of the US), a
complaint to it (the UK), a grievance (India), or none of these (then the authority and the courts alone)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dsar.enums import AppealKind, Outcome
from dsar.law.shapes import Clock, Regime

# Where the law says "within a reasonable period" or "without undue delay" and no number, this is the outer limit.
DEFAULT_DAYS: Final = 30
# The names by which a regime file may call it, `appeal` in its table of remedies. A flag is an older file's.
_INTERNAL: Final = ("internal", "True")
_TO_CONTROLLER: Final = "controller_complaint"
# Nobody took a decision here that another person could look at again.
UNDECIDED: Final = (Outcome.OPEN, Outcome.WITHDRAWN, Outcome.MERGED, Outcome.OVERTAKEN)


def kind_of(regime: Regime) -> AppealKind | None:
    """By which name this law knows it; None where it knows no way back to the company."""
    named = str(regime.appeal)
    if named in _INTERNAL:
        return AppealKind.APPEAL
    if named != _TO_CONTROLLER:
        return None
    return AppealKind.GRIEVANCE if _names(regime, AppealKind.GRIEVANCE) else AppealKind.COMPLAINT


def is_open_to(kind: AppealKind, outcome: str) -> bool:
    """Whether a request with this outcome ("" while it is open) can be looked at again: an appeal is against a decision,
    a complaint or a grievance about anything that the company did or left undone (DPA 2018 s.164A; DPDP Act s.13)."""
    return kind != AppealKind.APPEAL or outcome not in UNDECIDED


def with_clock(regime: Regime, kind: AppealKind) -> Regime:
    """The same law with a clock of this kind: its own, or the default as an outer limit."""
    if _names(regime, kind):
        return regime
    clock = Clock(
        kind.value, ("*",), DEFAULT_DAYS, "days", "calendar", "by", prompt=True, citation=regime.remedy_citation
    )
    return replace(regime, clocks=(*regime.clocks, clock))


def _names(regime: Regime, kind: AppealKind) -> bool:
    return any(clock.kind == kind.value for clock in regime.clocks)


# The clock by which the receipt of each kind is acknowledged, where the law sets one (DPA 2018 s.164A: 30 days).
ACKNOWLEDGED_BY: Final[Mapping[AppealKind, str]] = {AppealKind.COMPLAINT: "complaint_ack"}
