"""What a move sets off: letters, bells, decisions, one event each; and that there is no way past the door."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from dsar import audit
from dsar.enums import DecisionKind, Lane, Outcome, Right, State
from dsar.models import REQUESTER, AuditEvent, Decision, Message, PrivacyRequest
from dsar.models.privacy_request import VERBS
from dsar.notices import Notice
from dsar.workflow import ENDINGS, ENDS_BY_VERB, GRANTED, ON_ENTER, ON_VERB, move
from tests import drive
from tests.drive import Route
from tests.situations import (
    ENDS,
    SITUATIONS,
)

pytestmark = pytest.mark.usefixtures("own_journal")


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
    if name == "completed, dispute upheld":
        # Whoever was right is not told that we decline.
        wanted = {Notice.DISPUTE_FOUNDED}
    assert letters & {*ENDINGS.values(), *GRANTED.values(), *ENDS_BY_VERB.values()} == wanted


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
        (
            lambda r: move(r.disputed(r.fulfilling()).pk, "dismiss_dispute", actor=r.approver),
            Notice.DISPUTE_UNFOUNDED,
        ),
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
    request = drive.proposed(route.review(), by=route.handler)
    drive.confirmed_by(request.pk, route.approver, "refuse")
    decision = Decision.objects.get(request=request)
    assert (decision.kind, decision.code, decision.decided_by_id, decision.second_by_id) == (
        DecisionKind.REFUSE, "MANIFESTLY_UNFOUNDED", route.handler.user_id, route.approver.user_id,
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
