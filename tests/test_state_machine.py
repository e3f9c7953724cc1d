"""Every state, every verb, every kind of actor: what section 5 of the design allows, and nothing else."""

from collections.abc import Callable

import pytest
from django.db import transaction

from dsar.enums import BOUND_STATES, FINAL_STATES, DecisionKind, Outcome, Right, State
from dsar.models import REQUESTER, SYSTEM, Actor, AuditEvent, Decision, Message, PrivacyRequest
from dsar.models.privacy_request import VERBS
from dsar.models.request_conditions import is_copy, is_never_confirmed, overtaken_by_a_deletion
from dsar.notices import Notice
from dsar.workflow import Conflict, lock, move
from tests import drive
from tests.drive import Route
from tests.situations import (
    ENDS,
    KINDS,
    SITUATIONS,
    attempt,
    expected,
)

pytestmark = pytest.mark.usefixtures("own_journal")


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_verb_by_every_actor_does_what_the_design_allows_and_nothing_else(
    name: str, route: Route, actors: dict[str, Actor]
) -> None:
    situation = SITUATIONS[name]
    request = situation.build(route)
    assert request.state == situation.state
    # An approver who is close to the person may nothing of what an approver may.
    actors["apart"] = drive.kept_apart(request.case)
    trail = AuditEvent.objects.count(), Message.objects.count(), Decision.objects.count()
    # Locked once by now, its rows are not written anew by each of some hundred tries.
    lock(request.pk)
    wrong, back_to = {}, transaction.savepoint()
    for verb in VERBS:
        for kind in (*KINDS, "apart"):
            found, wanted = (
                attempt(request.pk, verb, actors[kind], situation.lapses_as, back_to=back_to),
                expected(situation, verb, kind),
            )
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
    never_a_deletion = {is_copy, is_never_confirmed, overtaken_by_a_deletion}
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
        drive.proposed(request, DecisionKind.NARROW)
        after = move(request.pk, "narrow", actor=route.approver, nothing_left=True)
        assert (after.state, after.outcome) == (State.COMPLETED, Outcome.DENIED)
        assert after.confirmed_at is not None


@pytest.mark.parametrize("name", ENDS)
def test_every_end_has_an_outcome_and_a_time(route: Route, name: str) -> None:
    request = ENDS[name].build(route)
    assert request.outcome in set(Outcome) - {Outcome.OPEN}
    assert request.ended_at is not None
