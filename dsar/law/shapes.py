"""The shape of a law: rights, clocks, extensions, pauses, tiers, remedies, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from dsar.enums import UNVERIFIED_RIGHTS, Right
from dsar.law import words
from dsar.law.errors import LawError

RIGHTS: Final = tuple(right.value for right in Right if right.value)
NEVER_VERIFIED: Final = frozenset(right.value for right in UNVERIFIED_RIGHTS)
UNSORTED: Final = Right.UNCLEAR.value  # a request nobody has understood yet: its clock runs as for `know`


@dataclass(frozen=True, slots=True)
class Clock:
    """A period that runs from receipt: `value` in `unit` (months, days), `days` calendar or business.

    `end` is "by" (to be done by then) or "until" (to be kept, or left alone, at least until then).
    `prompt` marks what is owed without undue delay, the period being only the outer limit.
    """

    kind: str
    rights: tuple[str, ...]
    value: int
    unit: str
    days: str
    end: str
    prompt: bool
    citation: str


@dataclass(frozen=True, slots=True)
class Extension:
    """How far the clock `of` may be extended: `value` more, at most `cap` in all, `times` times."""

    of: str
    value: int
    unit: str
    times: int
    cap: int
    citation: str


@dataclass(frozen=True, slots=True)
class PauseRule:
    """When waiting for the person does not count; `basis` is "statute" or "guidance", shown apart.

    `count`: "exclusive" counts answer minus question, "inclusive" counts both days too.
    """

    kind: str
    basis: str
    count: str
    rights: tuple[str, ...]
    citation: str


@dataclass(frozen=True, slots=True)
class Regime:
    """One law in one version, as the file has it; ids and codes are plain strings, texts lazy."""

    id: str
    version: str
    status: str
    checked: str
    effective_from: date
    effective_to: date | None
    regions: tuple[str, ...]
    zone: str
    calendar: str
    clock_start: str
    rights: tuple[str, ...]
    citations: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    acknowledgement: str
    clocks: tuple[Clock, ...]
    extensions: tuple[Extension, ...]
    pauses: tuple[PauseRule, ...]
    rollover: str
    rollover_citation: str
    tiers: Mapping[str, int]
    methods: Mapping[str, int]
    falls_back: Mapping[str, str]
    verification_citation: str
    unproven_refusal: str
    appeal: bool
    court: bool
    remedy_citation: str
    free_per_12_months: int
    free_rights: tuple[str, ...]
    fee_citation: str
    record_months: int
    record_duty: bool
    record_citation: str
    child_age: int
    child_citation: str

    def __hash__(self) -> int:
        return hash((self.id, self.version))

    def text(self, key: str) -> Any:
        """A lazily translated text: name, short, authority, remedy, extension, identity, records."""
        return words.REGIMES[self.id][key]

    @property
    def name(self) -> Any:
        """What the law is called, for people."""
        return self.text("name")

    @property
    def authority(self) -> Any:
        """To whom a person may complain."""
        return self.text("authority")

    @property
    def remedy(self) -> Any:
        """The sentence on complaint and court that a refusal must carry (e.g. GDPR Art 12(4))."""
        return self.text("remedy")

    def grants(self, right: str) -> bool:
        """Whether the law itself names this right (others are kept as the company's own promise)."""
        return right in self.rights or right == UNSORTED

    def clock(self, right: str, kind: str) -> Clock | None:
        """The clock of this kind for this right, or None; one for all rights yields to a particular one."""
        right = Right.KNOW.value if right == UNSORTED else right
        if right not in RIGHTS:
            raise LawError("unknown_right", right=right)
        found = [clock for clock in self.clocks if clock.kind == kind and covers(clock.rights, right)]
        return min(found, key=lambda clock: clock.rights == ("*",), default=None)

    def governing(self, right: str) -> Clock:
        """The clock by which a request about this right must be answered: `response`, else `opt_out`."""
        clock = self.clock(right, "response") or self.clock(right, "opt_out")
        if clock is None:
            raise LawError("no_clock", right=right, kind="response")
        return clock

    def extension(self, kind: str) -> Extension | None:
        """The extension of the clock of this kind, or None."""
        return next((extension for extension in self.extensions if extension.of == kind), None)

    def pause(self, kind: str, right: str) -> PauseRule | None:
        """The rule under which waiting of this kind stops the clock of this right, or None."""
        right = Right.KNOW.value if right == UNSORTED else right
        return next((p for p in self.pauses if p.kind == kind and covers(p.rights, right)), None)


def covers(rights: tuple[str, ...], right: str) -> bool:
    """Whether a list of rights, in which "*" stands for all, holds this one."""
    return right in rights or "*" in rights
