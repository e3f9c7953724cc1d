"""Every state, every verb, every kind of actor: what section 5 of the design allows, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from accounts.models import Role
from dsar import audit
from dsar.enums import BOUND_STATES, FINAL_STATES, DecisionKind, Lane, Notice, Outcome, Right, State
from dsar.models import REQUESTER, SYSTEM, Actor, AuditEvent, Decision, Message, PrivacyRequest
from dsar.models.privacy_request import VERBS
from dsar.models.request_conditions import is_copy, overtaken_by_a_deletion
from dsar.workflow import ENDINGS, GRANTED, ON_ENTER, ON_VERB, Because, Conflict, Forbidden, move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")

KINDS = ("requester", "handler", "approver", "auditor", "admin", "nobody", "system")
REQUESTER_ONLY, SYSTEM_ONLY, APPROVERS = {"requester"}, {"system"}, {"approver"}
DESK = {"handler", "approver"}
ANYBODY_OF_THE_CASE = {"requester", "handler", "approver"}

WITHDRAW = {"withdraw": (State.WITHDRAWN, ANYBODY_OF_THE_CASE)}
TRIAGED = {
    "classify": (State.VERIFYING, DESK),
    "split": (State.TRIAGE, DESK),
    "ask": (State.CLARIFYING, DESK),
    "refer": (State.COMPLETED, DESK),
    "merge": (State.COMPLETED, DESK),
    "reject": (State.REJECTED, DESK),
    "refuse": (State.REFUSED, APPROVERS),
    **WITHDRAW,
}
REVIEWED = {
    "refuse": (State.REFUSED, APPROVERS),
    "lapse": (State.LAPSED, APPROVERS),
    "ask": (State.CLARIFYING, DESK),
    "refer": (State.COMPLETED, DESK),
    **WITHDRAW,
}
OVERTAKE = {"overtake": (State.COMPLETED, SYSTEM_ONLY)}
EXTEND = {"extend": (State.REVIEW, DESK)}
CARRY_OUT = {"approve": (State.FULFILLING, APPROVERS)}
APPROVE = {"approve": (State.CONFIRMING, APPROVERS)}
VERIFY = {"verify": (State.LOCATING, REQUESTER_ONLY)}

Expected = dict[str, tuple[State, set[str]]]


@dataclass(frozen=True)
class Situation:
    """A request as it can stand somewhere, and all that may happen to it there."""

    state: State
    build: Callable[[Route], PrivacyRequest]
    allowed: Expected


def _narrow_and(state: State, more: Expected) -> Expected:
    return {"narrow": (state, APPROVERS), **more}


def _under_dispute(state: State) -> Expected:
    return _narrow_and(state, {"dismiss_dispute": (state, APPROVERS), "uphold_dispute": (State.COMPLETED, APPROVERS)})


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
    "verifying": Situation(
        State.VERIFYING, lambda r: r.verifying(), {**VERIFY, **WITHDRAW, "not_proven": (State.REVIEW, SYSTEM_ONLY)}
    ),
    "locating a deletion": Situation(
        State.LOCATING, lambda r: r.locating(), {**WITHDRAW, "located": (State.CONFIRMING, SYSTEM_ONLY)}
    ),
    "locating for a copy": Situation(
        State.LOCATING, lambda r: r.locating(Right.ACCESS), {**WITHDRAW, "located": (State.REVIEW, SYSTEM_ONLY)}
    ),
    "locating for an opt-out": Situation(
        State.LOCATING,
        lambda r: r.locating(Right.OPT_OUT_SALE),
        {**WITHDRAW, "located": (State.FULFILLING, SYSTEM_ONLY)},
    ),
    "locating for a correction": Situation(
        State.LOCATING,
        lambda r: r.locating(Right.CORRECTION),
        {**WITHDRAW, **OVERTAKE, "located": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "review of a deletion": Situation(State.REVIEW, lambda r: r.review(), {**REVIEWED, **EXTEND, **APPROVE}),
    "review of a copy": Situation(State.REVIEW, lambda r: r.review(Right.ACCESS), {**REVIEWED, **EXTEND, **CARRY_OUT}),
    "review of an objection": Situation(
        State.REVIEW, lambda r: r.review(Right.OBJECTION), {**REVIEWED, **EXTEND, **CARRY_OUT, **OVERTAKE}
    ),
    "review, no account named": Situation(
        State.REVIEW,
        lambda r: r.review(Right.KNOW, judgement="no_account"),
        {**REVIEWED, **EXTEND, "nothing_found": (State.COMPLETED, APPROVERS)},
    ),
    "review, extended": Situation(State.REVIEW, lambda r: r.extended(), {**REVIEWED, **APPROVE}),
    "review, never proven": Situation(State.REVIEW, lambda r: r.review_unproven(), {**REVIEWED, **EXTEND, **VERIFY}),
    "review, confirmation never came": Situation(
        State.REVIEW, lambda r: r.review_unanswered(), {**REVIEWED, **EXTEND, **APPROVE}
    ),
    "review, never sorted": Situation(
        State.REVIEW, lambda r: r.review_unsorted(), {**REVIEWED, "classify": (State.VERIFYING, DESK)}
    ),
    "asked in triage": Situation(
        State.CLARIFYING,
        lambda r: r.clarifying(r.triage()),
        {**WITHDRAW, "answer": (State.TRIAGE, ANYBODY_OF_THE_CASE), "no_answer": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "asked in review": Situation(
        State.CLARIFYING,
        lambda r: r.clarifying(r.review()),
        {**WITHDRAW, "answer": (State.REVIEW, ANYBODY_OF_THE_CASE), "no_answer": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "confirming": Situation(
        State.CONFIRMING,
        lambda r: r.confirming(),
        {**WITHDRAW, "confirm": (State.RELEASING, REQUESTER_ONLY), "unanswered": (State.REVIEW, SYSTEM_ONLY)},
    ),
    "confirming, the copy comes first": Situation(
        State.CONFIRMING, lambda r: r.confirming_after_a_copy(), {**WITHDRAW, "unanswered": (State.REVIEW, SYSTEM_ONLY)}
    ),
    "releasing, the copy comes first": Situation(
        State.RELEASING,
        lambda r: r.releasing_after_a_copy(),
        _narrow_and(State.RELEASING, {"dispute": (State.RELEASING, REQUESTER_ONLY)}),
    ),
    "releasing, in the quiet period": Situation(
        State.RELEASING,
        lambda r: r.releasing(QUIET),
        _narrow_and(State.RELEASING, {"dispute": (State.RELEASING, REQUESTER_ONLY)}),
    ),
    "releasing, after the quiet period": Situation(
        State.RELEASING,
        lambda r: r.releasing(),
        _narrow_and(
            State.RELEASING,
            {"dispute": (State.RELEASING, REQUESTER_ONLY), "release": (State.FULFILLING, APPROVERS)},
        ),
    ),
    "releasing, disputed": Situation(
        State.RELEASING, lambda r: r.disputed(r.releasing()), _under_dispute(State.RELEASING)
    ),
    "fulfilling": Situation(
        State.FULFILLING,
        lambda r: r.fulfilling(),
        _narrow_and(
            State.FULFILLING,
            {"dispute": (State.FULFILLING, REQUESTER_ONLY), "settle": (State.COMPLETED, SYSTEM_ONLY)},
        ),
    ),
    "fulfilling, disputed": Situation(
        State.FULFILLING, lambda r: r.disputed(r.fulfilling()), _under_dispute(State.FULFILLING)
    ),
    "fulfilling a copy": Situation(
        State.FULFILLING, lambda r: r.carrying_out(Right.ACCESS), {"packed": (State.CHECKING, SYSTEM_ONLY)}
    ),
    "fulfilling a correction": Situation(
        State.FULFILLING,
        lambda r: r.carrying_out(Right.CORRECTION),
        {**OVERTAKE, "settle": (State.COMPLETED, SYSTEM_ONLY)},
    ),
    "checking": Situation(
        State.CHECKING,
        lambda r: r.checking(),
        {"hand_over": (State.COMPLETED, APPROVERS), "send_back": (State.FULFILLING, DESK)},
    ),
    "completed, carried out": Situation(State.COMPLETED, lambda r: r.completed(), {}),
    "refused": Situation(State.REFUSED, lambda r: move(r.review().pk, "refuse", actor=r.approver), {}),
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
        State.COMPLETED, lambda r: move(r.releasing().pk, "narrow", actor=r.approver, nothing_left=True), {}
    ),
    "completed, referred": Situation(State.COMPLETED, lambda r: move(r.review().pk, "refer", actor=r.handler), {}),
    "completed, merged": Situation(State.COMPLETED, lambda r: move(r.triage().pk, "merge", actor=r.handler), {}),
}


def given(verb: str) -> dict[str, object]:
    """What each verb must be told."""
    day = timezone.localdate() + timedelta(days=30)
    return {
        "route": {"clear": True},
        "classify": {"right": Right.DELETION, "due_on": day, "target_on": day, "tier": 2},
        "ask": {"answer_by": timezone.now() + timedelta(days=14)},
        "located": {"nothing_held": False, "judgement": []},
        "lapse": {"outcome": Outcome.NOT_PROVEN},
        "extend": {"due_on": day, "target_on": day},
        "confirm": {"quiet": QUIET},
        "narrow": {"nothing_left": False},
        "settle": {"outcome": Outcome.GRANTED},
        "hand_over": {"outcome": Outcome.GRANTED},
    }.get(verb, {})  # type: ignore[return-value]


@pytest.fixture
def actors(db: None) -> dict[str, Actor]:
    """One of each kind; `nobody` is a signed-in person without a role at the desk."""
    roles = {"handler": Role.HANDLER, "approver": Role.APPROVER, "auditor": Role.AUDITOR, "admin": Role.ADMIN}
    found = {name: drive.person_of_the_desk(role) for name, role in roles.items()}
    return {**found, "nobody": drive.person_of_the_desk(Role.NONE), "requester": REQUESTER, "system": SYSTEM}


@pytest.fixture
def route(actors: dict[str, Actor]) -> Route:
    return Route(actors["handler"], actors["approver"])


def attempt(pk: int, verb: str, actor: Actor) -> str:
    """What comes of it: the state afterwards, or which refusal. A move that succeeds is undone again."""
    try:
        with transaction.atomic():
            after = str(move(pk, verb, actor=actor, **given(verb)).state)
            transaction.set_rollback(True)
    except Conflict:
        return "conflict"
    except Forbidden:
        return "forbidden"
    return after


def expected(situation: Situation, verb: str, kind: str) -> str:
    """By the table above: a verb that is not there is a conflict whoever tries, another actor is forbidden."""
    if verb not in situation.allowed:
        return "conflict"
    target, who = situation.allowed[verb]
    return str(target) if kind in who else "forbidden"


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_verb_by_every_actor_does_what_the_design_allows_and_nothing_else(
    name: str, route: Route, actors: dict[str, Actor]
) -> None:
    situation = SITUATIONS[name]
    request = situation.build(route)
    assert request.state == situation.state
    trail = AuditEvent.objects.count(), Message.objects.count(), Decision.objects.count()
    wrong = {}
    for verb in VERBS:
        for kind in KINDS:
            found, wanted = attempt(request.pk, verb, actors[kind]), expected(situation, verb, kind)
            if found != wanted:
                wrong[verb, kind] = f"{found} instead of {wanted}"
    assert not wrong
    assert (AuditEvent.objects.count(), Message.objects.count(), Decision.objects.count()) == trail
    assert drive.fresh(request.pk).state == situation.state


def test_the_matrix_is_complete() -> None:
    assert {situation.state for situation in SITUATIONS.values()} == set(State)
    transitions = {name for name in dir(PrivacyRequest) if hasattr(getattr(PrivacyRequest, name, None), "_django_fsm")}
    assert transitions == set(VERBS)
    assert {verb for situation in SITUATIONS.values() for verb in situation.allowed} == set(VERBS)
    for state in FINAL_STATES:
        assert all(not situation.allowed for situation in SITUATIONS.values() if situation.state == state)


@pytest.mark.parametrize("build", [lambda r: r.releasing(), lambda r: r.fulfilling()], ids=["releasing", "fulfilling"])
def test_law_03_after_the_confirmation_no_verb_of_anybody_leads_back(
    build: Callable[[Route], PrivacyRequest], route: Route, actors: dict[str, Actor]
) -> None:
    pk = build(route).pk
    reached = {attempt(pk, verb, actor) for verb in VERBS for actor in actors.values()}
    assert reached - {"conflict", "forbidden"} <= set(BOUND_STATES)
    assert drive.fresh(pk).confirmed_at is not None


def test_law_03_no_transition_that_starts_bound_ends_anywhere_else() -> None:
    """The same by construction: read off the machine instead of tried."""
    never_a_deletion = {is_copy, overtaken_by_a_deletion}
    for verb in VERBS:
        for source, transition in getattr(PrivacyRequest, verb)._django_fsm.transitions.items():
            assert source != "*"
            if source in (State.RELEASING, State.FULFILLING) and not never_a_deletion & set(transition.conditions):
                targets = getattr(transition.target, "allowed_states", None) or [transition.target]
                assert set(targets) <= set(BOUND_STATES), verb


def test_nothing_is_withdrawn_by_saying_it_twice(route: Route) -> None:
    request = route.verifying()
    move(request.pk, "withdraw", actor=REQUESTER)
    with pytest.raises(Conflict):
        move(request.pk, "withdraw", actor=REQUESTER)


def test_an_unknown_verb_is_a_conflict(route: Route) -> None:
    pk = route.verifying().pk
    for verb in ("delete", "save", "reopen", "_end", "__class__", ""):
        with pytest.raises(Conflict):
            move(pk, verb, actor=REQUESTER)


def test_a_request_that_is_not_there_is_named_so(db: None) -> None:
    with pytest.raises(PrivacyRequest.DoesNotExist):
        move(0, "withdraw", actor=REQUESTER)


@pytest.mark.parametrize(
    ("verb", "wrong"),
    [
        ("classify", {"right": "everything", "due_on": None, "target_on": None, "tier": 2}),
        ("classify", {"right": "", "due_on": None, "target_on": None, "tier": 2}),
    ],
)
def test_a_right_that_does_not_exist_is_refused_and_changes_nothing(
    route: Route, verb: str, wrong: dict[str, object]
) -> None:
    request = route.triage()
    with pytest.raises(ValueError, match="right"):
        move(request.pk, verb, actor=route.handler, **wrong)
    assert drive.fresh(request.pk).state == State.TRIAGE


@pytest.mark.parametrize("outcome", [Outcome.GRANTED, Outcome.REJECTED, Outcome.DENIED, "", "whatever"])
def test_a_lapse_ends_unproven_or_unanswered_and_as_nothing_else(route: Route, outcome: str) -> None:
    request = route.review_unproven()
    with pytest.raises(ValueError, match="outcome"):
        move(request.pk, "lapse", actor=route.approver, outcome=outcome)
    assert drive.fresh(request.pk).state == State.REVIEW


def test_settling_is_granting_and_nothing_else(route: Route) -> None:
    request = route.fulfilling()
    with pytest.raises(ValueError, match="outcome"):
        move(request.pk, "settle", actor=SYSTEM, outcome=Outcome.WITHDRAWN)
    assert drive.fresh(request.pk).state == State.FULFILLING


# --- where the verbs lead, beyond the table ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "nothing_held", "judgement", "state", "outcome"),
    [
        (Right.DELETION, False, [], State.CONFIRMING, ""),
        (Right.DELETION, False, ["hold"], State.REVIEW, ""),
        (Right.DELETION, True, [], State.COMPLETED, Outcome.NOTHING_HELD),
        (Right.ACCESS, False, [], State.REVIEW, ""),
        (Right.ACCESS, True, [], State.COMPLETED, Outcome.NOTHING_HELD),
        (Right.CORRECTION, False, [], State.REVIEW, ""),
    ],
)
def test_a_search_leads_to_the_person_to_staff_or_to_the_end(
    route: Route, right: str, nothing_held: bool, judgement: list[str], state: str, outcome: str
) -> None:
    after = move(route.locating(right).pk, "located", actor=SYSTEM, nothing_held=nothing_held, judgement=judgement)
    assert (after.state, after.outcome) == (state, outcome)


@pytest.mark.parametrize("right", [right for right in Right if right])
def test_law_12_only_what_must_be_proven_is_asked_to_be(db: None, right: Right) -> None:
    opt_outs = {
        "opt_out_sale", "opt_out_targeted", "limit_sensitive", "marketing_opt_out", "withdraw_consent",
    }  # fmt: skip
    request = drive.a_request(right=right)
    assert request.state == (State.LOCATING if right.value in opt_outs else State.VERIFYING)
    assert Message.objects.filter(request=request, notice=Notice.RECEIVED_VERIFY).exists() == (
        right.value not in opt_outs
    )


def test_a_question_brings_the_request_back_to_where_it_was_asked(route: Route) -> None:
    for request, home in ((route.triage(), State.TRIAGE), (route.review(), State.REVIEW)):
        asked = route.clarifying(request)
        assert asked.answer_by is not None
        back = move(asked.pk, "answer", actor=REQUESTER)
        assert (back.state, back.asked_in, back.answer_by) == (home, "", None)


def test_narrowed_to_nothing_is_a_denial(route: Route) -> None:
    for request in (route.releasing(), route.fulfilling()):
        after = move(request.pk, "narrow", actor=route.approver, nothing_left=True)
        assert (after.state, after.outcome) == (State.COMPLETED, Outcome.DENIED)
        assert after.confirmed_at is not None


@pytest.mark.parametrize("name", ENDS)
def test_every_end_has_an_outcome_and_a_time(route: Route, name: str) -> None:
    request = ENDS[name].build(route)
    assert request.outcome in set(Outcome) - {Outcome.OPEN}
    assert request.ended_at is not None


# --- what entering a state sets off ----------------------------------------------------------------------------------


def test_on_enter_knows_every_state_that_can_be_entered() -> None:
    # CHECKING is entered by no verb before copies are carried out; RECEIVED is where a request begins.
    entered = {situation.state for situation in SITUATIONS.values()} - {State.RECEIVED, State.CHECKING}
    assert entered <= set(ON_ENTER) <= set(State)
    targets = set()
    for verb in VERBS:
        for transition in getattr(PrivacyRequest, verb)._django_fsm.transitions.values():
            targets |= set(getattr(transition.target, "allowed_states", None) or [transition.target])
    assert targets <= set(ON_ENTER)


def test_law_15_every_end_but_spam_has_a_letter() -> None:
    assert set(ENDINGS) == set(Outcome) - {Outcome.OPEN, Outcome.REJECTED, Outcome.GRANTED, Outcome.GRANTED_IN_PART}
    assert set(GRANTED) == set(Right) - {Right.UNCLEAR}
    for state in (State.COMPLETED, State.REFUSED, State.WITHDRAWN, State.LAPSED):
        assert ON_ENTER[state].by_outcome == ENDINGS
    assert ON_ENTER[State.REJECTED].by_outcome == {}
    assert ON_ENTER[State.REJECTED].notices == ()


@pytest.mark.parametrize("name", ENDS)
def test_law_15_an_end_queues_exactly_the_letter_of_its_outcome(route: Route, name: str) -> None:
    request = ENDS[name].build(route)
    letters = set(Message.objects.filter(request=request).values_list("notice", flat=True))
    ends = {**ENDINGS, Outcome.GRANTED: GRANTED.get(request.right)}
    wanted = {ends[request.outcome]} if request.outcome != Outcome.REJECTED else set()
    assert letters & {*ENDINGS.values(), *GRANTED.values()} == wanted


@pytest.mark.parametrize(
    ("build", "notice"),
    [
        (lambda r: r.triage(), Notice.RECEIVED_TRIAGE),
        (lambda r: r.verifying(), Notice.RECEIVED_VERIFY),
        (lambda r: r.clarifying(r.review()), Notice.ASK),
        (lambda r: move(r.review().pk, "approve", actor=r.approver), Notice.CONFIRM_READY),
        (lambda r: r.extended(), Notice.EXTENDED),
        (lambda r: move(r.clarifying(r.review()).pk, "answer", actor=REQUESTER), Notice.ANSWERED),
        (lambda r: r.releasing(), Notice.CONFIRMED),
        (lambda r: r.disputed(r.releasing()), Notice.DISPUTE_NOTED),
    ],
)
def test_the_person_is_told_when_the_ball_changes_sides(
    route: Route, build: Callable[[Route], PrivacyRequest], notice: Notice
) -> None:
    request = build(route)
    assert Message.objects.filter(request=request, notice=notice).count() == 1
    assert all(named in set(Notice) for named in ON_VERB.values())


def test_coming_back_to_triage_is_no_second_receipt(route: Route) -> None:
    request = route.triage()
    move(request.pk, "split", actor=route.handler)
    move(route.clarifying(request).pk, "answer", actor=REQUESTER)
    assert Message.objects.filter(request=request, notice=Notice.RECEIVED_TRIAGE).count() == 1


@pytest.mark.parametrize(
    ("state", "lanes"),
    [
        (State.VERIFYING, {Lane.LOCATE}), (State.LOCATING, {Lane.LOCATE}), (State.RELEASING, {Lane.CLOSE}),
        (State.FULFILLING, {Lane.FULFIL}), (State.TRIAGE, set()), (State.REVIEW, set()), (State.COMPLETED, set()),
    ],
)  # fmt: skip
def test_the_workers_of_a_state_are_woken_when_it_is_entered(state: State, lanes: set[Lane]) -> None:
    assert set(ON_ENTER[state].bells) == lanes


# --- only by the door ------------------------------------------------------------------------------------------------


def test_law_02_the_state_cannot_be_assigned(route: Route) -> None:
    request = drive.fresh(route.verifying().pk)
    with pytest.raises(AttributeError):
        request.state = State.RELEASING
    with pytest.raises(AttributeError):
        setattr(request, "state", State.COMPLETED)  # noqa: B010
    assert drive.fresh(request.pk).state == State.VERIFYING


def test_law_02_a_verb_called_on_the_object_alone_is_not_even_possible_in_a_wrong_state(route: Route) -> None:
    request = drive.fresh(route.verifying().pk)
    with pytest.raises(TransitionNotAllowed):
        request.confirm(now=timezone.now(), quiet=timedelta(0))


def test_a_decision_is_written_with_its_move_and_names_who_took_it(route: Route) -> None:
    request = route.review()
    because = Because(DecisionKind.REFUSE, "EU_MANIFESTLY_UNFOUNDED", "GDPR Art 12(5)(b)", "Because of this.")
    move(request.pk, "refuse", actor=route.approver, because=because)
    decision = Decision.objects.get(request=request)
    assert (decision.kind, decision.code, decision.decided_by_id) == (
        DecisionKind.REFUSE, "EU_MANIFESTLY_UNFOUNDED", route.approver.user_id,
    )  # fmt: skip
    assert drive.fresh(request.pk).case.unseal(decision.text_sealed, "decision") == "Because of this."


def test_every_move_is_one_event_of_its_case_with_both_states(route: Route) -> None:
    request = route.verifying()
    before = AuditEvent.objects.filter(chain=request.case.chain).count()
    move(request.pk, "withdraw", actor=REQUESTER)
    event = AuditEvent.objects.filter(chain=request.case.chain).order_by("number").last()
    assert event is not None
    assert event.number == before + 1
    assert (event.what, event.from_state, event.to_state, event.actor_kind) == (
        "withdraw", State.VERIFYING, State.WITHDRAWN, "requester",
    )  # fmt: skip
    assert audit.verify() == []
