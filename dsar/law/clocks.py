"""Dates that the law sets, each with its rule, its article and its arithmetic in words.

The receipt date is the date in the regime's zone of the instant of receipt; from there dates are counted,
never hours, and a date ends at 23:59:59 local time. The safe date is the earliest one that can be defended:
no rollover, no waiting that the law does not clearly grant, and the stricter of two readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from dsar.law.calendars import add_business_days, add_months, is_calendar, is_working_day, roll
from dsar.law.errors import LawError
from dsar.law.shapes import NEVER_VERIFIED, PROCEDURES, Clock, Extension, Regime
from dsar.law.steps import Step
from dsar.law.waiting import Beginning, NotBegun, Pause, Waiting, beginnings, ordered, rule_for

__all__ = ["DueDate", "Pause", "Status", "Step", "due", "extend", "local_date", "promise", "status", "target"]

END_OF_DAY: Final = time(23, 59, 59)
MONTH_TARGET_DAYS: Final = 28
DEFAULT_MARGIN_DAYS: Final = 3

Day = date  # the dataclass below has a field of that name


@dataclass(frozen=True, slots=True)
class DueDate:
    """A date the law sets, explained.

    `date` and `at` (23:59:59 local, aware) are None while a pause is open. `safe_date` is the earliest
    defensible date; for what must be kept (`end` "until") it is the first day on which it may safely go.
    `unpaused_date` is the legal date had nothing stopped the clock, to be shown beside a pause that rests on
    guidance. `days_left` is what remains once an open pause ends, `waited` the days that did not count.
    `lapses_on`: the last day on which what was asked may be answered, after which the law takes the request as
    withdrawn. `begins_on`: the day from which the time runs, where that is not the day of receipt. `promised_on`: the
    earlier day that the company promises, which the law's own date stays beside.
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
    waited: int = 0
    lapses_on: Day | None = None
    begins_on: Day | None = None
    promised_on: Day | None = None

    def explain(self) -> tuple[str, ...]:
        """The arithmetic in words, in the active language, one sentence per step."""
        return tuple(str(step) for step in self.steps)

    @property
    def working_on(self) -> Day:
        """The day to work to: what the company promises, else the law's date (while paused: had nothing stopped it)."""
        return self.promised_on or self.date or self.unpaused_date

    def told_on(self, today: Day) -> Day:
        """The day to name on a day: what the company promises while that is ahead, afterwards the law's own."""
        return self.working_on if today <= self.working_on else self.date or self.unpaused_date


@dataclass(frozen=True, slots=True)
class Status:
    """How a date stands on a day: open, paused, overdue, may_refuse_unproven (an answer is owed), withdrawn."""

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
    until: date | None = None,
    calendar: str | None = None,
    zone: str | None = None,
) -> DueDate:
    """The date of a clock (a key of `words.CLOCKS`) for a right; an appeal, complaint or grievance may stand for it.

    `received_at` is aware (receipt by anyone in the company, of whatever starts the clock; for record_retention
    the instant the law counts from). `calendar` is a holiday calendar such as "DE-BE" and `zone` an IANA name;
    None takes the regime's own. `extended` counts the extended period from the original start, never from the
    first date, or, where the law leaves the length to the notice, takes `until`, the day that it named; whether
    an extension is valid is for `extend` to say. An answer to an opt-out is due when the opt-out is.
    Raises LawError (no_clock, no_extension, until_missing, unknown_right, naive_time, unknown_zone,
    unknown_calendar, pause_order).
    """
    zone = zone or regime.zone
    calendar = regime.calendar if calendar is None else calendar
    if not is_calendar(calendar):
        raise LawError("unknown_calendar", calendar=calendar)
    if not isinstance(received_at, datetime):
        raise LawError("naive_time")
    clock, citation = _clock(regime, right, kind)
    start = local_date(received_at, zone)
    steps = [Step.of("received_again" if {right, kind} & set(PROCEDURES) else "received", day=start, zone=zone)]
    if not regime.grants(right) and kind != "record_retention":
        steps.append(Step.of("by_policy"))
    value, extension = clock.value, _extension(regime, clock, right, kind) if extended else None
    if extension is not None and extension.kind == "fixed":
        value = min(clock.value + extension.value, extension.cap)
        steps.append(Step.of("extended"))
    plain, rule = _count(start, value, clock, calendar)
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
        citation=citation if extension is None else extension.citation,
        steps=tuple(steps),
        end=clock.end,
        prompt=clock.prompt,
        extended=extended,
    )
    if extension is not None and extension.kind == "open":
        return _as_notified(answer, regime, until)
    return _until(answer) if clock.end == "until" else _by(answer, regime, clock, value, ordered(pauses))


