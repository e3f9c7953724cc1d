"""THE DOOR: `move()` is the only way a request changes its state; `ON_ENTER` is what happens when it does.

The flow on one screen: a state's notices go to the person, its bells wake the workers that pull rows in that state.
Nobody calls the next stage.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import structlog
from django.db import transaction
from django.utils import timezone
from django_fsm import can_proceed, has_transition_perm

from dsar import audit, bell, clock_events, outcomes, proposals, records
from dsar.enums import (
    COPY_RIGHTS,
    UNVERIFIED_RIGHTS,
    ActorKind,
    ClockEventKind,
    ContactBy,
    DecisionKind,
    Lane,
    Outcome,
    Right,
    State,
    StepReason,
)
from dsar.models import Actor, Case, Decision, PrivacyRequest, Proposal, Subject
from dsar.models.actor import Forbidden as Forbidden  # noqa: PLC0414  what callers of the door catch
from dsar.models.privacy_request import VERBS
from dsar.notices import KnownEvent, Notice
from dsar.notifications import known, outbox

log = structlog.get_logger(__name__)
Key = TypeVar("Key", int, str)


# Ended by the person or by another request of theirs: no letter of ours is the answer.
UNASKED_ENDS = frozenset({Outcome.WITHDRAWN, Outcome.OVERTAKEN, Outcome.MERGED, Outcome.REJECTED})


class Conflict(Exception):
    """The request is in a state (or a condition) in which this verb does not exist (HTTP 409)."""


class Invalid(Exception):
    """What was given cannot stand (HTTP 422); the text says what to do, for the person who tried."""


@dataclass(frozen=True)
class OnEnter:
    """What entering a state sets off: letters by outcome or always, and bells."""

    notices: tuple[Notice, ...] = ()
    by_outcome: dict[str, Notice] = field(default_factory=dict)
    bells: tuple[Lane, ...] = ()


ENDINGS: dict[str, Notice] = {
    Outcome.NOTHING_HELD: Notice.NOTHING_HELD,
    Outcome.REFERRED: Notice.REFERRED,
    Outcome.MERGED: Notice.MERGED,
    Outcome.DENIED: Notice.REFUSED,
    Outcome.WITHDRAWN: Notice.WITHDRAWN,
    Outcome.NOT_PROVEN: Notice.NOT_PROVEN,
    Outcome.UNANSWERED: Notice.UNANSWERED,
    Outcome.OVERTAKEN: Notice.OVERTAKEN,
}

# What was granted is told by the right it was.
GRANTED: dict[str, Notice] = {
    Right.DELETION: Notice.DONE_ERASED,
    Right.ACCESS: Notice.DONE_COPY,
    Right.PORTABILITY: Notice.DONE_COPY,
    Right.KNOW: Notice.DONE_KNOW,
    Right.CORRECTION: Notice.DONE_CORRECTED,
    Right.OBJECTION: Notice.DONE_OBJECTION,
    Right.RESTRICTION: Notice.DONE_RESTRICTED,
    Right.HUMAN_REVIEW: Notice.DONE_REVIEWED,
    **dict.fromkeys(UNVERIFIED_RIGHTS, Notice.DONE_CHOICE),
}

ON_ENTER: dict[str, OnEnter] = {
    State.TRIAGE: OnEnter(notices=(Notice.RECEIVED_TRIAGE,)),
    State.VERIFYING: OnEnter(notices=(Notice.RECEIVED_VERIFY,), bells=(Lane.LOCATE,)),
    State.LOCATING: OnEnter(bells=(Lane.LOCATE,)),
    State.REVIEW: OnEnter(),
    State.CLARIFYING: OnEnter(notices=(Notice.ASK,)),
    State.CONFIRMING: OnEnter(),
    State.RELEASING: OnEnter(notices=(Notice.CONFIRMED,), bells=(Lane.CLOSE,)),
    State.FULFILLING: OnEnter(bells=(Lane.FULFIL,)),
    State.CHECKING: OnEnter(),
    State.COMPLETED: OnEnter(by_outcome=ENDINGS),
    State.REFUSED: OnEnter(by_outcome=ENDINGS),
    State.WITHDRAWN: OnEnter(by_outcome=ENDINGS),
    State.LAPSED: OnEnter(by_outcome=ENDINGS),
    State.REJECTED: OnEnter(),
}

# Verbs that change no state (or come back to one) and still tell the person something.
ON_VERB: dict[str, Notice] = {
    "answer": Notice.ANSWERED,
    "extend": Notice.EXTENDED,
    "charge_fee": Notice.FEE,
    "approve": Notice.CONFIRM_READY,
    "dispute": Notice.DISPUTE_NOTED,
    "doubt": Notice.DISPUTE_NOTED,
    "dismiss_dispute": Notice.DISPUTE_UNFOUNDED,
}
# An end that has a letter of its own: whoever was right is not told that we decline.
ENDS_BY_VERB: dict[str, Notice] = {"uphold_dispute": Notice.DISPUTE_FOUNDED}
# Verbs that answer what was asked, or go on without an answer: the clock reads them (clock_events.py).
ON_CLOCK: dict[str, ClockEventKind] = {
    "answer": ClockEventKind.CLARIFICATION_RECEIVED,
    "no_answer": ClockEventKind.CLARIFICATION_LAPSED,
    "verify": ClockEventKind.IDENTITY_RECEIVED,
    "not_proven": ClockEventKind.IDENTITY_LAPSED,
    "fall_back": ClockEventKind.IDENTITY_LAPSED,
}
# What needs no proof (any more) is acknowledged all the same; not a choice, which is carried out within seconds: one letter says
# that it is done. Where a source keeps it waiting, the clock writes (review/clock.py).
# What the proof does not reach is told that a person makes sure who asks.
ON_ROUTE: dict[str, Notice] = {State.LOCATING: Notice.RECEIVED, State.REVIEW: Notice.RECEIVED_TRIAGE}
# What a request that is begun anew does not say: the letter about the appeal has said it.
ARRIVALS = frozenset({Notice.RECEIVED, Notice.RECEIVED_TRIAGE})
# Coming back to TRIAGE by these verbs is not an arrival: no second "we received it". A fee has a letter of its own, and is no
# question.
QUIET_RETURNS = frozenset({"answer", "split", "no_answer", "doubt", "charge_fee"})
# What every known address hears of a deletion or a copy (notifications/known.py). Once the search has ended, those hear of
# the proof that only the sources knew.
KNOWN_HEAR: dict[str, KnownEvent] = {
    **dict.fromkeys(("verify", "route", "classify", "located"), KnownEvent.PROVEN),
    "confirm": KnownEvent.CONFIRMED,
    "approve": KnownEvent.CONFIRMED,
    "release": KnownEvent.RELEASED,
    "hand_over": KnownEvent.RELEASED,
}


@dataclass(frozen=True)
class Because:
    """The decision of a person behind a move: reason code, citation and the text that the requester reads.

    `same_person`: of two looks this is the second one by the same person, on a later day (models/two_people.py).
    `proposal`: what somebody else proposed and this move confirms; the words are theirs. `source`: the one that it is about.
    """

    kind: DecisionKind
    code: str = ""
    citation: str = ""
    text: str = ""
    same_person: bool = False
    proposal: Proposal | None = None
    source: str = ""


@dataclass(frozen=True)
class Inside:
    """A move inside a transaction of the caller's, who has locked the request with lock() and not changed it since.

    `noted` goes to the audit trail just before the move. Where `letters` is a list, what the move tells the person is
    claimed for the caller, who sends it after the commit; if it dies, the outbox does once the lease is over.
    `quiet`: the person is not told that it arrived.
    """

    request: PrivacyRequest
    noted: Sequence[audit.Entry] = ()
    letters: list[outbox.Claimed] | None = None
    quiet: bool = False


def lock(pk: int) -> PrivacyRequest:
    """Lock in the order of the house (Subject, Case, request) and return the fresh request with its case.

    The caller is inside a transaction (see `PrivacyRequestQuerySet.hold`).
    """
    return PrivacyRequest.objects.hold(pk)


def lock_case(pk: int) -> Case:
    """The same for whoever begins with a case and may move its requests: Subject, then Case, fresh. The caller's
    transaction."""
    subject_id = Case.objects.values_list("subject_id", flat=True).get(pk=pk)
    if subject_id:
        Subject.objects.select_for_update().get(pk=subject_id)
    return Case.objects.select_for_update().get(pk=pk)


def move(
    pk: int,
    verb: str,
    *,
    actor: Actor,
    because: Because | None = None,
    inside: Inside | None = None,
    **given: Any,
) -> PrivacyRequest:
    """Carry out one verb on a request, in one transaction: lock, permit, transition, save, audit, outbox, bells.

    `given` goes to the transition (see models/privacy_request.py). `inside` is for a caller that has locked the request
    in a transaction of its own. Returns a fresh object. Raises PrivacyRequest.DoesNotExist, Conflict (wrong state or
    condition), Forbidden (wrong actor), ValueError (bad input).
    """
    if verb not in VERBS:
        raise Conflict(verb)
    if inside and (inside.request.pk != pk or not transaction.get_connection().in_atomic_block):
        raise ValueError("inside")
    now = timezone.now()
    with nullcontext() if inside else transaction.atomic():
        request = inside.request if inside else lock(pk)
        transition = getattr(request, verb)
        # The state is asked first: has_transition_perm() is also False in a wrong state.
        if not can_proceed(transition):
            raise Conflict(f"{verb} in {request.state}")
        if not has_transition_perm(transition, actor):
            raise Forbidden(verb)
        before = str(request.state)
        stored = _columns(request)
        transition(now=now, **given)
        entered = before != request.state
        if entered:
            request.entered_at = now
            if request.outcome in UNASKED_ENDS:
                request.answered_on = clock_events.today(request, now)
        request.save(update_fields=[name for name, value in _columns(request).items() if value != stored[name]])
        decision = decide(request, actor, because) if because else None
        beside = proposals.settle(
            request, verb, because.proposal if because else None, actor, now,
            same_person=bool(because and because.same_person),
        )  # fmt: skip
        if entered and request.is_ended:
            outcomes.write(request)
            records.write(request)
        audit.record(
            request.case,
            *(inside.noted if inside else ()),
            *beside,
            audit.Entry(
                verb, actor, request.pk, before, str(request.state), _details(request, actor, because), at=now,
            ),
        )  # fmt: skip
        _tell_the_clock(request, verb, actor)
        tell = partial(outbox.queue, decision=decision, hand=inside.letters if inside else None)
        told = _enter(request, verb, entered, partial(_unless_quiet, tell) if inside and inside.quiet else tell)
        if entered and request.is_ended and not told:
            # Nobody can be written to: what is known on the page, or was said by telephone, is the answer.
            records.answer_left(request, now)
    return request


def _tell_the_clock(request: PrivacyRequest, verb: str, actor: Actor) -> None:
    """An answer starts the clock again, and so does every end. A proof below the tier answers nothing yet."""
    if verb in ON_CLOCK and not (verb == "verify" and request.state == State.REVIEW):
        clock_events.answered(request, ON_CLOCK[verb], actor=actor)
    if request.is_ended and request.paused_reason:
        clock_events.go_on(request, actor=actor)


def _unless_quiet(tell: Callable[[PrivacyRequest, Notice], object], request: PrivacyRequest, notice: Notice) -> object:
    return None if notice in ARRIVALS else tell(request, notice)


def _columns(request: PrivacyRequest) -> dict[str, Any]:
    return {column.attname: getattr(request, column.attname) for column in request._meta.concrete_fields}


def decide(request: PrivacyRequest, actor: Actor, because: Because) -> Decision:
    """Write a decision down, its text sealed; in the caller's transaction. What was proposed is decided by whoever
    proposed it, and confirmed by the actor."""
    first = because.proposal
    second: dict[str, Any] = (
        {"decided_at": first.proposed_at, "second_by_id": actor.user_id, "second_at": timezone.now()} if first else {}
    )
    return Decision.objects.create(
        request=request, kind=because.kind, code=because.code, citation=because.citation, source=because.source,
        text_sealed=request.case.seal(because.text.strip()[:8000], "decision"),
        same_person=because.same_person or bool(first and first.proposed_by_id == actor.user_id),
        decided_by_id=first.proposed_by_id if first else actor.user_id, **second,
    )  # fmt: skip


def as_whom(case: Case, actor: Actor) -> dict[str, str]:
    """For the audit trail: as what somebody acted who lawfully stands for the person."""
    stands = actor.kind == ActorKind.REQUESTER and case.contact_by == ContactBy.REPRESENTATIVE
    return {"as": case.acts_as} if stands else {}


def _details(request: PrivacyRequest, actor: Actor, because: Because | None) -> dict[str, Any]:
    details: dict[str, Any] = {"right": request.right, **as_whom(request.case, actor)}
    if because and because.code:
        details["code"] = because.code
    if because and because.same_person:
        details["same_person"] = True
    if request.outcome:
        details["outcome"] = request.outcome
    return details


def _wake_followers(copy: PrivacyRequest) -> None:
    """A copy that was asked for first has ended: whoever waited for it is asked to confirm, and their time begins now.

    The case is locked, so nobody else moves its requests."""
    for deletion in copy.followers.filter(state=State.CONFIRMING, waived_copy_at__isnull=True):
        deletion.case = copy.case
        PrivacyRequest.objects.filter(pk=deletion.pk).update(entered_at=timezone.now(), reminders=0, reminded_at=None)
        outbox.queue(deletion, Notice.CONFIRM_READY)


def _enter(request: PrivacyRequest, verb: str, entered: bool, tell: Callable[[PrivacyRequest, Notice], object]) -> bool:
    """Everything that follows from a move; returns whether a letter says how the request has ended."""
    effects = ON_ENTER[request.state]
    ending = None
    if verb in ON_VERB and (verb != "approve" or request.state == State.CONFIRMING):
        tell(request, ON_VERB[verb])
    if verb == "route" and request.state in ON_ROUTE and request.right not in UNVERIFIED_RIGHTS:
        tell(request, ON_ROUTE[request.state])
    if entered:
        if verb not in QUIET_RETURNS:
            for notice in effects.notices:
                tell(request, notice)
        if request.outcome and request.right in COPY_RIGHTS:
            _wake_followers(request)
        if verb in ENDS_BY_VERB:
            ending = tell(request, ENDS_BY_VERB[verb])
        elif effects.by_outcome and request.outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART):
            ending = tell(request, GRANTED[request.right])
        elif request.outcome in effects.by_outcome:
            ending = tell(request, effects.by_outcome[request.outcome])
        bell.ring(*effects.bells)
    _tell_known(request, verb)
    return ending is not None


def _tell_known(request: PrivacyRequest, verb: str) -> None:
    event = None if request.outcome == Outcome.DENIED else KNOWN_HEAR.get(verb)
    if event is None or (request.is_ended and event == KnownEvent.PROVEN):
        return
    if event == KnownEvent.PROVEN and verb != "verify" and not request.case.is_proven:
        return
    if verb == "approve" and request.state != State.FULFILLING:
        # A deletion: the person confirms it first.
        return
    known.tell(request, event)
    if verb == "located" and request.state == State.FULFILLING:
        known.tell(request, KnownEvent.CONFIRMED)


def each(
    found: Iterable[Key], work: Callable[[Key], object], what: str, *, failed: Callable[[Key], object] | None = None
) -> int:
    """Do one piece of work for each key, every one by itself: one person's trouble keeps nobody else waiting (law 9).

    What raises is logged under `what`, by the class of its error alone, and given to `failed`, which shows it at the
    desk; whoever looks next tries it again. Returns for how many `work` said that something was done.
    """
    done = 0
    for key in found:
        try:
            done += bool(work(key))
        except Exception as error:
            log.error(what, key=key, error=type(error).__name__)
            if failed:
                failed(key)
    return done


def in_trouble(pk: int) -> None:
    """Put a request into the queue of the desk: something happened to it that nobody foresaw."""
    PrivacyRequest.objects.filter(pk=pk, attention="").update(attention=StepReason.ERROR)
