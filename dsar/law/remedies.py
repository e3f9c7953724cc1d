"""What a law lets a person do who does not accept an answer: an appeal to the company (most states of the US), a
complaint to it (the UK), a grievance (India), or none of these (then the authority and the courts alone)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dsar.enums import AppealKind, Outcome
from dsar.law.shapes import Regime

# The clock by which the receipt of each kind is acknowledged, where the law sets one (DPA 2018 s.164A: 30 days).
ACKNOWLEDGED_BY: Final[Mapping[AppealKind, str]] = {AppealKind.COMPLAINT: "complaint_ack"}
# Nobody took a decision here that another person could look at again.
UNDECIDED: Final = (Outcome.OPEN, Outcome.WITHDRAWN, Outcome.MERGED, Outcome.OVERTAKEN)
_TO_CONTROLLER: Final = (AppealKind.GRIEVANCE, AppealKind.COMPLAINT)


def kind_of(regime: Regime) -> AppealKind | None:
    """By which name this law knows it; None where it knows no way back to the company. Which clock the law has for a
    complaint to the company says by which name."""
    if regime.appeal == "internal":
        return AppealKind.APPEAL
    if regime.appeal != "controller_complaint":
        return None
    named = {clock.kind for clock in regime.clocks}
    return next(kind for kind in _TO_CONTROLLER if kind.value in named)


def is_open_to(kind: AppealKind, outcome: str) -> bool:
    """Whether a request with this outcome ("" while it is open) can be looked at again: an appeal is against a decision,
    a complaint or a grievance about anything that the company did or left undone (DPA 2018 s.164A; DPDP Act s.13)."""
    return kind != AppealKind.APPEAL or outcome not in UNDECIDED
