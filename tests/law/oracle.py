"""The law's arithmetic once more, slowly and by itself: it walks day by day, and shares no line with dsar.law.

What it takes from the product is data alone: the numbers and modes of a regime's clocks and pauses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import holidays

FIRST, LAST = date(2024, 1, 1), date(2046, 12, 31)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
MONTH = [day.month for day in DAYS]
OF_MONTH = [day.day for day in DAYS]
WEEKDAY = [day.isoweekday() for day in DAYS]


def number(day: date) -> int:
    return (day - FIRST).days


@cache
def free_days(calendar: str) -> frozenset[int]:
    """Public holidays as day numbers. Of the calendars that laws define for themselves only New Zealand's is here."""
    if not calendar:
        return frozenset()
    country, _, part = {"US-FED": "US", "NZ-PA": "NZ"}.get(calendar, calendar).partition("-")
    years = range(FIRST.year, LAST.year + 1)
    found = holidays.country_holidays(country, subdiv=part or None, years=years)
    days = {number(day) for day in found if FIRST <= day <= LAST}
    if calendar == "NZ-PA":
        days |= {n for n, day in enumerate(DAYS) if (day.month, day.day) >= (12, 25) or (day.month, day.day) <= (1, 15)}
    return frozenset(days)


@dataclass
class Wait:
    """A question, its answer, and how the law treats the waiting (effect, count, days as in a regime file)."""

    asked: int
    answered: int
    effect: str
    count: str
    days: int
    relied_on: bool
    day_before: bool


def works(day: int, calendar: str) -> bool:
    return WEEKDAY[day] <= 5 and day not in free_days(calendar)


def walk(start: int, value: int, unit: str, days: str, calendar: str) -> int:
    """The last day of a period, not counting its first."""
    day = start
    if unit == "months":
        while value:
            day += 1
            if MONTH[day] != MONTH[day - 1]:
                value -= 1
        while OF_MONTH[day] < OF_MONTH[start] and MONTH[day + 1] == MONTH[day]:
            day += 1
        return day
    while value:
        day += 1
        if days == "calendar" or works(day, calendar):
            value -= 1
    return day


def move_on(day: int, mode: str, calendar: str) -> int:
    """The day on which a period ends that would end on this one."""
    while (mode == "next_working_day" and not works(day, calendar)) or (
        mode == "next_day_not_sunday_or_holiday" and (WEEKDAY[day] == 7 or day in free_days(calendar))
    ):
        day += 1
    return day


def kept(start: int, value: int, unit: str) -> tuple[int, int]:
    """The last day of a keeping, and the first on which it is over."""
    last = walk(start, value, unit, "calendar", "")
    return last, last + 1


def end(
    received: int, value: int, unit: str, days: str, mode: str, calendar: str, waits: list[Wait]
) -> tuple[int, int]:
    """Due date and safe date of an answer, all waiting over."""
    waits = sorted(waits, key=lambda wait: (wait.asked, wait.answered))
    unmoved = move_on(walk(received, value, unit, days, calendar), mode, calendar)
    starts = [(received, True)]
    for wait in waits:
        if wait.asked > unmoved:
            continue
        if wait.effect == "starts" and wait.answered > received:
            starts.append((wait.answered, wait.relied_on))
        if wait.effect == "starts_after_days":
            day = max(wait.asked, received)
            for _ in range(wait.days):
                day += 1
            starts.append((day, wait.relied_on))
    ends = [(*_one(start, value, unit, days, mode, calendar, waits), relied) for start, relied in starts]
    moved, _safe, strict, _relied = max(ends, key=lambda one: one[0])
    due = move_on(moved, mode, calendar)
    safe = max(safe for _moved, safe, _strict, relied in ends if relied)
    return due, min(safe, due - 1) if strict else safe


def _one(
    start: int, value: int, unit: str, days: str, mode: str, calendar: str, waits: list[Wait]
) -> tuple[int, int, bool]:
    """From one start: the last day with every day of waiting added that does not count; the same with those only that
    are beyond doubt; whether two readings of the law lie a day apart."""
    last = walk(start, value, unit, days, calendar)
    gone: set[int] = set()
    sure: set[int] = set()
    strict = False
    for wait in waits:
        asked = max(wait.asked, start)
        if wait.effect != "suspends" or asked > move_on(last + len(gone), mode, calendar):
            continue
        new = set()
        day = asked if wait.count == "inclusive" else asked + 1
        while day <= wait.answered:
            # A day before the last one that an earlier waiting took was running then, and counted.
            if not gone or day > max(gone):
                new.add(day)
            day += 1
        strict = strict or bool(new and wait.day_before)
        gone |= new
        sure |= new if wait.relied_on else set()
    return last + len(gone), last + len(sure), strict
