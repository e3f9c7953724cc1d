"""What one person of the desk ends alone: what was asked for last and stands unanswered, and nothing else (law 15)."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Role
from dsar.enums import CheckKind, DecisionKind, Outcome, Right, State
from dsar.fulfilment import locating
from dsar.law import codes, regimes
from dsar.models import REQUESTER, SYSTEM, Actor, IdentityCheck, Message, PrivacyRequest
from dsar.models.privacy_request import UNPAID
from dsar.models.unanswered import lapses_as
from dsar.notices import Notice
from dsar.notifications import compose
from dsar.review import appeals, decide, fees, laws, refusals, repeats
from dsar.verification import asking
from dsar.workflow import Conflict, Forbidden, Invalid, move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")

SAID = "We would rather not."
EXCESS = "MANIFESTLY_UNFOUNDED"


@pytest.fixture
def second(db: None) -> Actor:
    return drive.person_of_the_desk(Role.APPROVER, "second")


def letter(request: PrivacyRequest, notice: Notice) -> str:
    message = Message.objects.filter(request=request, notice=notice).latest("pk")
    message.request = drive.fresh(request.pk)
    return " ".join(str(compose.mail(message).body).split())


def on_the_target_date(request: PrivacyRequest) -> PrivacyRequest:
    PrivacyRequest.objects.filter(pk=request.pk).update(target_on=timezone.localdate())
    return drive.fresh(request.pk)


def refused_to_one(request: PrivacyRequest, approver: Actor) -> None:
    """Neither the verb of the desk nor the bare door lets one person end it, as whatever."""
    assert lapses_as(drive.fresh(request.pk)) == Outcome.OPEN
    with pytest.raises(Invalid, match="refuse it with"):
        decide.lapse(request.pk, SAID, actor=approver)
    for outcome in (Outcome.UNANSWERED, Outcome.NOT_PROVEN):
        with pytest.raises(Conflict):
            move(request.pk, "lapse", actor=approver, outcome=outcome)
    assert drive.fresh(request.pk).state == State.REVIEW


def asked_for_proof(route: Route) -> PrivacyRequest:
    request = on_the_target_date(route.review_below_its_tier())
    asking.ask(request.pk, "", actor=route.handler)
    return request


def stated(route: Route) -> PrivacyRequest:
    request = on_the_target_date(route.review_below_its_tier())
    IdentityCheck.objects.create(
        case=request.case, kind=CheckKind.DATA_POINTS, expires_at=timezone.now() + timedelta(days=1)
    )
    return request


def asked_for_proof_since(route: Route) -> PrivacyRequest:
    """A question stood unanswered; then they were asked for something else."""
    request = route.review_below_its_tier()
    move(route.clarifying(request).pk, "no_answer", actor=SYSTEM)
    asking.ask(request.pk, "", actor=route.handler)
    return request


def asked_once_more(route: Route) -> PrivacyRequest:
    """A question stood unanswered, another one was answered."""
    request = route.clarifying(route.review_without_an_answer())
    return move(request.pk, "answer", actor=REQUESTER)


def told_elsewhere(route: Route) -> PrivacyRequest:
    """They wrote while the question was open, and not as an answer to it."""
    request = drive.wrote(route.clarifying(route.review()))
    return move(request.pk, "no_answer", actor=SYSTEM)


def unread(route: Route) -> PrivacyRequest:
    """What they wrote about another request of the case waits to be read."""
    request = route.review_without_an_answer()
    other = PrivacyRequest.objects.get(pk=request.pk)
    other.pk, other.uid, other._state.adding = None, uuid.uuid4(), True
    other.unread_at = timezone.now()
    other.save(force_insert=True)
    return request


TWO: dict[str, Callable[[Route], PrivacyRequest]] = {
    "nothing was ever asked": lambda r: r.review(),
    "wrote since the question": lambda r: drive.wrote(r.review_without_an_answer()),
    "wrote while the question was open": told_elsewhere,
    "wrote of another request": unread,
    "answered the next question": asked_once_more,
    "was asked for a proof since the question": asked_for_proof_since,
    "wrote since the confirmation was asked for": lambda r: drive.wrote(r.review_unanswered()),
    "says that it was not them, after the question": lambda r: move(
        r.review_without_an_answer().pk, "doubt", actor=REQUESTER
    ),
    "says that it was not them": lambda r: move(r.review().pk, "doubt", actor=REQUESTER),
    "did not pay a fee": lambda r: r.review_unpaid(),
    "never proven, and the target date has not come": lambda r: move(r.verifying().pk, "doubt", actor=REQUESTER),
    "never proven, and wrote": lambda r: drive.wrote(r.review_unproven()),
    "below its tier, in the minute of the first proof": lambda r: r.review_below_its_tier(),
    "below its tier, asked for more just now": asked_for_proof,
    "below its tier, what was stated waits to be compared": stated,
}


@pytest.mark.parametrize("name", TWO)
def test_law_15_no_one_person_ends_what_is_not_left_unanswered(route: Route, second: Actor, name: str) -> None:
    request = TWO[name](route)
    refused_to_one(request, route.approver)
    # No dead end: two people refuse it.
    ended = drive.refuse(request.pk, EXCESS, SAID, actor=second, facts="Ten in a day.")
    assert (ended.state, ended.outcome) == (State.REFUSED, Outcome.DENIED)


ONE: dict[str, tuple[Callable[[Route], PrivacyRequest], Outcome, str]] = {
    "question": (lambda r: r.review_without_an_answer(), Outcome.UNANSWERED, "and got no answer"),
    "confirmation": (lambda r: r.review_unanswered(), Outcome.UNANSWERED, "and got no answer"),
    "never sorted": (lambda r: r.review_unsorted(), Outcome.UNANSWERED, "and got no answer"),
    "never proven": (lambda r: r.review_unproven(), Outcome.NOT_PROVEN, "we could not be sure"),
    "extended meanwhile": (
        lambda r: move(
            r.review_without_an_answer().pk, "extend", actor=r.handler, due_on=drive.later(90).date(),
            target_on=drive.later(80).date(),
        ),
        Outcome.UNANSWERED, "and got no answer",
    ),
    "below its tier": (
        lambda r: on_the_target_date(r.review_below_its_tier()), Outcome.NOT_PROVEN, "we could not be sure"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE)
def test_what_stands_unanswered_is_ended_by_one_with_a_letter_that_is_true(route: Route, name: str) -> None:
    build, outcome, words = ONE[name]
    request = build(route)
    other = Outcome.NOT_PROVEN if outcome == Outcome.UNANSWERED else Outcome.UNANSWERED
    with pytest.raises(ValueError, match="outcome"):
        move(request.pk, "lapse", actor=route.approver, outcome=other)
    with pytest.raises(Forbidden):
        decide.lapse(request.pk, SAID, actor=route.handler)
    ended = decide.lapse(request.pk, SAID, actor=route.approver)
    assert (ended.state, ended.outcome) == (State.LAPSED, outcome)
    said = letter(request, Notice.UNANSWERED if outcome == Outcome.UNANSWERED else Notice.NOT_PROVEN)
    assert words in said
    assert "in the time that we had named" not in said, "a confirmation is asked for without a day"


def test_whoever_was_asked_for_a_surer_proof_late_has_the_time_that_any_question_has(route: Route) -> None:
    request = asked_for_proof(route)
    asked = Message.objects.filter(request=request, notice=Notice.PROOF_ASKED)
    for ago, outcome in (
        (settings.ANSWER_WITHIN - timedelta(minutes=1), Outcome.OPEN), (settings.ANSWER_WITHIN, Outcome.NOT_PROVEN),
    ):  # fmt: skip
        asked.update(created_at=timezone.now() - ago)
        assert lapses_as(drive.fresh(request.pk)) == outcome
    PrivacyRequest.objects.filter(pk=request.pk).update(target_on=timezone.localdate() + timedelta(days=1))
    assert lapses_as(drive.fresh(request.pk)) == Outcome.OPEN, "nor before our target date"


# --- a fee, and "this was not me" -------------------------------------------------------------------------------------


def test_an_unpaid_fee_is_no_unanswered_question_and_ends_a_request_by_its_own_reason_and_two(
    route: Route, second: Actor
) -> None:
    asked = route.fee_asked()
    with pytest.raises(Conflict):
        move(asked.pk, "no_answer", actor=SYSTEM)
    request = route.review_unpaid()
    assert request.judgement == ["fee_unpaid", "staff"]
    assert "FEE_NOT_PAID" in {code.code for code in repeats.refusals(request)}
    made = refusals.propose(request.pk, "FEE_NOT_PAID", "You did not pay it.", actor=route.approver)
    with pytest.raises(Forbidden):
        refusals.confirm(request.pk, actor=route.approver, seen=made.pk)
    ended = refusals.confirm(request.pk, actor=second, seen=made.pk)
    assert (ended.state, ended.outcome) == (State.REFUSED, Outcome.DENIED)
    said = letter(ended, Notice.REFUSED)
    for words in ("Fee not paid", "it was not paid by the day that we named", "GDPR Art 12(5)", "You did not pay it."):
        assert words in said, words
    assert "got no answer" not in said


def test_what_rests_on_a_fee_or_on_not_me_holds_only_where_it_happened(route: Route) -> None:
    request = route.review(Right.ACCESS)
    offered = {code.code for code in repeats.refusals(request)}
    for code in ("FEE_NOT_PAID", "SAID_NOT_ME"):
        assert code not in offered
        with pytest.raises(Invalid, match="has not happened"):
            refusals.propose(request.pk, code, "So.", actor=route.approver)
    # A new fee that is paid wipes the old one out, and another law lets another fee be asked for, or none.
    unpaid = route.review_unpaid()
    charged = fees.charge(
        unpaid.pk,
        "FEE_EXCESSIVE",
        Decimal(5),
        "EUR",
        "The tenth.",
        "By card.",
        actor=route.approver,
        facts="Ten.",
    )
    fees.settle(charged.pk, paid=True, actor=route.handler)
    assert UNPAID not in drive.fresh(unpaid.pk).judgement
    moved = route.review_unpaid()
    laws.change(moved.pk, "br_lgpd", "You live in Recife.", actor=route.handler)
    assert UNPAID not in drive.fresh(moved.pk).judgement


def test_a_request_is_refused_for_its_fee_in_the_laws_that_let_one_be_asked_for_alone() -> None:
    for regime in regimes.all_ids():
        fee = codes.refusal("FEE_NOT_PAID", regime, Right.ACCESS)
        assert (fee is not None) == bool(regimes.load(regime).fees.charge), regime
        said = codes.refusal("SAID_NOT_ME", regime, Right.ACCESS)
        proof = codes.refusal("IDENTITY_NOT_PROVEN", regime, Right.ACCESS)
        assert said is not None and proof is not None and said.outcome == proof.outcome == Outcome.NOT_PROVEN
        assert codes.refusal("SAID_NOT_ME", regime, Right.OPT_OUT_SALE) is None


def test_not_me_of_a_proven_person_ends_by_two_and_in_words_that_are_true(route: Route, second: Actor) -> None:
    request = move(route.review().pk, "doubt", actor=REQUESTER)
    refused_to_one(request, route.approver)
    ended = drive.refuse(request.pk, "SAID_NOT_ME", "We could not reach you.", actor=second)
    assert (ended.state, ended.outcome) == (State.LAPSED, Outcome.NOT_PROVEN)
    said = letter(ended, Notice.NOT_PROVEN)
    assert "From an address of yours we were told that it was not you who asked." in said
    assert "no answer" not in said


# --- to somebody else -------------------------------------------------------------------------------------------------


def test_what_is_proven_and_weighed_is_referred_by_two_and_the_person_hears_where_to_turn(
    route: Route, second: Actor
) -> None:
    choice = move(
        drive.a_request(right=Right.OPT_OUT_SALE).pk, "located", actor=SYSTEM, nothing_held=False,
        judgement=[locating.NO_ACCOUNT],
    )  # fmt: skip
    for request in (route.review(), route.review_below_its_tier(), choice):
        with pytest.raises(Conflict):
            decide.refer(request.pk, "Lantern.", actor=route.approver)
        assert refusals.may_propose_referral(request)
    request = route.review()
    made = refusals.propose_referral(request.pk, "Please ask Lantern.", actor=route.handler)
    assert (made.kind, made.code) == (DecisionKind.REFUSE, "NOT_OUR_CONTROLLER")
    for one in (route.handler, route.approver):
        with pytest.raises(Conflict):
            decide.refer(request.pk, "Lantern.", actor=one)
    with pytest.raises(Forbidden):
        refusals.confirm(request.pk, actor=route.handler, seen=made.pk)
    ended = refusals.confirm(request.pk, actor=second, seen=made.pk)
    assert (ended.state, ended.outcome) == (State.COMPLETED, Outcome.REFERRED)
    assert "Please ask Lantern." in letter(ended, Notice.REFERRED)


def test_what_is_sorted_or_nobody_has_proven_is_referred_by_one(route: Route) -> None:
    for request in (route.triage(), route.triage(proven=True), route.review_unproven(), route.review_unsorted()):
        assert not refusals.may_propose_referral(request)
        assert decide.refer(request.pk, "Lantern.", actor=route.handler).outcome == Outcome.REFERRED


def test_the_bare_door_ends_a_proposal_as_its_reason_says_and_no_other_way(route: Route, second: Actor) -> None:
    for code, outcome in (
        ("NOT_OUR_CONTROLLER", Outcome.REFERRED), ("IDENTITY_NOT_PROVEN", Outcome.NOT_PROVEN), (EXCESS, Outcome.DENIED),
    ):  # fmt: skip
        first = drive.person_of_the_desk(Role.APPROVER)
        request = drive.proposed(route.review(), by=first, code=code)
        for verb, given in (("refer", {}), ("lapse", {"outcome": Outcome.NOT_PROVEN})):
            with pytest.raises(Conflict):
                move(request.pk, verb, actor=second, **given)
        with pytest.raises(Forbidden):
            move(request.pk, "refuse", actor=first)
        assert move(request.pk, "refuse", actor=second).outcome == outcome
    assert appeals.kind_for(request) is None
