"""What stops and starts the clock of a request: every question, answer and notice with its day and its evidence, and the
dates counted anew from them (GDPR Art 12(3), (6); UK GDPR Art 12A).

A waiting that the law itself does not count moves the date, and while it is open there is none. One that guidance alone
does not count moves nothing here: it is shown apart, and the house works to the date without it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from django.db.models import Min
from django.utils import timezone

from dsar import audit, deadlines
from dsar.deadlines import Dates
from dsar.enums import CheckStatus, ClockEventKind, Raised, State
from dsar.law.clocks import Pause
from dsar.law.steps import Step
from dsar.law.waiting import End
from dsar.models import SYSTEM, Actor, ClockEvent, Decision, IdentityCheck, Message, PrivacyRequest
from dsar.models.once import once
from dsar.notices import TO_OTHERS, MessageStatus, Notice

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
    ClockEventKind.FEE_WAIVED: "fee",
}

# Letters that ask or announce: what counts is the day on which they leave.
LETTERS: Final[Mapping[str, ClockEventKind]] = {
    Notice.RECEIVED_VERIFY: ClockEventKind.IDENTITY_REQUESTED,
    Notice.PROOF_ASKED: ClockEventKind.IDENTITY_REQUESTED,
    Notice.ASK: ClockEventKind.CLARIFICATION_REQUESTED,
    Notice.EXTENDED: ClockEventKind.EXTENSION_NOTICE_SENT,
}
# How a waiting ends other than by what was asked for.
ENDS: Final[Mapping[str, End]] = {
    ClockEventKind.IDENTITY_LAPSED: "lapsed",
    ClockEventKind.CLARIFICATION_LAPSED: "lapsed",
    ClockEventKind.FEE_LAPSED: "lapsed",
    ClockEventKind.FEE_WAIVED: "waived",
}
LAPSES: Final[Mapping[str, ClockEventKind]] = {
    "identity": ClockEventKind.IDENTITY_LAPSED,
    "clarification": ClockEventKind.CLARIFICATION_LAPSED,
    "fee": ClockEventKind.FEE_LAPSED,
}


def today(request: PrivacyRequest, now: datetime | None = None) -> date:
    """The day in the zone from which this request's law counts."""
    return deadlines.received_on(request.case.law, now or timezone.now())


def answer_on(request: PrivacyRequest, now: datetime | None = None) -> date:
    """The day on which our answer left, in the zone of the law; today while it has not: it leaves today at the soonest."""
    return request.answered_on or today(request, now)


def acknowledged_on(request: PrivacyRequest) -> date | None:
    """The day on which a first letter left to the person after they had asked: it says that we have the request. None
    while none has."""
    letters = request.case.messages.filter(status=MessageStatus.SENT, sent_at__gte=request.received_at)
    first = letters.exclude(notice__in=TO_OTHERS).aggregate(at=Min("sent_at"))["at"]
    return today(request, first) if first else None


def of(request: PrivacyRequest) -> list[ClockEvent]:
    """The events of a request in their order, each with what shows it. One query."""
    rows = request.clock_events.select_related("message", "check_ref", "decision").in_order()
    return once(request, "clock_events", lambda: list(rows))


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
                found.append(Pause(ANSWERED[event.kind], asked, max(asked, event.on), ENDS.get(event.kind, "came")))
    return found + [Pause(kind, asked) for kind, asked in waiting.items()]


def dates(
    request: PrivacyRequest,
    *,
    right: str | None = None,
    received_at: datetime | None = None,
    extended: bool | None = None,
    until: date | None = None,
    events: Iterable[ClockEvent] | None = None,
) -> Dates:
    """The dates of a request as its events say, or as they would be for another right, receipt or with an extension.
    Raises LawError as `deadlines.dates` does."""
    happened = request.clock_events.in_order() if events is None else events
    found = deadlines.dates(
        request.case.law,
        request.right if right is None else right,
        received_at or request.received_at,
        extended=request.extended_at is not None if extended is None else extended,
        until=until or request.extended_until,
        pauses=pauses(happened),
    )
    promised = request.promised_on
    return found if promised is None else replace(found, target_on=min(found.target_on, promised))


def told_on(request: PrivacyRequest, found: Dates | None = None) -> date | None:
    """The day by which we tell the person that our answer comes: the one that we promise while that is ahead, else the
    law's; None while the law has none."""
    legal, promised = request.legal_date, (found or dates(request)).promised_on
    return promised if legal and promised and today(request) <= promised else legal


