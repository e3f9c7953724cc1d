"""Dates that the law sets, each with its rule, its article and its arithmetic in words.

The receipt date is the date in the regime's zone of the instant of receipt; from there dates are counted,
never hours, and a date ends at 23:59:59 local time. The safe date is the earliest one that can be defended:
no rollover, and no pause that rests on guidance alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format

from dsar.law import words
from dsar.law.calendars import add_business_days, add_months, is_calendar, is_working_day, roll
from dsar.law.errors import LawError
from dsar.law.shapes import Clock, Regime

END_OF_DAY: Final = time(23, 59, 59)
MONTH_TARGET_DAYS: Final = 28
DEFAULT_MARGIN_DAYS: Final = 3

Day = date  # the dataclass below has a field of that name
Value = str | int | date


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a calculation: a key of `words.STEPS` and its values. `str()` says it in the active
    language.
    """

    code: str
    values: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, code: str, **values: Value) -> Step:
        """A step with these values."""
        return cls(code, tuple(values.items()))

    def __str__(self) -> str:
        shown = {key: date_format(value) if isinstance(value, date) else value for key, value in self.values}
        return str(words.STEPS[self.code] % shown) if shown else str(words.STEPS[self.code])

    def as_json(self) -> dict[str, Any]:
        """For a JSON column; dates become `{"date": "2026-11-22"}`."""
        values = {k: {"date": v.isoformat()} if isinstance(v, date) else v for k, v in self.values}
        return {"code": self.code, "values": values}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Step:
        """The step that `as_json` stored."""
        values = {k: date.fromisoformat(v["date"]) if isinstance(v, dict) else v for k, v in stored["values"].items()}
        return cls.of(stored["code"], **values)


@dataclass(frozen=True, slots=True)
class Pause:
    """Waiting for the person: `kind` identity, clarification or fee; asked and answered as local dates.

    `answered` is None while the answer is awaited.
    """

    kind: str
    asked: date
    answered: date | None = None


