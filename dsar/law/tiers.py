"""How surely we must know who asks, by law and right, and which ways of proving it reach how far.

Tiers: 0 none; 1 signed in; 2 reasonable (two data points, or the mailbox on file); 3 reasonably high (three
data points and a signed declaration, or a fresh sign-in to the account itself). Opt-outs of every kind,
marketing objections and withdrawals of consent are always 0; a regime file that says otherwise does not
load.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from dsar.enums import Right
from dsar.law.errors import LawError
from dsar.law.shapes import NEVER_VERIFIED, Regime

NONE: Final = 0
SIGNED_IN: Final = 1
REASONABLE: Final = 2
REASONABLY_HIGH: Final = 3

# Where identity rests on these, a second person releases a copy.
SECOND_PERSON: Final = frozenset({"staff_judgement", "agent_authority", "quiz"})

# What a person of the desk can look at; the other methods are a machine's.
BY_HAND: Final = frozenset({"data_points_2", "data_points_3_declared", "agent_authority", "staff_judgement"})

# How many things a person states by each of the methods that compare them with our records (11 CCR 7062(b), (c)), and which
# of these needs a signed declaration.
POINTS: Final[Mapping[str, int]] = MappingProxyType({"data_points_2": 2, "data_points_3_declared": 3})
DECLARED: Final = frozenset({"data_points_3_declared"})

# Questions put from records help to nothing but the categories (11 CCR 7062(b)), and only beside a proven mailbox.
QUIZ_RIGHTS: Final = frozenset({Right.KNOW.value})


def needed(regime: Regime, right: str) -> int:
    """The tier a right needs under a law, 0 to 3 (GDPR Art 12(6), 11 CCR 7060-7062).

    Raises LawError `unknown_right`.
    """
    if right in NEVER_VERIFIED:
        return NONE
    try:
        return regime.tiers[right]
    except KeyError as error:
        raise LawError("unknown_right", right=right) from error


def reached(regime: Regime, method: str) -> int:
    """The tier a method reaches by itself. Raises LawError `unknown_method`."""
    try:
        return regime.methods[method]
    except KeyError as error:
        raise LawError("unknown_method", method=method) from error


def methods(regime: Regime, right: str) -> tuple[str, ...]:
    """The methods that reach what the right needs, the lowest first; empty where nothing is asked."""
    tier = needed(regime, right)
    if tier == NONE:
        return ()
    enough = [(level, place, name) for place, (name, level) in enumerate(regime.methods.items()) if level >= tier]
    return tuple(name for _level, _place, name in sorted(enough))


def by_hand(regime: Regime, right: str) -> tuple[str, ...]:
    """Those of the methods above that a person of the desk can look at."""
    return tuple(name for name in methods(regime, right) if name in BY_HAND)


def suffices(regime: Regime, right: str, tier: int) -> bool:
    """Whether a proven tier is enough for the right."""
    return tier >= needed(regime, right)


def falls_back(regime: Regime, right: str) -> str | None:
    """The lesser right to answer where this one could not be proven (11 CCR 7024(a): categories), or None."""
    return regime.falls_back.get(right)


def stated(regime: Regime, tier: int) -> str | None:
    """The method that reaches a tier by what the person states, the one that asks for the least; None where none does."""
    enough = (name for name in POINTS if regime.methods[name] >= tier > NONE)
    return min(enough, key=lambda name: POINTS[name], default=None)


def unreached(regime: Regime, offered: Collection[str]) -> list[str]:
    """The rights that the law grants and that none of these methods would ever prove surely enough."""
    best = max((regime.methods[name] for name in offered), default=NONE)
    return [right for right in regime.rights if needed(regime, right) > best]


def quiz_reaches(right: str, tier: int, mailbox: int) -> bool:
    """Whether right answers to questions from records, beside a mailbox proven up to `mailbox`, are enough for a right that
    needs this tier. Alone they are nothing."""
    return right in QUIZ_RIGHTS and mailbox >= SIGNED_IN and tier <= REASONABLE


def needs_second_person(method: str) -> bool:
    """Whether a copy released on this proof needs a second person."""
    return method in SECOND_PERSON
