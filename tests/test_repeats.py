"""Refusing for repetition, for excess, for being unfounded: only where the number or the facts are there (Art 12(5))."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dsar.enums import DecisionKind, Outcome, Right, State
from dsar.models import Case, Decision, PrivacyRequest
from dsar.review import repeats
from dsar.workflow import Invalid
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")

ADDRESS = "often@example.com"


def _prove(request: PrivacyRequest) -> None:
    """As a link does; so many mails with a link go to one address on no day."""
    Case.objects.filter(pk=request.case_id).update(email_proven_at=timezone.now(), proven_tier=3)


def answered(right: Right, days_ago: int, outcome: str = Outcome.GRANTED, *, proven: bool = True) -> None:
    """An earlier request of the same address that ended so; the row alone is made to have ended."""
    request = drive.a_request(ADDRESS, right, country="US-CA")
    if proven:
        _prove(request)
    received = timezone.now() - timedelta(days=days_ago)
    PrivacyRequest.objects.filter(pk=request.pk).update(
        received_at=received, state=State.COMPLETED, outcome=outcome, ended_at=received
    )


def asked(right: Right) -> PrivacyRequest:
    request = drive.a_request(ADDRESS, right, country="US-CA")
    _prove(request)
    PrivacyRequest.objects.filter(pk=request.pk).update(state=State.REVIEW)
    return drive.fresh(request.pk)


def test_a_third_answer_in_twelve_months_may_be_refused_in_california_and_no_second(route: Route) -> None:
    answered(Right.ACCESS, 400)
    answered(Right.KNOW, 300)
    answered(Right.DELETION, 200)
    answered(Right.ACCESS, 150, Outcome.NOT_PROVEN)
    answered(Right.OPT_OUT_SALE, 100)
    second = asked(Right.ACCESS)
    assert repeats.count(second) == repeats.Count(used=1, free=2)
    assert "REPEATED" not in [code.code for code in repeats.refusals(second)]
    with pytest.raises(Invalid, match="all free answers"):
        drive.refuse(second.pk, "REPEATED", "Twice already.", actor=route.approver)
    assert not Decision.objects.filter(kind=DecisionKind.DOCUMENTED).exists()

    answered(Right.PORTABILITY, 20, Outcome.GRANTED_IN_PART)
    third = asked(Right.ACCESS)
    assert repeats.count(third).is_over
    assert "REPEATED" in [code.code for code in repeats.refusals(third)]
    ended = drive.refuse(third.pk, "REPEATED", "Twice already.", actor=route.approver)
    assert (ended.outcome, ended.state) == (Outcome.DENIED, State.REFUSED)
    shown = ended.decisions.get(kind=DecisionKind.DOCUMENTED)
    said = ended.case.unseal(shown.text_sealed, "decision")
    assert (shown.code, shown.citation) == ("REPEATED", "Cal. Civ. Code 1798.130(b)")
    assert "1 × Take the data elsewhere" in said
    assert ADDRESS not in said


def test_each_law_has_its_own_number_and_the_gdpr_none(route: Route) -> None:
    answered(Right.CORRECTION, 30)
    for regime, over in (("us_co_cpa", True), ("us_va_vcdpa", False), ("eu_gdpr", False)):
        request = asked(Right.CORRECTION)
        request.case.regime, request.case.regime_version = regime, ""
        assert repeats.count(request).is_over == over, regime
        assert ("OVER_THE_NUMBER" in [code.code for code in repeats.refusals(request)]) == over, regime
    assert repeats.count(asked(Right.OPT_OUT_SALE)) == repeats.Count(0, 0)


def test_nothing_counts_against_somebody_who_is_not_proven(route: Route) -> None:
    for _ in range(3):
        answered(Right.KNOW, 10, proven=False)
    Case.objects.update(email_proven_at=None)
    request = drive.a_request(ADDRESS, Right.KNOW, country="US-CA")
    assert not repeats.history(request).exists()
    assert repeats.count(drive.fresh(asked(Right.KNOW).pk)).used == 0


def test_whoever_calls_a_request_unfounded_writes_down_the_facts_first(route: Route) -> None:
    request = route.review(Right.ACCESS)
    assert repeats.prefilled(request) == "", "no history shows no excess"
    for code in ("MANIFESTLY_UNFOUNDED", "EXCESSIVE"):
        with pytest.raises(Invalid, match="what was asked, when, and how often"):
            drive.refuse(request.pk, code, "It is plain.", actor=route.approver)
    assert drive.fresh(request.pk).state == State.REVIEW
    drive.refuse(request.pk, "EXCESSIVE", "It is plain.", facts="Twelve times in May.", actor=route.approver)
    shown = Decision.objects.get(kind=DecisionKind.DOCUMENTED)
    assert request.case.unseal(shown.text_sealed, "decision") == "Twelve times in May."
    assert shown.second_by_id == route.approver.user_id
