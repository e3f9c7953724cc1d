"""Waiting for the person: when a clock begins, and which days do not count.

Only the answer to a request waits (and the notice that extends it): opt-outs, appeals and records never do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from dsar.law.calendars import roll
from dsar.law.errors import LawError
from dsar.law.shapes import Clock, PauseRule, Regime
from dsar.law.steps import Step

STARTING = ("starts", "starts_after_days")
End = Literal["came", "lapsed", "waived"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Waiting for the person: `kind` identity, clarification or fee; asked and answered as local dates.

    `answered` is None while the answer is awaited. `end` says how the waiting ended on that day: it came, or it lapsed
    (nothing came, and we go on without it), or it was waived (we do not want it any more).
    """

    kind: str
    asked: date
    answered: date | None = None
    end: End = "came"

    @property
    def gives_time(self) -> bool:
        """Whether days of waiting may count for nothing: not for a fee that nobody has to pay, nor for a proof that we
        went on without, which would be a fresh period for asking in vain."""
        return self.end == "came" or (self.end == "lapsed" and self.kind != "identity")


@dataclass(frozen=True, slots=True)
class Beginning:
    """A day on which a clock may begin: receipt (no `step`), or later, where the law waits for identity or a fee.

    `relied_on`: the safe date counts from it too.
    """

    day: date
    step: Step | None = None
    relied_on: bool = True


@dataclass(frozen=True, slots=True)
class NotBegun:
    """The clock waits to begin since `asked`; `lapses_on` is the last day to answer, after which the law takes the
    request as withdrawn (or None).
    """

    asked: date
    step: Step
    relied_on: bool
    lapses_on: date | None


def ordered(pauses: Sequence[Pause]) -> list[Pause]:
    """The pauses in the order in which they were asked for. Raises LawError `pause_order`."""
    for pause in pauses:
        if pause.answered is not None and pause.answered < pause.asked:
            raise LawError("pause_order", asked=pause.asked, answered=pause.answered)
    return sorted(pauses, key=lambda p: (p.asked, p.answered or date.max, p.kind))


def beginnings(
    regime: Regime, right: str, clock: Clock, received: date, first_end: date, pauses: Sequence[Pause]
) -> tuple[list[Beginning], NotBegun | None]:
    """The days on which the clock may begin, receipt first, and what it still waits for (UK GDPR Art 12A; CH).

    `first_end`: when it would end had it begun at receipt; what is asked after that changes nothing.
    """
    found, waits = [Beginning(received)], None
    for pause in pauses:
        rule = rule_for(regime, right, clock, pause)
        if rule is None or rule.effect not in STARTING or pause.asked > first_end or not pause.gives_time:
            continue
        asked = max(pause.asked, received)
        ends = asked + timedelta(days=rule.days)
        if pause.answered is None:
            step = Step.of("pause_begin_open", asked=pause.asked)
            waits = waits or NotBegun(asked, step, rule.relied_on, ends if rule.lapses else None)
        elif rule.effect == "starts_after_days":
            step = Step.of("begins_after_days", asked=pause.asked, count=rule.days, day=ends)
            found.append(Beginning(ends, step, rule.relied_on))
        elif pause.answered > received:
            code = f"begins_{rule.kind}" if pause.end == "came" else "begins_without"
            step = Step.of(code, asked=pause.asked, day=pause.answered)
            found.append(Beginning(pause.answered, step, rule.relied_on))
    return found, waits


class Waiting:
    """Adds up the days that do not count: each day once, and only if asked before the date had passed.

    What was asked for in vain adds none; but a date cannot have passed while the law had none, so the end comes no earlier
    than the day on which the waiting ended (`days` and `relied_on` hold those days too).
    """

    def __init__(self, regime: Regime, right: str, clock: Clock, start: date, plain: date, calendar: str) -> None:
        self.regime, self.right, self.clock = regime, right, clock
        self.start, self.plain, self.calendar = start, plain, calendar
        self.counted = self.counted_safely = 0
        self.not_before = self.safely_not_before = plain
        self.day_before = False
        self.covered = date.min
        self.asked: date | None = None
        self.open_rule: PauseRule | None = None
        self.steps: list[Step] = []

    @property
    def days(self) -> int:
        """The days by which the end moves."""
        return max(self.counted, (self.not_before - self.plain).days)

    @property
    def relied_on(self) -> int:
        """Those of them that the safe date may rely on."""
        return max(self.counted_safely, (self.safely_not_before - self.plain).days)

    def add(self, pause: Pause) -> None:
        """Take a pause into account (those must come in order)."""
        if self.asked is not None:
            return
        rule = rule_for(self.regime, self.right, self.clock, pause)
        if rule is None:
            self.steps.append(Step.of("pause_unknown", asked=pause.asked))
            return
        asked = max(pause.asked, self.start)
        if asked > roll(self.plain + timedelta(days=self.days), self.regime.rollover, self.calendar):
            self.steps.append(Step.of("pause_too_late", asked=pause.asked))
            return
        if not pause.gives_time and pause.answered is not None:
            self._in_vain(pause, pause.answered, rule)
            return
        if rule.effect in STARTING or (pause.answered is not None and pause.answered < self.start):
            return
        if pause.answered is None:
            self.asked, self.open_rule = asked, rule
            self.steps.append(Step.of("pause_open", asked=pause.asked))
            return
        first = asked if rule.count == "inclusive" else asked + timedelta(days=1)
        first = max(first, self.covered + timedelta(days=1))
        count = max(0, (pause.answered - first).days + 1)
        self.covered = max(self.covered, pause.answered)
        self.counted += count
        self.counted_safely += count if rule.relied_on else 0
        self.day_before = self.day_before or bool(count and rule.day_before)
        self.steps.append(
            Step.of(
                f"pause_{rule.basis}",
                count=count,
                asked=pause.asked,
                answered=pause.answered,
                day=self.plain + timedelta(days=self.days),
            )
        )

    def _in_vain(self, pause: Pause, ended: date, rule: PauseRule) -> None:
        self.steps.append(Step.of("waived" if pause.end == "waived" else "in_vain", asked=pause.asked, day=ended))
        end = roll(self.plain + timedelta(days=self.days), self.regime.rollover, self.calendar)
        if pause.end == "lapsed" and ended > end:
            self.not_before = ended
            self.safely_not_before = ended if rule.relied_on else self.safely_not_before
            self.steps.append(Step.of("passed_meanwhile", day=ended))


def rule_for(regime: Regime, right: str, clock: Clock, pause: Pause) -> PauseRule | None:
    """The rule under which this waiting stops this clock, or None."""
    return regime.pause(pause.kind, right) if clock.kind == "response" else None
