"""The dates of a request: the law's arithmetic with this company's zone, calendar and internal margin."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings

from dsar.law import clocks, regimes, tiers
from dsar.law.clocks import DueDate


@dataclass(frozen=True)
class Dates:
    """When a request must be answered, by when we mean to, and the tier of proof that it needs."""

    due: DueDate
    due_on: date
    target_on: date
    tier: int


def dates(regime_id: str, right: str, received_at: datetime, *, extended: bool = False) -> Dates:
    """The dates of a right under a regime, from an aware receipt time. Raises LawError for an unknown right."""
    zone, calendar = _place(regime_id)
    # Counted in dates, never hours: every moment of one local day has the same due date.
    return _cached(regime_id, right, received_on(regime_id, received_at), extended, zone, calendar)


def received_on(regime_id: str, received_at: datetime) -> date:
    """The day of receipt from which a regime counts, in its zone or the company's own (see `_place`)."""
    zone, _calendar = _place(regime_id)
    return clocks.local_date(received_at, zone or regimes.load(regime_id).zone)


@lru_cache(maxsize=512)
def _cached(regime_id: str, right: str, received_on: date, extended: bool, zone: str, calendar: str) -> Dates:
    regime = regimes.load(regime_id)
    noon = datetime(received_on.year, received_on.month, received_on.day, 12, tzinfo=ZoneInfo(zone or regime.zone))
    due = clocks.due(
        regime,
        right,
        regime.governing(right).kind,
        noon,
        extended=extended,
        calendar=calendar or None,
        zone=zone or None,
    )
    target = clocks.target(due)
    if due.date is None or target is None:
        raise ValueError("an unpaused clock has dates")
    return Dates(due, due.date, target, tiers.needed(regime, right) if right else 2)


def _place(regime_id: str) -> tuple[str, str]:
    """Zone and holiday calendar: the company's own under the GDPR (Reg 1182/71 Art 2), the regime's elsewhere."""
    if regime_id == "eu_gdpr":
        return settings.TIME_ZONE_OF_REGIME, settings.HOLIDAY_CALENDAR
    return "", ""
