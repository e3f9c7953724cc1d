"""The dates of a request: the law's arithmetic with this company's zone, calendar and internal margin."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

from dsar.enums import AppealKind
from dsar.law import clocks, promises, regimes, remedies, tiers
from dsar.law.clocks import DueDate, Pause
from dsar.law.errors import LawError
from dsar.law.promises import Promise
from dsar.law.regimes import Regime


@dataclass(frozen=True)
class Dates:
    """When a request must be answered, by when we mean to, and the tier of proof that it needs.

    `due` counts the waiting that the law itself does not count. `due_on` is its date; while such a waiting is open
    (`paused`: identity, clarification or fee) the law has none, and `due_on` is the earliest that it can become.
    `by_guidance` is the date with the waiting that guidance alone does not count, to be shown apart and never worked to;
    None where there was none. `promised_on` is the earlier day that the company promises, which is worked to and told; None
    where it promises none, and while the law has no date.
    """

    due: DueDate
    due_on: date
    target_on: date
    tier: int
    paused: str = ""
    by_guidance: DueDate | None = None
    promised_on: date | None = None


def dates(
    law: Regime | str,
    right: str,
    received_at: datetime,
    *,
    extended: bool = False,
    until: date | None = None,
    pauses: Sequence[Pause] = (),
) -> Dates:
    """The dates of a right under a law, from an aware receipt time. `law` is that of the case, in its version; an id
    alone means the newest version. `until`: the day that the notice of an extension named, where the law leaves its
    length open. Raises LawError for an unknown right.
    """
    known = _known(law)
    # Counted in dates, never hours: every moment of one local day has the same due date.
    return _cached(
        known, right, received_on(known, received_at), extended, until, _place(known), _promised(known), tuple(pauses)
    )


def of_kind(
    law: Regime | str,
    right: str,
    kind: str,
    received_at: datetime,
    *,
    extended: bool = False,
    until: date | None = None,
    pauses: Sequence[Pause] = (),
) -> DueDate | None:
    """One clock of a right (a key of `words.CLOCKS`), counted like `dates`; None where the law has no such clock."""
    regime = _known(law)
    zone, calendar = _place(regime)
    by_law = [p for p in pauses if not ((rule := regime.pause(p.kind, right)) and rule.basis == "guidance")]
    try:
        due = clocks.due(
            regime,
            right,
            kind,
            received_at,
            pauses=by_law,
            extended=extended,
            until=until,
            calendar=calendar,
            zone=zone,
        )
    except LawError as error:
        if error.reason in ("no_clock", "no_extension"):
            return None
        raise
    return clocks.promise(due, _promised(regime).of(kind))


def received_on(law: Regime | str, received_at: datetime) -> date:
    """The day of receipt from which a law counts, in its zone or the company's own (see `_place`)."""
    return clocks.local_date(received_at, _place(_known(law))[0])


def todays(now: datetime) -> Mapping[date, frozenset[str]]:
    """The days that it is at a moment under the laws (their newest versions), each with their ids: two or three."""
    found: dict[date, set[str]] = {}
    for law in regimes.all_ids():
        found.setdefault(received_on(law, now), set()).add(law)
    return {day: frozenset(laws) for day, laws in found.items()}


def law_for(country: str, part: str, received_at: datetime) -> Regime:
    """The law for somebody who lives there (codes of law/countries.py; both may be empty), in the version that is in
    force on the day of receipt."""
    day = received_at.astimezone(ZoneInfo(settings.TIME_ZONE_OF_REGIME)).date()
    law = regimes.load(regimes.guess(country, part, day, settings.ESTABLISHED_IN))
    return regimes.load(law.id, on=received_on(law, received_at))


def law_reason(country: str, part: str, received_at: datetime) -> tuple[str, str]:
    """Which law `law_for` chooses, by its id, and why (a key of `words.GUESSES`)."""
    day = received_at.astimezone(ZoneInfo(settings.TIME_ZONE_OF_REGIME)).date()
    given = (country, part, day, settings.ESTABLISHED_IN)
    return regimes.guess(*given), regimes.guess_reason(*given)


