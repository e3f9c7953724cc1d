"""Every date of a request with its rule, its article and its arithmetic in words (law 14): for the desk, for the person,
and for a calendar."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from dsar import clock_events, deadlines
from dsar.deadlines import Dates
from dsar.enums import ClockEventKind, Outcome
from dsar.law import words
from dsar.law.clocks import DueDate, Pause
from dsar.models import ClockEvent, PrivacyRequest
from dsar.notices import MessageStatus

# How a date stands: to be kept, near, passed, kept, waiting for the person, or a day before which something stays.
OPEN, SOON, LATE, DONE, PAUSED, UNTIL = "ok", "soon", "late", "done", "paused", "until"
SOON_DAYS: Final = 5
Day = date  # the dataclasses below have a field of that name


@dataclass(frozen=True)
class Waiting:
    """A waiting for the person: what for, from when to when, how it ended (law.waiting.Pause), whether its days may count for
    nothing, who says so, and its evidence."""

    label: str
    asked: date
    answered: date | None
    end: str
    counts: bool
    basis: str
    citation: str
    evidence: str


@dataclass(frozen=True)
class Dated:
    """One date. `kind` is a key of `law.words.CLOCKS`, "target", "promised" or "by_guidance"; `done_on` the day on which it
    was kept."""

    kind: str
    label: str
    date: Day | None
    state: str
    days_left: int | None = None
    done_on: Day | None = None
    rule: str = ""
    citation: str = ""
    steps: Sequence[str] = field(default_factory=tuple)
    remark: str = ""


@dataclass(frozen=True)
class Book:
    """The dates of a request, the answer first; and what was waited for."""

    received_on: date
    today: date
    answer: Dated
    entries: list[Dated]
    waitings: list[Waiting]


def answer(request: PrivacyRequest, found: Dates | None = None) -> Dated:
    """The date of the answer: when it is due, or on which day it left. What is decided and still here is due."""
    known = found or clock_events.dates(request)
    due, today = known.due, clock_events.today(request)
    kept_on = request.answered_on
    left = (known.due_on - today).days
    if kept_on is not None:
        state = LATE if kept_on > known.due_on and not known.paused else DONE
    elif known.paused:
        state, left = PAUSED, due.days_left or 0
    else:
        state = _standing(left)
    return _dated(due, state, date=None if known.paused else known.due_on, days_left=left, done_on=kept_on)


def told(request: PrivacyRequest) -> Dated:
    """The same as the person is told it: by the day that we promise, while that is ahead."""
    known = clock_events.dates(request)
    given, today = answer(request, known), clock_events.today(request)
    if request.is_ended or known.promised_on is None or known.promised_on < today:
        return given
    left = (known.promised_on - today).days
    return replace(given, date=known.promised_on, days_left=left, state=_standing(left))


def of(request: PrivacyRequest) -> Book:
    """All of them. One query for the events, one for the first letter."""
    events = clock_events.of(request)
    pauses = clock_events.pauses(events)
    found = clock_events.dates(request, events=events)
    given = answer(request, found)
    entries = [given]
    if found.by_guidance is not None and not request.is_ended:
        entries.append(_by_guidance(found.by_guidance))
    if found.promised_on and not request.is_ended:
        entries.append(_promised(request, found.promised_on))
    if found.target_on and not request.is_ended:
        entries.append(_target(request, found))
    rest = (
        _extension(request, events, pauses), _opt_out(request), _acknowledgement(request), _transfer(request),
        _reoffer(request), _refused_copy(request), _kept(request),
    )  # fmt: skip
    entries += filter(None, rest)
    return Book(
        found.due.received_on, clock_events.today(request), given, entries, _waitings(request, events, pauses)
    )  # fmt: skip


def _standing(left: int) -> str:
    return LATE if left < 0 else SOON if left <= SOON_DAYS else OPEN


def _dated(due: DueDate, state: str, **more: Any) -> Dated:
    given = {"date": due.date, "rule": str(due.rule), "citation": due.citation, "steps": due.explain()}
    return Dated(due.kind, str(words.CLOCKS[due.kind]), state=state, **(given | more))


def _by_guidance(due: DueDate) -> Dated:
    remark = _("Guidance of the authorities would allow it; the law does not say so. We keep to the earlier date.")
    label = str(_("Answer, by guidance alone"))
    made = _dated(due, PAUSED if due.date is None else OPEN, remark=remark)
    return Dated("by_guidance", label, made.date, made.state, citation=due.citation, steps=made.steps, remark=remark)


def _promised(request: PrivacyRequest, day: date) -> Dated:
    left = (day - clock_events.today(request)).days
    steps = [_("What we promise, earlier than the law asks. Late is only what comes after the law's own date.")]
    return Dated("promised", str(_("Promised by us")), day, _standing(left), left, steps=steps)


def _target(request: PrivacyRequest, found: Dates) -> Dated:
    left = (found.target_on - clock_events.today(request)).days
    steps = [_("Our own day to be done by, some days before the law's. What is open then gets an interim answer.")]
    return Dated("target", str(_("Our own target")), found.target_on, _standing(left), left, steps=steps)


def _extension(request: PrivacyRequest, events: Sequence[ClockEvent], pauses: Sequence[Pause]) -> Dated | None:
    """By when the notice of an extension must be out, or when it was."""
    due = _of_kind(request, "extension_notice", pauses)
    sent = [event.on for event in events if event.kind == ClockEventKind.EXTENSION_NOTICE_SENT]
    if due is None or (request.is_ended and not sent):
        return None
    if sent:
        late = due.date is not None and sent[0] > due.date
        return _dated(due, LATE if late else DONE, done_on=sent[0])
    remark = _("The letter must have left by then; later, an extension is void.")
    if due.date is None:
        return _dated(due, PAUSED, remark=remark)
    left = (due.date - clock_events.today(request)).days
    return _dated(due, _standing(left) if request.extended_at else UNTIL, days_left=left, remark=remark)


def _opt_out(request: PrivacyRequest) -> Dated | None:
    """By when a choice is carried out, where that is not the date of the answer itself."""
    regime = request.case.law
    due = _of_kind(request, "opt_out") if request.right and regime.governing(request.right).kind != "opt_out" else None
    if due is None:
        return None
    if request.ended_at:
        return _dated(due, DONE, done_on=clock_events.today(request, request.ended_at))
    return _ahead(due, clock_events.today(request))


def _ahead(due: DueDate, today: date, **more: Any) -> Dated:
    """A date that is still to be kept: what we promise while that is ahead, afterwards the law's own."""
    day = due.told_on(today)
    left = (day - today).days
    return _dated(due, _standing(left), date=day, days_left=left, **more)


