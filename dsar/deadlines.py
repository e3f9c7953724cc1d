"""The dates of a request: the law's arithmetic with this company's zone, calendar and internal margin."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from django.conf import settings

from dsar.enums import AppealKind
from dsar.law import clocks, regimes, remedies, tiers
from dsar.law.clocks import DueDate, Pause
from dsar.law.errors import LawError
from dsar.law.regimes import Regime


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
    regime_id: str,
    right: str,
    received_at: datetime,
    *,
    extended: bool = False,
    until: date | None = None,
    pauses: Sequence[Pause] = (),
) -> Dates:
    """The dates of a right under a regime, from an aware receipt time. `until`: the day that the notice of an extension
    named, where the law leaves its length open. Raises LawError for an unknown right, and as `clocks.due` does."""
    zone, calendar = _place(regime_id)
    # Counted in dates, never hours: every moment of one local day has the same due date.
    return _cached(
        regime_id, right, received_on(regime_id, received_at), extended, until, zone, calendar, tuple(pauses)
    )


def of_kind(
    regime_id: str,
    right: str,
    kind: str,
    received_at: datetime,
    *,
    extended: bool = False,
    pauses: Sequence[Pause] = (),
) -> DueDate | None:
    """One clock of a right (a key of `words.CLOCKS`), counted like `dates`; None where the law has no such clock."""
    zone, calendar = _place(regime_id)
    regime = regimes.load(regime_id)
    by_law = [p for p in pauses if not ((rule := regime.pause(p.kind, right)) and rule.basis == "guidance")]
    try:
        return clocks.due(
            regime,
            right,
            kind,
            received_at,
            pauses=by_law,
            extended=extended,
            calendar=calendar or None,
            zone=zone or None,
        )
    except LawError as error:
        if error.reason in ("no_clock", "no_extension"):
            return None
        raise


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
    until: date | None,
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
            until=until,
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


@dataclass(frozen=True)
class AppealDates:
    """When it must be answered that somebody wants an answer looked at again, by when we mean to, and until when its
    receipt must be acknowledged (None where the law sets no such date)."""

    due: DueDate
    due_on: date
    target_on: date
    acknowledge_by: date | None


def appeal_dates(regime: Regime, kind: AppealKind, received_at: datetime, *, extended: bool = False) -> AppealDates:
    """The dates of an appeal, a complaint or a grievance under a law in its version, from an aware receipt time: the same
    whatever right it is about. Raises LawError (`no_extension`)."""
    zone, calendar = _place(regime.id)
    count = partial(clocks.due, regime, kind, calendar=calendar or None, zone=zone or None)
    due = count(kind, received_at, extended=extended)
    target = clocks.target(due)
    if due.date is None or target is None:
        raise ValueError("an unpaused clock has dates")
    ack = remedies.ACKNOWLEDGED_BY.get(kind, "")
    told = count(ack, received_at).date if ack and regime.clock(kind, ack) else None
    return AppealDates(due, due.date, target, told)


def extend_appeal(
    regime: Regime, kind: AppealKind, received_at: datetime, notice_at: datetime, *, times: int
) -> AppealDates:
    """The same after an extension that is told at `notice_at`, `times` of them gone before. Raises LawError (no_extension,
    already_extended, notice_late): a notice after the date is void."""
    zone, calendar = _place(regime.id)
    clocks.extend(
        regime, kind, received_at, notice_at, kind=kind, times=times, calendar=calendar or None, zone=zone or None
    )
    return appeal_dates(regime, kind, received_at, extended=True)


def appeal_until(request_ended_at: datetime, regime_id: str) -> date:
    """The last local day on which an appeal is taken up without asking anybody: the "reasonable period" of the laws that
    know appeals, as this company has set it. What comes later a person reads all the same."""
    return received_on(regime_id, request_ended_at) + settings.APPEAL_WITHIN


def _place(regime_id: str) -> tuple[str, str]:
    """Zone and holiday calendar: the company's own under the GDPR (Reg 1182/71 Art 2), the regime's elsewhere."""
    if regime_id == "eu_gdpr":
        return settings.TIME_ZONE_OF_REGIME, settings.HOLIDAY_CALENDAR
    return "", ""