def extend(
    regime: Regime,
    right: str,
    received_at: datetime,
    notice_on: datetime | date,
    *,
    kind: str = "response",
    times: int = 0,
    until: date | None = None,
    pauses: Sequence[Pause] = (),
    calendar: str | None = None,
    zone: str | None = None,
) -> DueDate:
    """The extended date, given that the notice went out on `notice_on` and `times` extensions went before.

    `until`: the day that the notice names, where the law leaves the length open. A notice after the original
    date is void: the request stays due when it was; and where it was in time only by waiting that the law does not
    clearly grant, the safe date stays where it was. Raises LawError (no_extension, already_extended,
    notice_late with `limit`, notice_early, until_missing, until_early with `limit`).
    """
    clock = regime.clock(right, kind)
    extension = regime.extension(kind, right) if clock is not None else None
    if clock is None or extension is None:
        raise LawError("no_extension", right=right, kind=kind)
    if times >= extension.times:
        raise LawError("already_extended", right=right)
    first = due(regime, right, kind, received_at, pauses=pauses, calendar=calendar, zone=zone)
    sent = local_date(notice_on, first.zone)
    if sent < first.received_on:
        raise LawError("notice_early", right=right)
    if first.date is not None and sent > first.date:
        raise LawError("notice_late", right=right, limit=first.date)
    if until is not None and extension.kind == "open" and until < (first.date or first.unpaused_date):
        raise LawError("until_early", right=right, limit=first.date or first.unpaused_date)
    longer = due(
        regime, right, kind, received_at, pauses=pauses, extended=True, until=until, calendar=calendar, zone=zone
    )
    sure = [pause for pause in pauses if (rule := rule_for(regime, right, clock, pause)) and rule.relied_on]
    surely = due(regime, right, kind, received_at, pauses=sure, calendar=calendar, zone=zone)
    late = surely.date is not None and sent > surely.date
    return replace(longer, safe_date=first.safe_date) if late else longer


def promise(due_date: DueDate, days: int) -> DueDate:
    """The same date with the earlier one that the company promises beside it: so many calendar days from where the law's
    time begins, days that do not count added (0: no promise). An extension that the law allows lifts the promise."""
    if not days or due_date.date is None or due_date.extended:
        return due_date
    promised = (due_date.begins_on or due_date.received_on) + timedelta(days=days + due_date.waited)
    if promised >= due_date.date:
        return due_date
    return replace(
        due_date, promised_on=promised, steps=(*due_date.steps, Step.of("promised", count=days, day=promised))
    )


def target(due_date: DueDate, margin: int | None = None) -> date | None:
    """The internal date to be done by: `margin` days before the safe date or, where it comes first, the day that the
    company promises; never after it nor before receipt.

    Without a margin: 28 days after receipt where the law says one month, else three days before.
    """
    if due_date.safe_date is None:
        return None
    last = min(due_date.safe_date, due_date.promised_on or due_date.safe_date)
    if margin is not None:
        if margin < 0:
            raise ValueError("the margin is a number of days before the legal date")
        wanted = last - timedelta(days=margin)
    elif due_date.rule.code == "months" and dict(due_date.rule.values)["count"] == 1:
        wanted = min(due_date.received_on + timedelta(days=MONTH_TARGET_DAYS), last)
    else:
        wanted = last - timedelta(days=DEFAULT_MARGIN_DAYS)
    return max(wanted, due_date.received_on)


def status(regime: Regime, due_date: DueDate, on: date, *, identity_open: bool = False) -> Status:
    """How the date stands on the local day `on`; `identity_open`: identity was asked for and is not proven.

    Where the law lets a request be refused because identity was not proven in time (11 CCR 7021(b)), that
    is said on the last day, and an answer is owed all the same: the answer alone, to a right that may be verified. The
    end of a keeping is never overdue.
    """
    if due_date.lapses_on is not None and on > due_date.lapses_on:
        return Status("withdrawn", since=due_date.lapses_on + timedelta(days=1))
    if due_date.date is None:
        return Status("paused", days_left=due_date.days_left)
    left = (due_date.date - on).days
    if due_date.end == "until":
        return Status("open", days_left=left)
    if left < 0:
        return Status("overdue", since=due_date.date + timedelta(days=1), days_left=left)
    may_be_verified = due_date.kind == "response" and due_date.right not in NEVER_VERIFIED
    if left == 0 and identity_open and regime.unproven_refusal and may_be_verified:
        return Status("may_refuse_unproven", days_left=0)
    return Status("open", days_left=left)


def _clock(regime: Regime, right: str, kind: str) -> tuple[Clock, str]:
    if kind == "extension_notice":
        of = right if right in PROCEDURES else "response"
        clock, extension = regime.clock(right, of), regime.extension(of, right)
        if clock is None or extension is None:
            raise LawError("no_extension", right=right, kind=kind)
        return clock, extension.citation
    found = regime.clock(right, kind)
    if found is None and kind == "response":
        found = regime.governing(right)
    if found is None:
        raise LawError("no_clock", right=right, kind=kind)
    return found, found.citation


def _extension(regime: Regime, clock: Clock, right: str, kind: str) -> Extension:
    extension = regime.extension(clock.kind, right)
    if extension is None or kind == "extension_notice":
        raise LawError("no_extension", right=right, kind=kind)
    return extension