def _acknowledgement(request: PrivacyRequest) -> Dated | None:
    due = _of_kind(request, "acknowledgement")
    if due is None:
        return None
    told = clock_events.acknowledged_on(request)
    if told:
        return _dated(due, DONE if told <= due.unpaused_date else LATE, done_on=told)
    return _ahead(due, clock_events.today(request))


def _transfer(request: PrivacyRequest) -> Dated | None:
    """By when a request is passed on that another agency has to answer (Privacy Act 2020 (NZ) s.43)."""
    due, today = _of_kind(request, "transfer"), clock_events.today(request)
    if due is None or due.date is None:
        return None
    if request.outcome == Outcome.REFERRED and request.ended_at:
        on = clock_events.today(request, request.ended_at)
        return _dated(due, DONE if on <= due.date else LATE, done_on=on)
    remark = _("Only where somebody else has to answer it; nothing here sends it to them.")
    return None if request.is_ended or today > due.date else _ahead(due, today, remark=remark)


def _reoffer(request: PrivacyRequest) -> Dated | None:
    """Until when somebody who opted out is not asked to opt in again (Cal. Civ. Code 1798.135(c)(4))."""
    if (
        request.ended_at is None
        or request.take_back
        or request.outcome not in (Outcome.GRANTED, Outcome.GRANTED_IN_PART)
    ):
        return None
    due = deadlines.of_kind(request.case.law, request.right, "reoffer", request.ended_at)
    remark = _("Your own systems keep to it; nothing here asks anybody to opt in.")
    return _dated(due, UNTIL, date=due.safe_date, remark=remark) if due else None


def _refused_copy(request: PrivacyRequest) -> Dated | None:
    """Until when what was refused has to be there for a review of the refusal (PDP Regulations 2021 reg 8)."""
    if request.ended_at is None or request.outcome not in (Outcome.DENIED, Outcome.GRANTED_IN_PART):
        return None
    due = deadlines.of_kind(request.case.law, request.right, "refused_copy", request.ended_at)
    return _dated(due, UNTIL) if due else None


def _kept(request: PrivacyRequest) -> Dated | None:
    """The last day of its record in the log (dsar/records.py), counted from the answer; what the case file does is said
    beside it."""
    start = request.ended_at or request.received_at
    if request.answered_on:
        start += max(timedelta(0), request.answered_on - clock_events.today(request, start))
    due = deadlines.of_kind(request.case.law, request.right, "record_retention", start)
    if due is None:
        return None
    remark = _("The case file stays as long as this, and for %(days)d days at least.") % {
        "days": settings.RECORD_PERIOD.days
    }
    if not request.answered_on:
        remark = _("Counted from the answer; until it is given, the day moves on.") + " " + remark
    return _dated(due, UNTIL, date=deadlines.record_until(request.case.law, request.right, start), remark=remark)


def _of_kind(request: PrivacyRequest, kind: str, pauses: Sequence[Pause] = ()) -> DueDate | None:
    return deadlines.of_kind(request.case.law, request.right, kind, request.received_at, pauses=pauses)


def _waitings(request: PrivacyRequest, events: Sequence[ClockEvent], pauses: Sequence[Pause]) -> list[Waiting]:
    regime = request.case.law
    found = []
    for pause in sorted(pauses, key=lambda pause: pause.asked):
        asked = next(e for e in events if clock_events.ASKED.get(e.kind) == pause.kind and e.on == pause.asked)
        ended = next(
            (
                e
                for e in events
                if clock_events.ANSWERED.get(e.kind) == pause.kind and max(e.on, pause.asked) == pause.answered
            ),
            None,
        )
        rule = regime.pause(pause.kind, request.right)
        found.append(
            Waiting(
                label=str(words.PAUSES[pause.kind]),
                asked=pause.asked,
                answered=pause.answered,
                end=pause.end,
                counts=pause.gives_time,
                basis=rule.basis if rule else "",
                citation=rule.citation if rule else "",
                evidence=", ".join(dict.fromkeys(filter(None, (evidence(asked), evidence(ended))))),
            )
        )
    return found


def evidence(event: ClockEvent | None) -> str:
    """By what an event can be shown, in a few words: the letter, the answer, the check, or that a colleague noted it."""
    if event is None:
        return ""
    if event.message and event.message.status == MessageStatus.RECEIVED:
        return str(_("their answer"))
    if event.message:
        return str(_("our letter “%(what)s”") % {"what": event.message.get_notice_display()})
    if event.check_ref:
        return str(event.check_ref.get_kind_display())
    if event.decision:
        return str(event.decision.get_kind_display())
    return str(_("noted in the history"))