@dataclass(frozen=True, slots=True)
class DueDate:
    """A date the law sets, explained.

    `date` and `at` (23:59:59 local, aware) are None while a pause is open. `safe_date` is the earliest
    defensible date; for a record that must be kept (`end` "until") it is the latest. `unpaused_date` is the
    legal date had nothing stopped the clock, to be shown beside a pause that rests on guidance. `days_left`
    is what remains once an open pause ends.
    """

    regime: str
    version: str
    right: str
    kind: str
    received_on: Day
    zone: str
    calendar: str
    date: Day | None
    at: datetime | None
    safe_date: Day | None
    unpaused_date: Day
    rule: Step
    citation: str
    steps: tuple[Step, ...]
    end: str = "by"
    prompt: bool = False
    extended: bool = False
    paused: bool = False
    days_left: int | None = None

    def explain(self) -> tuple[str, ...]:
        """The arithmetic in words, in the active language, one sentence per step."""
        return tuple(str(step) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Status:
    """How a date stands on a day: open, paused, overdue, may_refuse_unproven (an answer is owed)."""

    code: str
    since: date | None = None
    days_left: int | None = None


def local_date(moment: datetime | date, zone: str) -> date:
    """The date of an aware instant in a zone; a plain date stays itself. Raises LawError `naive_time`."""
    if not isinstance(moment, datetime):
        return moment
    if moment.utcoffset() is None:
        raise LawError("naive_time")
    return moment.astimezone(_zone(zone)).date()


def due(
    regime: Regime,
    right: str,
    kind: str,
    received_at: datetime,
    *,
    pauses: Sequence[Pause] = (),
    extended: bool = False,
    calendar: str | None = None,
    zone: str | None = None,
) -> DueDate:
    """The date of a clock: acknowledgement, response, extension_notice, opt_out, reoffer, record_retention.

    `received_at` is aware (receipt by anyone in the company; for record_retention the instant the law counts
    from). `calendar` is a holiday calendar such as "DE-BE" and `zone` an IANA name; None takes the regime's
    own. `extended` counts the extended period from receipt, never from the first date; whether an extension
    is valid is for `extend` to say. An answer to an opt-out is due when the opt-out is.
    Raises LawError (no_clock, no_extension, unknown_right, naive_time, unknown_zone, unknown_calendar,
    pause_order).
    """
    zone = zone or regime.zone
    calendar = regime.calendar if calendar is None else calendar
    if not is_calendar(calendar):
        raise LawError("unknown_calendar", calendar=calendar)
    if not isinstance(received_at, datetime):
        raise LawError("naive_time")
    clock, citation = _clock(regime, right, kind)
    start = local_date(received_at, zone)
    steps = [Step.of("received", day=start, zone=zone)]
    if not regime.grants(right) and kind != "record_retention":
        steps.append(Step.of("by_policy"))
    value = clock.value
    if extended:
        extension = regime.extension(clock.kind)
        if extension is None or kind == "extension_notice":
            raise LawError("no_extension", right=right, kind=kind)
        value = min(clock.value + extension.value, extension.cap)
        citation = extension.citation
        steps.append(Step.of("extended"))
    plain, rule = _count(start, value, clock, calendar)
    steps.append(rule)
    if clock.unit == "months" and plain.day != start.day:
        steps.append(Step.of("clipped", day=plain))
    answer = DueDate(
        regime=regime.id,
        version=regime.version,
        right=right,
        kind=kind,
        received_on=start,
        zone=zone,
        calendar=calendar,
        date=plain,
        at=_end_of(plain, zone),
        safe_date=plain,
        unpaused_date=plain,
        rule=rule,
        citation=citation,
        steps=tuple(steps),
        end=clock.end,
        prompt=clock.prompt,
        extended=extended,
    )
    return _until(answer) if clock.end == "until" else _by(answer, regime, clock, pauses)


def extend(
    regime: Regime,
    right: str,
    received_at: datetime,
    notice_on: datetime | date,
    *,
    kind: str = "response",
    times: int = 0,
    pauses: Sequence[Pause] = (),
    calendar: str | None = None,
    zone: str | None = None,
) -> DueDate:
    """The extended date, given that the notice went out on `notice_on` and `times` extensions went before.

    A notice after the original date is void: the request stays due when it was. Raises LawError
    (no_extension, already_extended, notice_late with `limit`, notice_early).
    """
    clock = regime.clock(right, kind)
    extension = regime.extension(kind) if clock is not None else None
    if extension is None:
        raise LawError("no_extension", right=right, kind=kind)
    if times >= extension.times:
        raise LawError("already_extended", right=right)
    first = due(regime, right, kind, received_at, pauses=pauses, calendar=calendar, zone=zone)
    sent = local_date(notice_on, first.zone)
    if sent < first.received_on:
        raise LawError("notice_early", right=right)
    if first.date is not None and sent > first.date:
        raise LawError("notice_late", right=right, limit=first.date)
    return due(regime, right, kind, received_at, pauses=pauses, extended=True, calendar=calendar, zone=zone)


def target(due_date: DueDate, margin: int | None = None) -> date | None:
    """The internal date to be done by: `margin` days before the safe date, never after it nor before receipt.

    Without a margin: 28 days after receipt where the law says one month, else three days before.
    None only while a pause that the law itself grants is open.
    """
    if due_date.safe_date is None:
        return None
    if margin is not None:
        if margin < 0:
            raise ValueError("the margin is a number of days before the legal date")
        wanted = due_date.safe_date - timedelta(days=margin)
    elif due_date.rule.code == "months" and dict(due_date.rule.values)["count"] == 1:
        wanted = min(due_date.received_on + timedelta(days=MONTH_TARGET_DAYS), due_date.safe_date)
    else:
        wanted = due_date.safe_date - timedelta(days=DEFAULT_MARGIN_DAYS)
    return max(wanted, due_date.received_on)


def status(regime: Regime, due_date: DueDate, on: date, *, identity_open: bool = False) -> Status:
    """How the date stands on the local day `on`; `identity_open`: identity was asked for and is not proven.

    Where the law lets a request be refused because identity was not proven in time (11 CCR 7021(b)), that
    is said on the last day, and an answer is owed all the same.
    """
    if due_date.date is None:
        return Status("paused", days_left=due_date.days_left)
    left = (due_date.date - on).days
    if left < 0:
        return Status("overdue", since=due_date.date + timedelta(days=1), days_left=left)
    if left == 0 and identity_open and regime.unproven_refusal:
        return Status("may_refuse_unproven", days_left=0)
    return Status("open", days_left=left)


class _Waiting:
    """Adds up the days that do not count: each day once, and only if asked before the date had passed."""

    def __init__(self, regime: Regime, right: str, clock: Clock, start: date, plain: date, calendar: str) -> None:
        self.regime, self.right, self.clock = regime, right, clock
        self.start, self.plain, self.calendar = start, plain, calendar
        self.days = self.by_statute = 0
        self.covered = date.min
        self.asked: date | None = None
        self.open_basis = ""
        self.steps: list[Step] = []

    def add(self, pause: Pause) -> None:
        if pause.answered is not None and pause.answered < pause.asked:
            raise LawError("pause_order", asked=pause.asked, answered=pause.answered)
        if self.asked is not None:
            return
        rule = self.regime.pause(pause.kind, self.right)
        if rule is None or self.clock.kind != "response":
            self.steps.append(Step.of("pause_unknown", asked=pause.asked))
            return
        asked = max(pause.asked, self.start)
        reached = self.plain + timedelta(days=self.days)
        if asked > roll(reached, self.regime.rollover, self.calendar):
            self.steps.append(Step.of("pause_too_late", asked=pause.asked))
            return
        if pause.answered is None:
            self.asked, self.open_basis = asked, rule.basis
            self.steps.append(Step.of("pause_open", asked=pause.asked))
            return
        first = asked if rule.count == "inclusive" else asked + timedelta(days=1)
        first = max(first, self.covered + timedelta(days=1))
        count = max(0, (pause.answered - first).days + 1)
        self.covered = max(self.covered, pause.answered)
        self.days += count
        self.by_statute += count if rule.basis == "statute" else 0
        self.steps.append(
            Step.of(
                f"pause_{rule.basis}",
                count=count,
                asked=pause.asked,
                answered=pause.answered,
                day=self.plain + timedelta(days=self.days),
            )
        )


def _clock(regime: Regime, right: str, kind: str) -> tuple[Clock, str]:
    if kind == "extension_notice":
        clock, extension = regime.clock(right, "response"), regime.extension("response")
        if clock is None or extension is None:
            raise LawError("no_extension", right=right, kind=kind)
        return clock, extension.citation
    found = regime.clock(right, kind)
    if found is None and kind == "response":
        found = regime.governing(right)
    if found is None:
        raise LawError("no_clock", right=right, kind=kind)
    return found, found.citation


def _count(start: date, value: int, clock: Clock, calendar: str) -> tuple[date, Step]:
    if clock.unit == "months":
        day = add_months(start, value)
        return day, Step.of("months", count=value, day=day)
    if clock.days == "business":
        day = add_business_days(start, value, calendar)
        return day, Step.of("business_days", count=value, day=day)
    day = start + timedelta(days=value)
    return day, Step.of("days", count=value, day=day)


def _rolling(regime: Regime, moved: date, final: date, calendar: str) -> list[Step]:
    if final != moved:
        code = "rolled" if regime.rollover == "next_working_day" else "rolled_holiday"
        return [Step.of(code, from_day=moved, day=final), *([] if calendar else [Step.of("no_calendar")])]
    if regime.rollover == "none":
        return [] if is_working_day(moved, calendar) else [Step.of("not_rolled", day=moved)]
    return [] if calendar else [Step.of("no_calendar")]


def _until(answer: DueDate) -> DueDate:
    """A date up to which something is kept: where the month is too short, the safe reading is one day
    longer.
    """
    last = answer.unpaused_date
    clipped = answer.rule.code == "months" and last.day != answer.received_on.day
    step = Step.of("not_before" if answer.kind == "reoffer" else "until", day=last)
    safe = last + timedelta(days=1) if clipped else last
    return replace(answer, safe_date=safe, steps=(*answer.steps, step))


def _by(answer: DueDate, regime: Regime, clock: Clock, pauses: Sequence[Pause]) -> DueDate:
    """A date by which something is done: days that do not count are added, then the end is rolled."""
    plain, calendar = answer.unpaused_date, answer.calendar
    waited = _Waiting(regime, answer.right, clock, answer.received_on, plain, calendar)
    for pause in sorted(pauses, key=lambda p: (p.asked, p.answered or date.max, p.kind)):
        waited.add(pause)
    moved = plain + timedelta(days=waited.days)
    final = roll(moved, regime.rollover, calendar)
    steps = [*answer.steps, *waited.steps, *([Step.of("prompt")] if clock.prompt else [])]
    answer = replace(
        answer,
        safe_date=plain + timedelta(days=waited.by_statute),
        unpaused_date=roll(plain, regime.rollover, calendar),
        steps=tuple(steps),
    )
    if waited.asked is None:
        steps += _rolling(regime, moved, final, calendar)
        return replace(answer, date=final, at=_end_of(final, answer.zone), steps=tuple(steps))
    return replace(
        answer,
        date=None,
        at=None,
        safe_date=None if waited.open_basis == "statute" else answer.safe_date,
        paused=True,
        days_left=(moved - waited.asked).days,
    )


def _end_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, END_OF_DAY, tzinfo=_zone(zone))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise LawError("unknown_zone", zone=name) from error
