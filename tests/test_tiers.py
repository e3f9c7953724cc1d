"""Nothing is carried out below the tier that the law wants for it, and what a proof does not reach does not hang (law 12)."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from accounts.models import Role
from dsar.enums import DecisionKind, Outcome, Right, State
from dsar.fulfilment import begin, locating
from dsar.intake import beside
from dsar.law import regimes, tiers
from dsar.models import SYSTEM, Case, Message, PrivacyRequest
from dsar.notices import TO_OTHERS, Notice
from dsar.notifications import compose
from dsar.review import decide
from dsar.verification import by_hand, links
from dsar.workflow import Conflict, Invalid, move
from tests import drive
from tests.drive import Route
from tests.house import CAST

pytestmark = pytest.mark.usefixtures("own_journal")

COUNTRIES = {"eu_gdpr": "DE", "us_ca_ccpa": "US-CA"}


@pytest.fixture
def route(db: None) -> Route:
    return Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER))


def demanding() -> Iterator[tuple[str, Right, int]]:
    """Every right of every law with the tier that it wants, where it wants any."""
    for regime in COUNTRIES:
        for right in Right:
            if right and (tier := tiers.needed(regimes.load(regime), right)):
                yield regime, right, tier


@pytest.mark.parametrize(("regime", "right", "tier"), list(demanding()))
def test_law_12_nothing_is_approved_below_its_tier(route: Route, regime: str, right: Right, tier: int) -> None:
    request = drive.a_request(right=right, country=COUNTRIES[regime])
    assert (request.case.regime, request.tier_needed) == (regime, tier)
    case = drive.proven_by_link(request.case)
    held = drive.fresh(request.pk)
    if tier <= case.proven_tier:
        assert (held.state, held.judgement) == (State.LOCATING, [])
        return
    # It waits for a person, by name, at once, and not for a link that would move nothing.
    assert (held.state, held.judgement) == (State.REVIEW, ["tier"])
    assert held in PrivacyRequest.objects.needing_staff()
    assert held in PrivacyRequest.objects.to_locate()
    drive.freeze(held)
    PrivacyRequest.objects.filter(pk=held.pk).update(located_at=held.received_at)
    with pytest.raises(Conflict):
        decide.approve(held.pk, actor=route.approver)
    Case.objects.filter(pk=case.pk).update(proven_tier=tier)
    assert decide.approve(held.pk, actor=route.approver).state == State.FULFILLING


def test_a_second_proof_of_the_same_mailbox_moves_nothing(route: Route) -> None:
    request = route.review_below_its_tier()
    links.send_new_link(request.case)
    assert drive.proven_by_link(request.case).proven_tier == tiers.REASONABLE
    assert (drive.fresh(request.pk).state, drive.fresh(request.pk).judgement) == (State.REVIEW, ["tier"])


def test_a_copy_before_the_deletion_comes_to_a_person_where_the_mailbox_is_not_enough(route: Route) -> None:
    deletion = drive.a_request(country="US-CA")
    drive.proven_by_link(deletion.case)
    move(deletion.pk, "located", actor=SYSTEM, nothing_held=False, judgement=[])
    drive.freeze(deletion)
    copy = beside.copy_first(deletion.pk)
    assert (drive.fresh(copy.pk).state, drive.fresh(copy.pk).judgement) == (State.REVIEW, ["tier"])
    told = list(Message.objects.filter(request=copy).exclude(notice__in=TO_OTHERS).values_list("notice", flat=True))
    assert told == [Notice.RECEIVED_TRIAGE]


def test_what_could_not_be_proven_surely_enough_ends_as_that_once_the_time_for_it_is_over(route: Route) -> None:
    request = route.review_below_its_tier()
    said = "A signed declaration never came."
    with pytest.raises(Invalid, match="still has time"):
        decide.lapse(request.pk, said, actor=route.approver)
    PrivacyRequest.objects.filter(pk=request.pk).update(target_on=timezone.localdate())
    ended = decide.lapse(request.pk, said, actor=route.approver)
    assert (ended.outcome, ended.state) == (Outcome.NOT_PROVEN, State.LAPSED)


# --- in California ----------------------------------------------------------------------------------------------------


def asked_in_california() -> PrivacyRequest:
    """A copy, asked for by web form, the mailbox proven, and looked for."""
    request = drive.by_web(CAST.plain, Right.ACCESS, country="US-CA")
    assert request.case.regime == "us_ca_ccpa"
    locating.drain()
    drive.proven_by_link(request.case)
    locating.drain()
    held = drive.fresh(request.pk)
    assert (held.state, "tier" in held.judgement) == (State.REVIEW, True)
    assert held.located_at is not None
    return held


@pytest.mark.usefixtures("company")
def test_law_12_in_california_a_copy_takes_more_than_the_mailbox(desk: None) -> None:
    handler, approver = drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER)
    request = asked_in_california()
    with pytest.raises(Conflict):
        decide.approve(request.pk, actor=approver)
    assert by_hand.may_record(request)
    assert all(tiers.reached(regimes.load("us_ca_ccpa"), name) == 3 for name in by_hand.methods(request.case))
    drive.shown_by_hand(request.pk, "data_points_3_declared", "Three data and a signed declaration.", actor=handler)
    assert Case.objects.get(pk=request.case_id).proven_tier == tiers.REASONABLY_HIGH
    locating.drain()
    held = drive.fresh(request.pk)
    assert (held.state, "tier" in held.judgement) == (State.REVIEW, False)
    assert not by_hand.may_record(held)
    decide.approve(request.pk, actor=approver)
    begin.drain()
    assert drive.fresh(request.pk).steps.filter(kind="export").exists()


@pytest.mark.usefixtures("company")
def test_in_california_what_a_copy_is_refused_is_answered_with_categories(desk: None) -> None:
    """11 CCR 7024(a)."""
    handler, approver = drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER)
    request = asked_in_california()
    decide.fall_back(request.pk, actor=handler)
    assert request.decisions.get().kind == DecisionKind.FALL_BACK
    locating.drain()
    held = drive.fresh(request.pk)
    assert (held.right, held.state, "tier" in held.judgement) == (Right.KNOW, State.REVIEW, False)
    assert held.due_on == request.due_on
    with pytest.raises(Conflict):
        decide.fall_back(request.pk, actor=handler)
    decide.approve(request.pk, actor=approver)
    begin.drain()
    done = drive.fresh(request.pk)
    assert (done.state, done.outcome) == (State.COMPLETED, Outcome.GRANTED_IN_PART)
    message = Message.objects.get(request=request, notice=Notice.DONE_KNOW)
    message.request = done
    said = " ".join(str(compose.mail(message).body).split())
    assert "You asked for this: Get a copy." in said
    assert "Prompts and outputs" in said
