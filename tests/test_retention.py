"""Verdicts and cutoffs: a row is kept exactly while its last day is not before today."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.datamap.orders import KeepRule, Period, TableOrder, add_months, as_date, until_for
from dsar.datamap.tables import Retention, TableMap
from dsar.law import codes
from dsar.law.code_words import CODES
from dsar.retention import Ask, Erase, Hold, Keep, Mask, Weighed, held, hold_blocks, keep_rule, order_for, verdict

TODAY = date(2026, 6, 15)
EU, CA, UK = "eu_gdpr", "us_ca_ccpa", "uk_gdpr"

days = st.dates(date(1950, 1, 1), date(2150, 1, 1))
periods = st.builds(
    Period,
    years=st.integers(0, 30),
    months=st.integers(0, 30),
    days=st.integers(0, 400),
    counted_from=st.sampled_from(["event", "financial_year_end"]),
    financial_year_end=st.sampled_from(["12-31", "03-31", "06-30", "02-29", "02-28", "01-01"]),
)


@given(period=periods, today=days, anchor=days)
def test_kept_exactly_while_the_last_day_is_not_over(period: Period, today: date, anchor: date) -> None:
    assert (anchor > period.cutoff(today)) == (period.end(anchor) >= today)


@given(period=periods, today=days, near=st.integers(-800, 800))
def test_the_same_around_the_cutoff(period: Period, today: date, near: int) -> None:
    anchor = period.cutoff(today) + timedelta(days=near)
    assert (anchor > period.cutoff(today)) == (period.end(anchor) >= today)


@given(period=periods, one=days, other=days)
def test_a_later_anchor_never_ends_earlier(period: Period, one: date, other: date) -> None:
    early, late = sorted((one, other))
    assert period.end(early) <= period.end(late)


@given(period=periods, anchor=days)
def test_a_period_never_ends_before_it_begins(period: Period, anchor: date) -> None:
    assert period.end(anchor) >= anchor


@given(rule=st.builds(KeepRule, st.just("X"), st.just("Art 1"), st.just("at"), days, period=periods))
def test_a_rule_survives_storage(rule: KeepRule) -> None:
    order = TableOrder("t", "c", "erase", (rule,), ("a", "b"))
    assert TableOrder.from_json(order.as_json()) == order


@pytest.mark.parametrize(
    "anchor, months, expected",
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
    ],
)
def test_months_end_where_the_calendar_does(anchor: date, months: int, expected: date) -> None:
    assert add_months(anchor, months) == expected


@pytest.mark.parametrize(
    "year_end, anchor, expected",
    [
        ("12-31", date(2020, 5, 1), date(2030, 12, 31)),
        ("12-31", date(2020, 12, 31), date(2030, 12, 31)),
        ("03-31", date(2020, 3, 31), date(2030, 3, 31)),
        ("03-31", date(2020, 4, 1), date(2031, 3, 31)),
    ],
)
def test_tax_periods_count_from_the_end_of_the_financial_year(year_end: str, anchor: date, expected: date) -> None:
    rule = KeepRule(
        "T", "", "at", period=Period(years=10, counted_from="financial_year_end", financial_year_end=year_end)
    )
    assert until_for(rule, anchor) == expected


def test_dates_are_read_in_utc() -> None:
    rule = KeepRule("T", "", "at", period=Period(days=1))
    late = datetime.fromisoformat("2026-06-15T23:30:00-04:00")
    assert until_for(rule, late) == date(2026, 6, 17)
    assert until_for(rule, "2026-06-15 23:30:00.000000") == date(2026, 6, 16)
    assert until_for(rule, None) is until_for(rule, "") is None
    assert until_for(KeepRule("T", ""), TODAY) is None
    assert as_date(datetime(2026, 1, 1, tzinfo=UTC)) == date(2026, 1, 1)


def test_an_anchor_at_the_end_of_time_does_not_break() -> None:
    assert Period(years=10).end(date(9999, 12, 31)) == date.max


def table(disposal: str = "erase", **rule: object) -> TableMap:
    rules = [rule] if rule else []
    columns = {"id": {}, "user_id": {}, "at": {}, "state": {}, "body": {"personal": True}}
    return TableMap.model_validate(
        {
            "key": "id",
            "person": "user_id",
            "category": "c",
            "disposal": disposal,
            "columns": columns,
            "retention": rules,
        }
    )


class TestVerdict:
    def test_without_a_rule_the_disposal_of_the_map_stands(self) -> None:
        assert verdict(table(), regime=EU, today=TODAY) == Erase()
        assert verdict(table("mask"), regime=EU, today=TODAY) == Mask(("body",))

    def test_a_valid_code_becomes_a_rule_with_its_article(self) -> None:
        found = verdict(table(code="TAX_ACCOUNTING", anchor="at", years=10), regime=EU, today=TODAY)
        assert isinstance(found, Erase)
        [rule] = found.keeps
        code = codes.valid("TAX_ACCOUNTING", EU)
        assert code is not None and rule.citation == code.citation
        assert (rule.column, rule.after) == ("at", date(2016, 6, 14))

    @pytest.mark.parametrize("disposal", ["erase", "mask", "keep"])
    @pytest.mark.parametrize("code", ["NO_SUCH_CODE", "EU_LEGAL_CLAIMS", "LEGAL_HOLD"])
    def test_a_code_this_law_does_not_know_is_asked_about(self, disposal: str, code: str) -> None:
        assert verdict(table(disposal, code=code), regime=CA, today=TODAY) == Ask("code_not_valid", code)

    def test_business_necessity_and_holds_are_words_not_grounds(self) -> None:
        for regime in (EU, CA):
            for label in codes.labels():
                assert verdict(table(code=label.code), regime=regime, today=TODAY) == Ask("code_not_valid", label.code)

    def test_a_code_that_must_be_weighed_needs_the_companys_weighing(self) -> None:
        rule: dict[str, Any] = {"code": "SECURITY_LOGS", "anchor": "at", "months": 12}
        assert verdict(table(**rule), regime=EU, today=TODAY) == Ask("must_be_weighed", "SECURITY_LOGS")
        assert isinstance(verdict(table(**rule), regime=CA, today=TODAY), Erase)
        assert isinstance(verdict(table(**rule, weighed="security policy, section 4"), regime=EU, today=TODAY), Erase)

    def test_a_code_that_needs_an_end_has_one(self) -> None:
        assert verdict(table(code="TAX_ACCOUNTING"), regime=EU, today=TODAY) == Ask("no_end", "TAX_ACCOUNTING")

    def test_one_doubtful_rule_beside_a_sound_one_is_asked_about(self) -> None:
        both = table(code="TAX_ACCOUNTING", anchor="at", years=1)
        both = both.model_copy(update={"retention": (*both.retention, Retention(code="NOPE"))})
        assert verdict(both, regime=EU, today=TODAY) == Ask("code_not_valid", "NOPE")

    def test_keeping_a_table_whole_names_code_and_review(self) -> None:
        found = verdict(table("keep", code="REFUND_DUE"), regime=EU, today=TODAY)
        assert isinstance(found, Keep)
        assert (found.code, found.until, found.review_on) == ("REFUND_DUE", None, date(2027, 6, 15))
        assert verdict(table("keep", code="REFUND_DUE", when={"state": "due"}), regime=EU, today=TODAY) == Ask(
            "no_reason"
        )

    @given(code=st.sampled_from([*CODES, "NOPE", ""]), regime=st.sampled_from([EU, CA, "mars"]))
    def test_no_rule_ever_keeps_without_a_valid_code(self, code: str, regime: str) -> None:
        found = verdict(table(code=code or "X", anchor="at", days=1, weighed="yes"), regime=regime, today=TODAY)
        ground = codes.valid(code, regime)
        assert isinstance(found, Erase) == (ground is not None)
        assert isinstance(found, Ask) or (isinstance(found, Erase) and all(rule.citation for rule in found.keeps))

    @pytest.mark.parametrize("disposal", ["erase", "mask", "keep"])
    def test_what_was_weighed_under_another_law_keeps_nothing(self, disposal: str) -> None:
        """The ground that a person found holds in the laws that know it alone, and by the article that it has there."""
        said = Weighed(True, "CA_INTERNAL_EXPECTED", "Cal. Civ. Code 1798.105(d)(7)", TODAY)
        doubtful = table(disposal, code="CA_SECURITY", anchor="at", years=1)
        assert verdict(doubtful, regime=EU, today=TODAY, weighed={"CA_SECURITY": said}) == Ask(
            "code_not_valid", "CA_SECURITY"
        )
        whole = table("keep", code="REFUND_DUE", when={"state": "due"})
        assert verdict(whole, regime=EU, today=TODAY, weighed={"": said}) == Ask("code_not_valid")
        assert verdict(whole, regime=CA, today=TODAY, weighed={"": said}) == Keep(said.code, said.citation, None, TODAY)
        claims = Weighed(True, "EU_LEGAL_CLAIMS", "GDPR Art 17(3)(e)", TODAY)
        rows = table(code="CA_SECURITY", anchor="at", years=1)
        found = verdict(rows, regime=UK, today=TODAY, weighed={"CA_SECURITY": claims})
        assert isinstance(found, Erase)
        assert [(rule.code, rule.citation) for rule in found.keeps] == [("EU_LEGAL_CLAIMS", "UK GDPR Art 17(3)(e)")]
        kept = verdict(whole, regime=UK, today=TODAY, weighed={"": claims})
        assert isinstance(kept, Keep) and kept.citation == "UK GDPR Art 17(3)(e)"


class TestOrders:
    def test_a_verdict_becomes_an_order(self) -> None:
        assert order_for("t", table(), Erase()) == TableOrder("t", "c", "erase")
        assert order_for("t", table(), Mask(("body",))) == TableOrder("t", "c", "mask", (), ("body",))
        order = order_for("t", table(), Keep("REFUND_DUE", "Art", None, TODAY))
        assert (order.disposal, order.keeps[0].review_on) == ("keep", TODAY)

    def test_a_question_is_no_order(self) -> None:
        with pytest.raises(ValueError, match="code_not_valid NOPE"):
            order_for("t", table(), Ask("code_not_valid", "NOPE"))

    def test_conditions_stand_in_a_fixed_order(self) -> None:
        one = keep_rule(Retention(code="X", when={"b": 1, "a": None}), "Art", TODAY)
        two = keep_rule(Retention(code="X", when={"a": None, "b": 1}), "Art", TODAY)
        assert one == two and one.when == (("a", None), ("b", 1))


class TestHolds:
    order = TableOrder("prompts", "prompts", "erase", (), ())

    @pytest.mark.parametrize(
        "scope, blocks",
        [
            ({}, True),
            ({"source": "platform"}, True),
            ({"source": "other"}, False),
            ({"categories": ("prompts", "x")}, True),
            ({"categories": ("x",)}, False),
            ({"tables": ("prompts",)}, True),
            ({"tables": ("x",)}, False),
            ({"categories": ("prompts",), "tables": ("x",)}, False),
        ],
    )
    def test_a_hold_blocks_within_its_scope(self, scope: dict[str, Any], blocks: bool) -> None:
        hold = Hold("EU_LEGAL_CLAIMS", "GDPR Art 17(3)(e)", **scope)
        assert bool(hold_blocks([hold], self.order, "platform")) is blocks

    def test_what_is_held_is_kept_under_the_holds_own_article(self) -> None:
        hold = Hold("EU_LEGAL_CLAIMS", "GDPR Art 17(3)(e)", review_on=TODAY)
        order = held(self.order, hold)
        assert order.disposal == "keep"
        assert [(rule.code, rule.citation, rule.review_on) for rule in order.keeps] == [
            ("EU_LEGAL_CLAIMS", "GDPR Art 17(3)(e)", TODAY)
        ]
