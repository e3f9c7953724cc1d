"""Days: months by the same-numbered day, business days, holidays, and moving a last day that is none.

Dates only, never hours: a period of days has no daylight saving.
"""

from __future__ import annotations

import calendar as gregorian
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import holidays
from dateutil.easter import easter

from dsar.law.errors import LawError

FEDERAL: Final = "US-FED"
ROLLOVERS: Final = ("none", "next_working_day", "next_day_not_sunday_or_holiday")
SATURDAY: Final = 5
SUNDAY: Final = 6
ONE_DAY: Final = timedelta(days=1)


# Calendars that a law defines for itself, and those that the package knows under another name.
NEW_ZEALAND_ACT: Final = "NZ-PA"
SAME: Final = {FEDERAL: "US", NEW_ZEALAND_ACT: "NZ", "GB": "GB-ENG"}
INTERPRETATION_ACTS: Final = frozenset({"CA", "CA-QC"})  # R.S.C. 1985 c. I-21 s.35; CQLR c. I-16 s.61(23)


@lru_cache(maxsize=4096)
def holidays_in(calendar: str, year: int) -> frozenset[date]:
    """The public holidays of a calendar in a year: `DE-BE`, `FR`, "" for none.

    `US-FED`: federal days only. `NZ-PA`: what the New Zealand Privacy Act (s.7) calls no working day, 25 December
    to 15 January included. `CA`, `CA-QC`: as the Interpretation Acts count. Raises LawError `unknown_calendar`.
    """
    if not calendar:
        return frozenset()
    country, _, part = SAME.get(calendar, calendar).partition("-")
    acts = calendar in INTERPRETATION_ACTS
    try:
        found = holidays.country_holidays(
            country,
            subdiv=part or None,
            years=[year],
            expand=False,
            observed=not acts,
            categories=("public", "government") if calendar == "CA" else ("public",),
        )
    except (NotImplementedError, ValueError) as error:
        raise LawError("unknown_calendar", calendar=calendar) from error
    days = {day for day in found if day.year == year}
    if calendar == NEW_ZEALAND_ACT:
        days |= {date(year, 12, day) for day in range(25, 32)} | {date(year, 1, day) for day in range(1, 16)}
    if acts:
        # Offices close on Boxing Day, of which the Acts know nothing; Easter Monday is theirs, though no day off for all.
        days -= {date(year, 12, 26)}
        days |= {easter(year) + ONE_DAY, date(year, 7, 2 if date(year, 7, 1).weekday() == SUNDAY else 1)}
    return frozenset(days)


def is_calendar(calendar: str) -> bool:
    """Whether this is a holiday calendar that can be used (the empty one counts weekends alone)."""
    try:
        holidays_in(calendar, 2026)
    except LawError:
        return False
    return True


def is_holiday(day: date, calendar: str) -> bool:
    """Whether the day is a public holiday of the calendar."""
    return day in holidays_in(calendar, day.year)


def is_working_day(day: date, calendar: str) -> bool:
    """Monday to Friday and no public holiday."""
    return day.weekday() < SATURDAY and not is_holiday(day, calendar)


def add_months(start: date, months: int) -> date:
    """The same-numbered day so many months on, else the last of the month (Reg 1182/71 Art 3(2)(c))."""
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(start.day, gregorian.monthrange(year, month + 1)[1]))


def add_business_days(start: date, days: int, calendar: str) -> date:
    """The so-manieth working day after `start`, which itself is not counted."""
    day = start
    while days:
        day += ONE_DAY
        days -= is_working_day(day, calendar)
    return day


def roll(day: date, mode: str, calendar: str) -> date:
    """The day itself or, where the law moves a last day, the next one that will do.

    Modes: "none"; "next_working_day" (Reg 1182/71 Art 3(4)); "next_day_not_sunday_or_holiday" (Sundays, holidays).
    """
    while mode == "next_working_day" and not is_working_day(day, calendar):
        day += ONE_DAY
    while mode == "next_day_not_sunday_or_holiday" and (day.weekday() == SUNDAY or is_holiday(day, calendar)):
        day += ONE_DAY
    return day
