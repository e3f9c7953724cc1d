"""What stops and starts the clock of a request: every question, answer and notice with its day and its evidence, and the
dates counted anew from them (GDPR Art 12(3), (6); UK GDPR Art 12A).

A waiting that the law itself does not count moves the date, and while it is open there is none. One that guidance alone
does not count moves nothing here: it is shown apart, and the house works to the date without it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final

from django.utils import timezone

from dsar import audit, deadlines
from dsar.deadlines import Dates
from dsar.enums import ClockEventKind
from dsar.law.clocks import Pause
from dsar.models import SYSTEM, Actor, ClockEvent, Decision, IdentityCheck, Message, PrivacyRequest

ASKED: Final[Mapping[str, str]] = {
    ClockEventKind.IDENTITY_REQUESTED: "identity",
    ClockEventKind.CLARIFICATION_REQUESTED: "clarification",
    ClockEventKind.FEE_REQUESTED: "fee",
}
ANSWERED: Final[Mapping[str, str]] = {
    ClockEventKind.IDENTITY_RECEIVED: "identity",
    ClockEventKind.IDENTITY_LAPSED: "identity",
    ClockEventKind.CLARIFICATION_RECEIVED: "clarification",
    ClockEventKind.CLARIFICATION_LAPSED: "clarification",
    ClockEventKind.FEE_PAID: "fee",
    ClockEventKind.FEE_LAPSED: "fee",
}


def today(request: PrivacyRequest, now: datetime | None = None) -> date:
    """The day in the zone from which this request's law counts."""
    return deadlines.received_on(request.case.regime, now or timezone.now())


def pauses(events: Iterable[ClockEvent]) -> list[Pause]:
    """The waitings that events in their order make: each question with the answer that ended it, or still open."""
    waiting: dict[str, date] = {}
    found: list[Pause] = []
    for event in events:
        if event.kind in ASKED:
            waiting.setdefault(ASKED[event.kind], event.on)
        elif event.kind in ANSWERED:
            asked = waiting.pop(ANSWERED[event.kind], None)
            if asked is not None:
                found.append(Pause(ANSWERED[event.kind], asked, max(asked, event.on)))
    return found + [Pause(kind, asked) for kind, asked in waiting.items()]


def dates(
    request: PrivacyRequest,
    *,
    right: str | None = None,
    received_at: datetime | None = None,
    extended: bool | None = None,
    events: Iterable[ClockEvent] | None = None,
) -> Dates:
    """The dates of a request as its events say, or as they would be for another right, receipt or with an extension.
    Raises LawError as `deadlines.dates` does."""
    happened = request.clock_events.in_order() if events is None else events
    return deadlines.dates(
        request.case.regime,
        request.right if right is None else right,
        received_at or request.received_at,
        extended=request.extended_at is not None if extended is None else extended,
        pauses=pauses(happened),
    )


def note(
    request: PrivacyRequest,
    kind: ClockEventKind,
    on: date | None = None,
    *,
    actor: Actor = SYSTEM,
    message: Message | None = None,
    decision: Decision | None = None,
    check: IdentityCheck | None = None,
) -> ClockEvent | None:
    """Write down what happened on a day (of the law's zone; today without one), by what it can be shown, and count the
    dates anew. The caller holds the locks of case and request; the object's dates are fresh afterwards.

    None, and nothing is written, where it changes nothing: a second question of the same kind while one is open, an
    answer to none. Raises ValueError for a day that has not come.
    """
    day = on or today(request)
    if day > today(request):
        raise ValueError("the day has not come")
    events = list(request.clock_events.in_order())
    waiting = {pause.kind for pause in pauses(events) if pause.answered is None}
    if (kind in ASKED and ASKED[kind] in waiting) or (kind in ANSWERED and ANSWERED[kind] not in waiting):
        return None
    event = ClockEvent(
        request=request, kind=kind, on=day, message=message, decision=decision, check_ref=check
    )  # fmt: skip
    event.save(force_insert=True)
    recount(request, [*events, event])
    details = {"on": day.isoformat(), "due_on": request.due_on.isoformat() if request.due_on else ""}
    audit.record(request.case, audit.Entry(kind.value, actor, request.pk, details=details))
    return event


def recount(request: PrivacyRequest, events: Iterable[ClockEvent] | None = None) -> None:
    """Count the dates of a request anew and store them; `paused_reason` says what the law waits for, and `due_on` is then
    the earliest that the date can become. The caller holds the locks."""
    happened = list(request.clock_events.in_order() if events is None else events)
    found = dates(request, events=happened)
    changed = {"due_on": found.due_on, "target_on": found.target_on, "paused_reason": found.paused}
    if request.extended_at is not None:
        changed["original_due_on"] = dates(request, extended=False, events=happened).due_on
    if any(getattr(request, name) != value for name, value in changed.items()):
        PrivacyRequest.objects.filter(pk=request.pk).update(**changed)
        for name, value in changed.items():
            setattr(request, name, value)