def first_told_on(request: PrivacyRequest) -> date | None:
    """The day that they were told before the time was extended: what we promised, else the law's; None where it was not."""
    if request.extended_at is None or request.original_due_on is None:
        return request.original_due_on
    return dates(request, extended=False).promised_on or request.original_due_on


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


def answered(request: PrivacyRequest, kind: ClockEventKind, *, actor: Actor = SYSTEM) -> ClockEvent | None:
    """Note an answer, or that none came, with what shows it: the person's newest message, or the check that was passed.
    The caller holds the locks."""
    message = check = None
    if kind == ClockEventKind.CLARIFICATION_RECEIVED:
        message = request.messages.filter(status=MessageStatus.RECEIVED).order_by("-pk").first()
    elif kind == ClockEventKind.IDENTITY_RECEIVED:
        check = request.case.checks.filter(status=CheckStatus.PASSED).order_by("-decided_at", "-pk").first()
    return note(request, kind, actor=actor, message=message, check=check)


def go_on(request: PrivacyRequest, *, actor: Actor = SYSTEM) -> None:
    """Wait for nothing any more: what was asked and not answered stops the clock no longer. The caller holds the locks.

    One that has ended while the law had no date keeps none where the first date had passed meanwhile: its end would be the
    date, and each letter of it late on the next day."""
    events = list(request.clock_events.in_order())
    for pause in pauses(events):
        if pause.answered is None:
            lapse = ClockEvent(request=request, kind=LAPSES[pause.kind], on=today(request), noted_at=timezone.now())
            found = dates(request, events=[*events, lapse])
            if request.is_ended and Step.of("passed_meanwhile", day=lapse.on) in found.due.steps:
                continue
            note(request, LAPSES[pause.kind], actor=actor)


def sent(request: PrivacyRequest, message: Message, on: date | None = None) -> ClockEvent | None:
    """Note that a letter of LETTERS has left, on a day (without one: today). None where its request waits for what it
    asks no longer, or where it was noted before. The caller holds the locks."""
    kind = LETTERS.get(message.notice)
    waits = {
        ClockEventKind.IDENTITY_REQUESTED: request.state == State.VERIFYING
        or (message.notice == Notice.PROOF_ASKED and not request.is_ended and not request.is_proven_enough),
        ClockEventKind.CLARIFICATION_REQUESTED: request.state == State.CLARIFYING,
        ClockEventKind.EXTENSION_NOTICE_SENT: request.extended_at is not None and not request.is_ended,
    }
    if kind is None or not waits[kind] or request.clock_events.filter(message=message, kind=kind).exists():
        return None
    event = note(request, kind, on, message=message, decision=message.decision)
    if kind == ClockEventKind.EXTENSION_NOTICE_SENT and is_void(request, on or today(request)):
        void(request)
    return event


def is_void(request: PrivacyRequest, notice_on: date) -> bool:
    """Whether an extension whose notice leaves on a day is void: the first date has passed by then (GDPR Art 12(3); Cal.
    Civ. Code 1798.130(a)(2)). No date has passed while the law has none."""
    limit = request.original_due_on
    return request.extended_at is not None and limit is not None and not request.paused_reason and notice_on > limit


def announced_on(request: PrivacyRequest) -> date | None:
    """The day on which the notice of the extension that stands has left; None while it has not, or where none stands."""
    if request.extended_at is None:
        return None
    told = request.clock_events.filter(kind=ClockEventKind.EXTENSION_NOTICE_SENT, noted_at__gte=request.extended_at)
    newest = told.order_by("-pk").first()
    return newest.on if newest else None


def void(request: PrivacyRequest, *, actor: Actor = SYSTEM) -> None:
    """Take an extension back whose notice did not leave in time: the request was due when it was, and stands in the queue
    by that name. The caller holds the locks."""
    request.extended_at = request.extended_until = request.original_due_on = None
    request.raised = Raised.EXTENSION_VOID
    PrivacyRequest.objects.filter(pk=request.pk).update(
        extended_at=None, extended_until=None, original_due_on=None, raised=request.raised
    )
    recount(request)
    details = {"due_on": request.due_on.isoformat() if request.due_on else ""}
    audit.record(request.case, audit.Entry("extension_void", actor, request.pk, details=details))


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
