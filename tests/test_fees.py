"""Fees: only where the law of the request allows one, by its cap and its clock, told with its reason, and never a silent end."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone, translation

from dsar import clock_events
from dsar.enums import UNVERIFIED_RIGHTS, ClockEventKind, DecisionKind, FeeStatus, Outcome, Right, State
from dsar.law import codes, money, regimes
from dsar.models import REQUESTER, Case, Fee, Message, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import compose
from dsar.review import clock, decide, fees
from dsar.workflow import Conflict, Forbidden, Invalid, move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")

GIVEN: dict[str, Any] = {"text": "Three hours of work.", "how": "By transfer.", "facts": "Ten in May."}


def under(request: PrivacyRequest, regime: str) -> PrivacyRequest:
    """The request as one that came under another law."""
    Case.objects.filter(pk=request.case_id).update(regime=regime, regime_version="")
    return drive.fresh(request.pk)


def charged(
    request: PrivacyRequest, code: str, route: Route, amount: str = "12.50", currency: str = "EUR"
) -> PrivacyRequest:
    return fees.charge(request.pk, code, Decimal(amount), currency, **GIVEN, actor=route.approver)


def letter(request: PrivacyRequest, notice: Notice) -> str:
    message = Message.objects.filter(request=request, notice=notice).latest("pk")
    with translation.override("en-gb"):
        return compose.as_text(message, compose.context_for(message))


def test_law_12_no_law_charges_for_an_opt_out_and_each_only_for_what_its_file_names() -> None:
    for regime in regimes.all_ids():
        for right in UNVERIFIED_RIGHTS:
            assert codes.charges(regime, right) == ()
        allowed = {f"FEE_{occasion.upper()}" for occasion in regimes.load(regime).fees.charge}
        assert {code.code for code in codes.charges(regime, Right.ACCESS)} <= allowed
        assert not {code.code for code in codes.charges(regime, Right.CORRECTION)} & {
            "FEE_ACCESS_COST",
            "FEE_FURTHER_COPIES",
        }
    assert codes.charges("br_lgpd", Right.ACCESS) == ()


def test_a_fee_is_asked_for_with_its_reason_and_the_person_is_told_how_much_and_what_they_can_do(route: Route) -> None:
    request = charged(route.review(Right.ACCESS), "FEE_EXCESSIVE", route)
    fee = Fee.objects.get()
    assert (request.state, fee.amount, fee.currency, fee.citation) == (
        State.CLARIFYING,
        1250,
        "EUR",
        "GDPR Art 12(5), 15(3)",
    )
    assert {one.kind for one in request.decisions.all()} >= {DecisionKind.DOCUMENTED, DecisionKind.FEE_ASKED}
    said = letter(request, Notice.FEE)
    for words in (
        "EUR 12.50",
        "Three hours of work.",
        "By transfer.",
        "GDPR Art 12(5)",
        "Article 77",
        "goes on meanwhile",
    ):
        assert words in said, words
    assert not Message.objects.filter(request=request, notice=Notice.ASK).exists()
    held = drive.fresh(request.pk)
    assert held.paused_reason == "", "the GDPR does not stop the clock for a fee"
    assert held.target_on is not None
    assert timezone.localdate(fee.answer_by) <= held.target_on, (
        "unpaid, it is back while there is time to answer (law 14)"
    )


@pytest.mark.parametrize(
    ("regime", "code", "currency"), [("uk_gdpr", "FEE_EXCESSIVE", "GBP"), ("sg_pdpa", "FEE_ACCESS_COST", "SGD")]
)
def test_the_clock_stops_for_a_fee_where_the_law_says_so_and_runs_again_once_it_is_paid(
    route: Route, regime: str, code: str, currency: str
) -> None:
    request = charged(under(route.review(Right.ACCESS), regime), code, route, currency=currency)
    assert drive.fresh(request.pk).paused_reason == "fee"
    assert "does not run while we wait" in letter(request, Notice.FEE)
    with pytest.raises(Forbidden):
        fees.settle(request.pk, paid=False, actor=route.handler)
    back = fees.settle(request.pk, paid=True, actor=route.handler)
    assert (drive.fresh(back.pk).state, drive.fresh(back.pk).paused_reason) == (State.REVIEW, "")
    assert Fee.objects.get().status == FeeStatus.PAID
    kinds = list(request.clock_events.in_order().values_list("kind", flat=True))
    assert kinds[-2:] == [ClockEventKind.FEE_REQUESTED, ClockEventKind.FEE_PAID]
    assert "Thank you" in letter(back, Notice.FEE_SETTLED)
    with pytest.raises(Conflict):
        fees.settle(request.pk, paid=True, actor=route.handler)


@pytest.mark.parametrize(
    ("regime", "code", "currency"), [("uk_gdpr", "FEE_EXCESSIVE", "GBP"), ("sg_pdpa", "FEE_ACCESS_COST", "SGD")]
)
def test_law_14_a_fee_that_is_waived_gives_the_company_no_time_and_nobody_is_told_that_it_was_paid(
    route: Route, regime: str, code: str, currency: str
) -> None:
    """UK GDPR Art 12A: where no fee is charged the time runs from receipt, whatever was asked for in between."""
    request = under(route.review(Right.ACCESS), regime)
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=timezone.now() - timedelta(days=26))
    request.clock_events.all().delete()
    before = clock_events.dates(drive.fresh(request.pk))
    charged(drive.fresh(request.pk), code, route, currency=currency)
    # It was asked for on the day after receipt.
    asked = clock_events.today(request) - timedelta(days=25)
    request.clock_events.filter(kind=ClockEventKind.FEE_REQUESTED).update(on=asked)
    assert drive.fresh(request.pk).paused_reason == "fee"
    back = fees.settle(request.pk, paid=False, actor=route.approver)
    after = drive.fresh(back.pk)
    assert (after.due_on, after.target_on, after.paused_reason) == (before.due_on, before.target_on, "")
    event = request.clock_events.get(kind=ClockEventKind.FEE_WAIVED)
    assert event.decision is not None and event.decision.kind == DecisionKind.FEE_WAIVED
    said = letter(back, Notice.FEE_SETTLED)
    assert "You do not have to pay" in said
    assert "count the time as if we had never asked for it" in said
    assert "is paid" not in said
    assert "days, from" not in said, "no day is left out of the time"


def test_switzerland_has_a_cap_and_ten_days_to_think_it_over(route: Route) -> None:
    request = under(route.review(Right.ACCESS), "ch_fadp")
    for amount, currency in (("300.01", "CHF"), ("20", "EUR")):
        with pytest.raises(Invalid, match="at most 300 CHF"):
            charged(request, "FEE_DISPROPORTIONATE", route, amount, currency)
    charged(request, "FEE_DISPROPORTIONATE", route, "300", "CHF")
    days = Fee.objects.get().answer_by - timezone.now()
    assert timedelta(days=9, hours=23) < days <= timedelta(days=10)


WRONG: list[dict[str, Any]] = [
    {"code": "FEE_ACCESS_COST"}, {"code": "EXCESSIVE"}, {"code": "FEE_FURTHER_COPIES"}, {"amount": Decimal(0)},
    {"amount": Decimal("1.005")}, {"currency": "eur"}, {"currency": "E1R"}, {"text": " "}, {"how": ""}, {"facts": " "},
]  # fmt: skip


def test_a_fee_that_the_law_or_the_history_does_not_bear_out_is_not_asked_for(route: Route) -> None:
    request = route.review(Right.ACCESS)
    right = {"code": "FEE_EXCESSIVE", "amount": Decimal("12.50"), "currency": "EUR", **GIVEN}
    for wrong in WRONG:
        with pytest.raises(Invalid):
            fees.charge(request.pk, **{**right, **wrong}, actor=route.approver)
    assert not Fee.objects.exists()
    assert not request.decisions.filter(kind=DecisionKind.DOCUMENTED).exists()


def test_nothing_is_asked_of_whoever_is_not_proven_or_wants_an_opt_out(route: Route) -> None:
    for request in (route.review_unproven(), route.review_below_its_tier(), route.review_unsorted()):
        assert fees.occasions(request) == []
        with pytest.raises((Conflict, Invalid)):
            charged(request, "FEE_EXCESSIVE", route)


def test_law_15_an_unpaid_fee_comes_back_to_a_person_and_lapses_in_no_silence(route: Route) -> None:
    request = charged(under(route.review(Right.ACCESS), "sg_pdpa"), "FEE_ACCESS_COST", route, currency="SGD")
    clock.sweep()
    assert drive.fresh(request.pk).state == State.CLARIFYING
    past = timezone.now() - timedelta(minutes=1)
    Fee.objects.update(answer_by=past)
    PrivacyRequest.objects.filter(pk=request.pk).update(answer_by=past)
    clock.sweep()
    back = drive.fresh(request.pk)
    assert (back.state, back.paused_reason, back.outcome) == (State.REVIEW, "", Outcome.OPEN)
    assert fees.UNPAID in back.judgement
    assert Fee.objects.get().status == FeeStatus.UNPAID
    assert back.clock_events.filter(kind=ClockEventKind.FEE_LAPSED).exists()
    clock.sweep()
    assert decide.approve(back.pk, actor=route.approver).state == State.FULFILLING


def test_an_answer_brings_it_back_with_the_fee_open_and_a_later_question_is_not_ended_by_the_payment(
    route: Route,
) -> None:
    request = route.fee_asked()
    move(request.pk, "answer", actor=REQUESTER)
    back = drive.fresh(request.pk)
    assert back.state == State.REVIEW
    assert fees.occasions(back) == [], "one fee at a time"
    decide.ask(back.pk, "Which of the two?", actor=route.handler)
    fees.settle(back.pk, paid=True, actor=route.handler)
    assert drive.fresh(back.pk).state == State.CLARIFYING
    assert Fee.objects.get().status == FeeStatus.PAID


def test_a_fee_of_a_request_that_ends_is_called_off(route: Route) -> None:
    request = route.fee_asked()
    decide.withdraw_for(request.pk, actor=route.handler)
    clock.sweep()
    assert Fee.objects.get().status == FeeStatus.CALLED_OFF


def test_amounts_are_kept_in_the_smallest_unit() -> None:
    assert (money.minor(Decimal("12.50"), "EUR"), money.shown(1250, "EUR")) == (1250, "12.50")
    assert (money.minor(Decimal(1200), "JPY"), money.shown(1200, "JPY")) == (1200, "1200")
    assert money.minor(Decimal("1200.5"), "JPY") is None