@lru_cache(maxsize=512)
def _cached(
    regime: Regime,
    right: str,
    received_on: date,
    extended: bool,
    until: date | None,
    place: tuple[str, str],
    promised: Promise,
    pauses: tuple[Pause, ...],
) -> Dates:
    zone, calendar = place
    noon = datetime(received_on.year, received_on.month, received_on.day, 12, tzinfo=ZoneInfo(zone))
    kind = regime.governing(right).kind

    def count(waited: Iterable[Pause]) -> DueDate:
        due = clocks.due(
            regime,
            right,
            kind,
            noon,
            pauses=tuple(waited),
            extended=extended,
            until=until,
            calendar=calendar,
            zone=zone,
        )
        return clocks.promise(due, promised.of(kind))

    basis = {pause: rule.basis if (rule := regime.pause(pause.kind, right)) else "" for pause in pauses}
    by_law = [pause for pause in pauses if basis[pause] != "guidance"]
    due = count(by_law)
    earliest = due if due.date is not None else count(pause for pause in by_law if pause.answered is not None)
    target = clocks.target(earliest, promised.margin)
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
        promised_on=due.promised_on,
    )


def record_until(law: Regime | str, right: str, ended_at: datetime) -> date:
    """The last day of the record of a request: the law's period, counted from the answer, since how it was answered is
    part of the record (11 CCR 7101(a)); of a day on the border the later one."""
    regime = _known(law)
    found = clocks.due(regime, right, "record_retention", ended_at, zone=_place(regime)[0])
    clipped = any(step.code == "clipped" for step in found.steps)
    return found.unpaused_date + timedelta(days=clipped)


@dataclass(frozen=True)
class AppealDates:
    """When it must be answered that somebody wants an answer looked at again, by when we mean to, and until when its
    receipt must be acknowledged, or is by our promise (None where the law sets no such date). `due_on` is the law's date;
    `due` knows what we promise beside it."""

    due: DueDate
    due_on: date
    target_on: date
    acknowledge_by: date | None


def appeal_dates(regime: Regime, kind: AppealKind, received_at: datetime, *, extended: bool = False) -> AppealDates:
    """The dates of an appeal, a complaint or a grievance under a law in its version, from an aware receipt time: the same
    whatever right it is about. Raises LawError (`no_extension`)."""
    zone, calendar = _place(regime)
    count = partial(clocks.due, regime, kind, calendar=calendar, zone=zone)
    promised = _promised(regime)
    due = clocks.promise(count(kind, received_at, extended=extended), promised.of(kind))
    target = clocks.target(due, promised.margin)
    if due.date is None or target is None:
        raise ValueError("an unpaused clock has dates")
    ack = remedies.ACKNOWLEDGED_BY.get(kind, "")
    told = clocks.promise(count(ack, received_at), promised.of(ack)) if ack and regime.clock(kind, ack) else None
    return AppealDates(due, due.date, target, told.working_on if told else None)


def extend_appeal(
    regime: Regime, kind: AppealKind, received_at: datetime, notice_at: datetime, *, times: int
) -> AppealDates:
    """The same after an extension that is told at `notice_at`, `times` of them gone before. Raises LawError (no_extension,
    already_extended, notice_late): a notice after the date is void."""
    zone, calendar = _place(regime)
    clocks.extend(regime, kind, received_at, notice_at, kind=kind, times=times, calendar=calendar, zone=zone)
    return appeal_dates(regime, kind, received_at, extended=True)


def appeal_until(answered_on: date) -> date:
    """The last local day on which an appeal against an answer that left on a day is taken up without asking anybody: the
    "reasonable period" of the laws that know appeals, as this company has set it. What comes later a person reads all the
    same."""
    return answered_on + settings.APPEAL_WITHIN


def _known(law: Regime | str) -> Regime:
    return regimes.load(law) if isinstance(law, str) else law


def _place(regime: Regime) -> tuple[str, str]:
    """Zone and holiday calendar of a law: the file's own, or the company's, where the law says so (Reg 1182/71 Art 2;
    the nation of the United Kingdom, the Swiss canton) and the company is at home in one of the law's places, or has a
    calendar that belongs to one."""
    countries = {place.partition("-")[0] for place in regime.regions}
    own = [name for name in settings.HOLIDAY_CALENDARS if "*" in countries or name.partition("-")[0] in countries]
    at_home = "*" in countries or any(
        place in regime.regions or place.partition("-")[0] in regime.regions for place in settings.ESTABLISHED_IN
    )
    return (
        settings.TIME_ZONE_OF_REGIME if at_home and regime.zone_of == "establishment" else regime.zone,
        own[0] if own and regime.calendar_of == "establishment" else regime.calendar,
    )


def _promised(regime: Regime) -> Promise:
    return promises.for_law(_promises(settings.PROMISES), regime)


@lru_cache(maxsize=8)
def _promises(path: Path | None) -> Mapping[str, Promise]:
    return promises.read(path)
