"""Rows by the day that it is under their own law: a date of the law ends at midnight there, not where the server stands."""

from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Final

from django.db.models import Q

from dsar import deadlines

TODAY: Final = timedelta(0)


def by_law(now: datetime, law: str, **days: timedelta) -> Q:
    """The condition that dates stand so to the day that it is at a moment under the law of each row.

    `law` is the lookup of the law's id (`case__regime`), `days` the lookups of dates with how far from that day:
    `due_on__lt=TODAY` is what has passed, `due_on__lte=timedelta(days=5)` what comes within five days. The day counts in
    the law's newest version. The widest bounds stand beside the exact ones, so that an index by date still serves.
    """
    todays = deadlines.todays(now)
    first, last = min(todays), max(todays)

    def against(earlier: date, later: date) -> Q:
        upper = ("__lt", "__lte")
        return Q(**{name: (later if name.endswith(upper) else earlier) + away for name, away in days.items()})

    exact = reduce(or_, (Q(**{f"{law}__in": sorted(ids)}) & against(day, day) for day, ids in todays.items()))
    return against(first, last) & exact
