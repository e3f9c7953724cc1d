"""Every place where a request can stand, and all that may happen to it there: section 5 of the design as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from dsar.enums import FINAL_STATES, DecisionKind, Outcome, Right, State
from dsar.models import REQUESTER, SYSTEM, Actor, PrivacyRequest
from dsar.workflow import Conflict, Forbidden, move
from tests import drive
from tests.drive import Route

KINDS = ("requester", "handler", "approver", "auditor", "admin", "nobody", "system")
REQUESTER_ONLY, SYSTEM_ONLY, APPROVERS = {"requester"}, {"system"}, {"approver"}
DESK = {"handler", "approver"}
ANYBODY_OF_THE_CASE = {"requester", "handler", "approver"}

WITHDRAW = {"withdraw": (State.WITHDRAWN, ANYBODY_OF_THE_CASE)}
# "This was not me", where nothing is bound yet.
DOUBT = {"doubt": (State.REVIEW, REQUESTER_ONLY)}
DOUBT_UNSORTED = {"doubt": (State.TRIAGE, REQUESTER_ONLY)}
TRIAGED = {
    "classify": (State.VERIFYING, DESK),
    "split": (State.TRIAGE, DESK),
    "ask": (State.CLARIFYING, DESK),
    "refer": (State.COMPLETED, DESK),
    "merge": (State.COMPLETED, DESK),
    "reject": (State.REJECTED, DESK),
    **WITHDRAW,
    **DOUBT_UNSORTED,
}
REVIEWED = {
    "ask": (State.CLARIFYING, DESK),
    **WITHDRAW,
    **DOUBT,
}
# What stands without the answer that was asked for last.
LAPSE = {"lapse": (State.LAPSED, APPROVERS)}
# What nobody has proven is referred by one.
REFER = {"refer": (State.COMPLETED, DESK)}
CHARGE = {"charge_fee": (State.CLARIFYING, APPROVERS)}
# Once somebody else has proposed it.
REFUSE = {"refuse": (State.REFUSED, APPROVERS)}
OVERTAKE = {"overtake": (State.COMPLETED, SYSTEM_ONLY)}
EXTEND = {"extend": (State.REVIEW, DESK)}
CARRY_OUT = {"approve": (State.FULFILLING, APPROVERS)}
APPROVE = {"approve": (State.CONFIRMING, APPROVERS)}
START_OVER = {"start_over": (State.LOCATING, SYSTEM_ONLY)}
VERIFY = {"verify": (State.LOCATING, REQUESTER_ONLY)}

Expected = dict[str, tuple[State, set[str]]]


@dataclass(frozen=True)
class Situation:
    """A request as it can stand somewhere, and all that may happen to it there."""

    state: State
    build: Callable[[Route], PrivacyRequest]
    allowed: Expected
    lapses_as: Outcome = Outcome.NOT_PROVEN


def _under_dispute(state: State) -> Expected:
    return {"dismiss_dispute": (state, APPROVERS), "uphold_dispute": (State.COMPLETED, APPROVERS)}


def _narrowing(request: PrivacyRequest) -> PrivacyRequest:
    return drive.proposed(request, DecisionKind.NARROW)


def _wants_more(request: PrivacyRequest) -> PrivacyRequest:
    PrivacyRequest.objects.filter(pk=request.pk).update(tier_needed=3)
    return drive.fresh(request.pk)


QUIET = timedelta(hours=72)
SITUATIONS: dict[str, Situation] = {
    "received": Situation(State.RECEIVED, lambda r: drive.unrouted(), {"route": (State.VERIFYING, SYSTEM_ONLY)}),
    "received, which right is unclear": Situation(
        State.RECEIVED, lambda r: drive.unrouted(""), {"route": (State.TRIAGE, SYSTEM_ONLY)}
    ),
    "received, an opt-out": Situation(
        State.RECEIVED, lambda r: drive.unrouted(Right.MARKETING_OPT_OUT), {"route": (State.LOCATING, SYSTEM_ONLY)}
    ),
    "received, in a case that is proven": Situation(
        State.RECEIVED, lambda r: drive.unrouted(Right.ACCESS, proven=True), {"route": (State.LOCATING, SYSTEM_ONLY)}
    ),
    "triage": Situation(State.TRIAGE, lambda r: r.triage(), TRIAGED),
    "triage, in a case that is proven": Situation(
        State.TRIAGE, lambda r: r.triage(proven=True), {**TRIAGED, "classify": (State.LOCATING, DESK)}
    ),
    "triage, a refusal is proposed": Situation(
        State.TRIAGE, lambda r: drive.proposed(r.triage()), {**TRIAGED, **REFUSE}
    ),
    "verifying": Situation(
        State.VERIFYING,
        lambda r: r.verifying(),
        {**VERIFY, **WITHDRAW, **DOUBT, "not_proven": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "locating a deletion": Situation(
        State.LOCATING, lambda r: r.locating(), {**WITHDRAW, **DOUBT, "located": (State.CONFIRMING, SYSTEM_ONLY)}
    ),
    "locating for a copy": Situation(
        State.LOCATING,
        lambda r: r.locating(Right.ACCESS),
        {**WITHDRAW, **DOUBT, "located": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "locating for an opt-out": Situation(
        State.LOCATING,
        lambda r: r.locating(Right.OPT_OUT_SALE),
        {**WITHDRAW, "located": (State.FULFILLING, SYSTEM_ONLY)},
    ),
    "locating for a correction": Situation(
        State.LOCATING,
        lambda r: r.locating(Right.CORRECTION),
        {**WITHDRAW, **DOUBT, **OVERTAKE, "located": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "review of a deletion": Situation(State.REVIEW, lambda r: r.review(), {**REVIEWED, **EXTEND, **CHARGE, **APPROVE}),
    "review of a deletion, a refusal is proposed": Situation(
        State.REVIEW, lambda r: drive.proposed(r.review()), {**REVIEWED, **EXTEND, **CHARGE, **APPROVE, **REFUSE}
    ),
    "review of a copy": Situation(
        State.REVIEW, lambda r: r.review(Right.ACCESS), {**REVIEWED, **EXTEND, **CHARGE, **CARRY_OUT}
    ),
    "review of an objection": Situation(
        State.REVIEW, lambda r: r.review(Right.OBJECTION), {**REVIEWED, **EXTEND, **CHARGE, **CARRY_OUT, **OVERTAKE}
    ),
    "review, no account named": Situation(
        State.REVIEW,
        lambda r: r.review(Right.KNOW, judgement="no_account"),
        {**REVIEWED, **EXTEND, **CHARGE, "nothing_found": (State.COMPLETED, APPROVERS)},
    ),
    "review, extended": Situation(State.REVIEW, lambda r: r.extended(), {**REVIEWED, **CHARGE, **APPROVE}),
    "review, a proposal to refer it": Situation(
        State.REVIEW,
        lambda r: drive.proposed(r.review(), code="NOT_OUR_CONTROLLER"),
        {**REVIEWED, **EXTEND, **CHARGE, **APPROVE, "refuse": (State.COMPLETED, APPROVERS)},
    ),
    "review, a proposal to end it as not proven": Situation(
        State.REVIEW,
        lambda r: drive.proposed(r.review(), code="IDENTITY_NOT_PROVEN"),
        {**REVIEWED, **EXTEND, **CHARGE, **APPROVE, "refuse": (State.LAPSED, APPROVERS)},
    ),
    "review, this was not me": Situation(
        State.REVIEW,
        lambda r: move(r.review().pk, "doubt", actor=REQUESTER),
        {**REVIEWED, **EXTEND, **CHARGE, **APPROVE},
    ),
    "review, a question stands without an answer": Situation(
        State.REVIEW,
        lambda r: r.review_without_an_answer(),
        {**REVIEWED, **EXTEND, **CHARGE, **APPROVE, **LAPSE},
        Outcome.UNANSWERED,
    ),
    "review, written since the question": Situation(
        State.REVIEW,
        lambda r: drive.wrote(r.review_without_an_answer()),
        {**REVIEWED, **EXTEND, **CHARGE, **APPROVE},
        Outcome.UNANSWERED,
    ),
    "review, a fee was not paid": Situation(
        State.REVIEW, lambda r: r.review_unpaid(), {**REVIEWED, **EXTEND, **CHARGE, **CARRY_OUT}, Outcome.UNANSWERED
    ),
    "review, never proven": Situation(
        State.REVIEW, lambda r: r.review_unproven(), {**REVIEWED, **EXTEND, **VERIFY, **REFER, **LAPSE}
    ),
    "review, never proven and the time is not over": Situation(
        State.REVIEW,
        lambda r: move(r.verifying().pk, "doubt", actor=REQUESTER),
        {**REVIEWED, **EXTEND, **VERIFY, **REFER},
    ),
    "review, proven below its tier": Situation(
        State.REVIEW,
        lambda r: r.review_below_its_tier(),
        {
            **REVIEWED,
            **EXTEND,
            "verify": (State.REVIEW, REQUESTER_ONLY),
            "fall_back": (State.LOCATING, {*ANYBODY_OF_THE_CASE, "system"}),
        },
    ),
    "received, in a case that is proven below its tier": Situation(
        State.RECEIVED,
        lambda r: drive.unrouted(Right.ACCESS, proven=True, country="US-CA"),
        {"route": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "review, confirmation never came": Situation(
        State.REVIEW,
        lambda r: r.review_unanswered(),
        {**REVIEWED, **EXTEND, **CHARGE, **APPROVE, **LAPSE},
        Outcome.UNANSWERED,
    ),
    "review, never sorted": Situation(
        State.REVIEW,
        lambda r: r.review_unsorted(),
        {**REVIEWED, **REFER, **LAPSE, **DOUBT_UNSORTED, "classify": (State.VERIFYING, DESK)},
        Outcome.UNANSWERED,
    ),
    "asked in triage": Situation(
        State.CLARIFYING,
        lambda r: r.clarifying(r.triage()),
        {
            **WITHDRAW,
            **DOUBT_UNSORTED,
            "answer": (State.TRIAGE, ANYBODY_OF_THE_CASE),
            "no_answer": (State.REVIEW, SYSTEM_ONLY),
        },
    ),
    "asked in review": Situation(
        State.CLARIFYING,
        lambda r: r.clarifying(r.review()),
        {**WITHDRAW, **DOUBT, "answer": (State.REVIEW, ANYBODY_OF_THE_CASE), "no_answer": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "asked for a fee": Situation(
        State.CLARIFYING,
        lambda r: r.fee_asked(),
        {
            **WITHDRAW,
            **DOUBT,
            "answer": (State.REVIEW, ANYBODY_OF_THE_CASE),
            "unpaid": (State.REVIEW, SYSTEM_ONLY),
            "settle_fee": (State.REVIEW, DESK),
        },
    ),
    "confirming": Situation(
        State.CONFIRMING,
        lambda r: r.confirming(),
        {
            **WITHDRAW,
            **DOUBT,
            "confirm": (State.RELEASING, REQUESTER_ONLY),
            "unanswered": (State.REVIEW, SYSTEM_ONLY),
            **START_OVER,
        },
    ),
    "confirming, proven below what it takes by now": Situation(
        State.CONFIRMING,
        lambda r: _wants_more(r.confirming()),
        {**WITHDRAW, **DOUBT, **START_OVER, "unanswered": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "locating a deletion, proven below what it takes by now": Situation(
        State.LOCATING,
        lambda r: _wants_more(r.locating()),
        {**WITHDRAW, **DOUBT, "located": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "confirming, the copy comes first": Situation(
        State.CONFIRMING,
        lambda r: r.confirming_after_a_copy(),
        {**WITHDRAW, **DOUBT, **START_OVER, "unanswered": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "releasing, the copy comes first": Situation(
        State.RELEASING,
        lambda r: r.releasing_after_a_copy(),
        {"dispute": (State.RELEASING, REQUESTER_ONLY)},
    ),
    "releasing, in the quiet period": Situation(
        State.RELEASING,
        lambda r: r.releasing(QUIET),
        {"dispute": (State.RELEASING, REQUESTER_ONLY)},
    ),
    "releasing, after the quiet period": Situation(
        State.RELEASING,
        lambda r: r.releasing(),
        {"dispute": (State.RELEASING, REQUESTER_ONLY), "release": (State.FULFILLING, APPROVERS)},
    ),
    "releasing, narrowing is proposed": Situation(
        State.RELEASING,
        lambda r: _narrowing(r.releasing()),
        {"dispute": (State.RELEASING, REQUESTER_ONLY), "narrow": (State.RELEASING, APPROVERS)},
    ),
    "fulfilling, narrowing is proposed": Situation(
        State.FULFILLING,
        lambda r: _narrowing(r.fulfilling()),
        {
            "dispute": (State.FULFILLING, REQUESTER_ONLY),
            "settle": (State.COMPLETED, SYSTEM_ONLY),
            "narrow": (State.FULFILLING, APPROVERS),
        },
    ),
    "releasing, disputed": Situation(
        State.RELEASING, lambda r: r.disputed(r.releasing()), _under_dispute(State.RELEASING)
    ),
    "fulfilling": Situation(
        State.FULFILLING,
        lambda r: r.fulfilling(),
        {"dispute": (State.FULFILLING, REQUESTER_ONLY), "settle": (State.COMPLETED, SYSTEM_ONLY)},
    ),
    "fulfilling, disputed": Situation(
        State.FULFILLING, lambda r: r.disputed(r.fulfilling()), _under_dispute(State.FULFILLING)
    ),
    "fulfilling a copy": Situation(
        State.FULFILLING,
        lambda r: r.carrying_out(Right.ACCESS),
        {**WITHDRAW, **DOUBT, "packed": (State.CHECKING, SYSTEM_ONLY)},
    ),
    "fulfilling a correction": Situation(
        State.FULFILLING,
        lambda r: r.carrying_out(Right.CORRECTION),
        {**OVERTAKE, **DOUBT, "settle": (State.COMPLETED, SYSTEM_ONLY)},
    ),
    "fulfilling an opt-out": Situation(
        State.FULFILLING,
        lambda r: move(r.locating(Right.OPT_OUT_SALE).pk, "located", actor=SYSTEM, nothing_held=False, judgement=[]),
        {"settle": (State.COMPLETED, SYSTEM_ONLY)},
    ),
    "checking": Situation(
        State.CHECKING,
        lambda r: r.checking(),
        {**WITHDRAW, **DOUBT, "hand_over": (State.COMPLETED, APPROVERS), "send_back": (State.FULFILLING, DESK)},
    ),
    "completed, carried out": Situation(State.COMPLETED, lambda r: r.completed(), {}),
    "refused": Situation(State.REFUSED, lambda r: move(drive.proposed(r.review()).pk, "refuse", actor=r.approver), {}),
    "withdrawn": Situation(State.WITHDRAWN, lambda r: move(r.confirming().pk, "withdraw", actor=REQUESTER), {}),
    "lapsed": Situation(State.LAPSED, lambda r: r.lapsed(), {}),
    "rejected": Situation(State.REJECTED, lambda r: move(r.triage().pk, "reject", actor=r.handler), {}),
}

# Other ways to end in COMPLETED: the state is the same, outcome and letter are not.
ENDS: dict[str, Situation] = {
    **{name: one for name, one in SITUATIONS.items() if one.state in FINAL_STATES},
    "completed, nothing held": Situation(
        State.COMPLETED,
        lambda r: move(r.locating().pk, "located", actor=SYSTEM, nothing_held=True, judgement=[]),
        {},
    ),
    "completed, dispute upheld": Situation(
        State.COMPLETED, lambda r: move(r.disputed(r.releasing()).pk, "uphold_dispute", actor=r.approver), {}
    ),
    "completed, narrowed to nothing": Situation(
        State.COMPLETED,
        lambda r: move(_narrowing(r.releasing()).pk, "narrow", actor=r.approver, nothing_left=True),
        {},
    ),
    "completed, referred": Situation(State.COMPLETED, lambda r: move(r.triage().pk, "refer", actor=r.handler), {}),
    "completed, merged": Situation(State.COMPLETED, lambda r: move(r.triage().pk, "merge", actor=r.handler), {}),
}


def given(verb: str) -> dict[str, object]:
    """What each verb must be told."""
    day = timezone.localdate() + timedelta(days=30)
    return {
        "route": {"clear": True},
        "classify": {"right": Right.DELETION, "due_on": day, "target_on": day, "tier": 2},
        "verify": {"tier": 2},
        "fall_back": {"right": Right.KNOW, "due_on": day, "target_on": day, "tier": 2},
        "ask": {"answer_by": timezone.now() + timedelta(days=14)},
        "charge_fee": {"answer_by": timezone.now() + timedelta(days=30)},
        "located": {"nothing_held": False, "judgement": []},
        "lapse": {"outcome": Outcome.NOT_PROVEN},
        "extend": {"due_on": day, "target_on": day},
        "confirm": {"quiet": QUIET},
        "narrow": {"nothing_left": False},
        "settle": {"outcome": Outcome.GRANTED},
        "hand_over": {"outcome": Outcome.GRANTED},
    }.get(verb, {})  # type: ignore[return-value]


def attempt(
    pk: int, verb: str, actor: Actor, lapses_as: Outcome = Outcome.NOT_PROVEN, *, back_to: str | None = None
) -> str:
    """What comes of it: the state afterwards, or which refusal. A move that succeeds is undone again, back to a savepoint of
    the caller's; one that is refused undoes itself."""
    back_to = back_to or transaction.savepoint()
    told = given(verb) if verb != "lapse" else {"outcome": lapses_as}
    try:
        after = str(move(pk, verb, actor=actor, **told).state)
    except Conflict:
        return "conflict"
    except Forbidden:
        return "forbidden"
    transaction.savepoint_rollback(back_to)
    return after


def expected(situation: Situation, verb: str, kind: str) -> str:
    """By the table above: a verb that is not there is a conflict whoever tries, another actor is forbidden."""
    if verb not in situation.allowed:
        return "conflict"
    target, who = situation.allowed[verb]
    return str(target) if kind in who else "forbidden"