def _as_notified(answer: DueDate, regime: Regime, until: date | None) -> DueDate:
    """The day that the notice named: ours to keep, so nothing moves it."""
    if until is None:
        raise LawError("until_missing", right=answer.right)
    step = Step.of("as_notified", day=until)
    return replace(
        answer,
        date=until,
        at=_end_of(until, answer.zone),
        safe_date=until,
        unpaused_date=roll(answer.unpaused_date, regime.rollover, answer.calendar),
        rule=step,
        steps=(*answer.steps, step),
        prompt=False,
    )


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
    """A date up to which something is kept, or left alone. What is kept may safely go from the day after; a question
    may safely be asked again on the day itself, or a day later where the month was too short.
    """
    last = answer.unpaused_date
    clipped = _clipped(answer.rule, answer.received_on, last)
    asks = answer.kind == "reoffer"
    step = Step.of("not_before" if asks else "until", day=last)
    safe = last if asks and not clipped else last + timedelta(days=1)
    return replace(answer, safe_date=safe, steps=(*answer.steps, answer.rule, *clipped, step))


@dataclass(frozen=True, slots=True)
class _End:
    """The end of the period counted from one of its possible beginnings."""

    begins: Beginning
    rule: Step
    plain: date
    waiting: Waiting

    @property
    def moved(self) -> date:
        return self.plain + timedelta(days=self.waiting.days)

    @property
    def safe(self) -> date:
        return self.plain + timedelta(days=self.waiting.relied_on)


def _by(answer: DueDate, regime: Regime, clock: Clock, value: int, pauses: Sequence[Pause]) -> DueDate:
    """A date by which something is done: days that do not count are added, then the end is rolled.

    Of the days on which the period may begin the one counts that ends it last, so that waiting never makes a
    date come earlier (a later start may meet a shorter month).
    """
    received, calendar = answer.received_on, answer.calendar
    first_end = roll(answer.unpaused_date, regime.rollover, calendar)
    starts, not_begun = beginnings(regime, answer.right, clock, received, first_end, pauses)
    ends = [_end(regime, answer.right, clock, value, calendar, start, pauses) for start in starts]
    last = max(ends, key=lambda end: (end.moved, end.begins.day))
    safe = max(end.safe for end in ends if end.begins.relied_on)
    final = roll(last.moved, regime.rollover, calendar)
    begun = [last.begins.step] if last.begins.step else []
    steps = [*answer.steps, *begun, last.rule, *_clipped(last.rule, last.begins.day, last.plain), *last.waiting.steps]
    if clock.prompt:
        steps.append(Step.of("prompt"))
    if clock.day_before or last.waiting.day_before:
        # Two readings of the same words lie a day apart; the stricter one is safe.
        safe = min(safe, (final if last.waiting.day_before else last.moved) - timedelta(days=1))
    known: dict[str, Any] = {
        "safe_date": safe, "unpaused_date": first_end, "rule": last.rule, "waited": last.waiting.days,
        "begins_on": last.begins.day,
    }  # fmt: skip
    if not_begun is not None or last.waiting.asked is not None:
        return replace(answer, **known | _paused(safe, last, not_begun, steps))
    steps += _rolling(regime, last.moved, final, calendar)
    if safe < last.moved and (clock.day_before or last.waiting.day_before):
        steps.append(Step.of("day_before", day=safe))
    return replace(answer, **known, date=final, at=_end_of(final, answer.zone), steps=tuple(steps))


def _end(
    regime: Regime, right: str, clock: Clock, value: int, calendar: str, begins: Beginning, pauses: Sequence[Pause]
) -> _End:
    plain, rule = _count(begins.day, value, clock, calendar)
    waiting = Waiting(regime, right, clock, begins.day, plain, calendar)
    for pause in pauses:
        waiting.add(pause)
    return _End(begins, rule, plain, waiting)


def _paused(safe: date, last: _End, not_begun: NotBegun | None, steps: list[Step]) -> dict[str, Any]:
    """No date while the answer to what was asked is awaited; a safe one only where the law does not clearly wait."""
    rule = last.waiting.open_rule
    relied_on = not_begun.relied_on if not_begun is not None else rule is not None and rule.relied_on
    asked = not_begun.asked if not_begun is not None else last.waiting.asked
    left = (last.plain - last.begins.day) if not_begun is not None or asked is None else last.moved - asked
    return {
        "date": None,
        "at": None,
        "safe_date": None if relied_on else safe,
        "paused": True,
        "days_left": left.days,
        "lapses_on": not_begun.lapses_on if not_begun is not None else None,
        "steps": (*steps, *([not_begun.step] if not_begun is not None else [])),
    }


def _clipped(rule: Step, start: date, plain: date) -> list[Step]:
    return [Step.of("clipped", day=plain)] if rule.code == "months" and plain.day != start.day else []


def _end_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, END_OF_DAY, tzinfo=_zone(zone))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise LawError("unknown_zone", zone=name) from error
