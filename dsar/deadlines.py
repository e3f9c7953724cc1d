"""The dates of a request: the law's arithmetic with this company's zone, calendar and internal margin."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings

from dsar.law import clocks, regimes, tiers
from dsar.law.clocks import DueDate, Pause


@dataclass(frozen=True)
class Dates:
    """When a request must be answered, by when we mean to, and the tier of proof that it needs.

    `due` counts the waiting that the law itself does not count. `due_on` is its date; while such a waiting is open
    (`paused`: identity, clarification or fee) the law has none, and `due_on` is the earliest that it can become.
    `by_guidance` is the date with the waiting that guidance alone does not count, to be shown apart and never worked to;
    None where there was none.
    """

    due: DueDate
    due_on: date
    target_on: date
    tier: int
    paused: str = ""
    by_guidance: DueDate | None = None


def dates(
    regime_id: str, right: str, received_at: datetime, *, extended: bool = False, pauses: Sequence[Pause] = ()
) -> Dates:
    """The dates of a right under a regime, from an aware receipt time. Raises LawError for an unknown right."""
    zone, calendar = _place(regime_id)
    # Counted in dates, never hours: every moment of one local day has the same due date.
    return _cached(regime_id, right, received_on(regime_id, received_at), extended, zone, calendar, tuple(pauses))


def received_on(regime_id: str, received_at: datetime) -> date:
    """The day of receipt from which a regime counts, in its zone or the company's own (see `_place`)."""
    zone, _calendar = _place(regime_id)
    return clocks.local_date(received_at, zone or regimes.load(regime_id).zone)


@lru_cache(maxsize=512)
def _cached(
    regime_id: str,
    right: str,
    received_on: date,
    extended: bool,
    zone: str,
    calendar: str,
    pauses: tuple[Pause, ...],
) -> Dates:
    regime = regimes.load(regime_id)
    noon = datetime(received_on.year, received_on.month, received_on.day, 12, tzinfo=ZoneInfo(zone or regime.zone))

    def count(waited: Iterable[Pause]) -> DueDate:
        return clocks.due(
            regime,
            right,
            regime.governing(right).kind,
            noon,
            pauses=tuple(waited),
            extended=extended,
            calendar=calendar or None,
            zone=zone or None,
        )

    basis = {pause: rule.basis if (rule := regime.pause(pause.kind, right)) else "" for pause in pauses}
    by_law = [pause for pause in pauses if basis[pause] != "guidance"]
    due = count(by_law)
    earliest = due if due.date is not None else count(pause for pause in by_law if pause.answered is not None)
    target = clocks.target(earliest)
    if earliest.date is None or target is None:
        raise ValueError("a clock that nothing stops has dates")
    waiting = [pause.kind for pause in by_law if pause.answered is None]
    return Dates(
        due,
        earliest.date,
        target,
        tiers.needed(regime, right) if right else 2,
        paused=waiting[0] if due.date is None else "",
        by_guidance=count(pauses) if "guidance" in basis.values() else None,
    )


def record_until(regime_id: str, right: str, ended_at: datetime) -> date:
    """The last day of the record of a request: the law's period, counted from the answer, since how it was answered is
    part of the record (11 CCR 7101(a)); of a day on the border the later one."""
    regime = regimes.load(regime_id)
    zone, _calendar = _place(regime_id)
    found = clocks.due(regime, right, "record_retention", ended_at, zone=zone or None).safe_date
    if found is None:
        raise ValueError("a record has an end")
    return found


def _place(regime_id: str) -> tuple[str, str]:
    """Zone and holiday calendar: the company's own under the GDPR (Reg 1182/71 Art 2), the regime's elsewhere."""
    if regime_id == "eu_gdpr":
        return settings.TIME_ZONE_OF_REGIME, settings.HOLIDAY_CALENDAR
    return "", ""
