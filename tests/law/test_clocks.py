"""The arithmetic of dates: against a slow oracle, and the rules it may never break."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from dsar.law import regimes
from dsar.law.calendars import add_business_days, add_months, holidays_in, is_calendar
from dsar.law.clocks import DueDate, Pause, Status, Step, due, extend, promise, status, target
from dsar.law.errors import LawError

ALL = [regimes.load(regime_id) for regime_id in regimes.all_ids()]
WAITING = [regime for regime in ALL if regime.pauses]
EU, UK, CH = (regimes.load(regime_id) for regime_id in ("eu_gdpr", "uk_gdpr", "ch_fadp"))
CA = regimes.load("us_ca_ccpa")
CALENDARS = ("DE-BE", "FR", "IE", "NL", "")
ZONES = ("Europe/Berlin", "Europe/Dublin", "America/Los_Angeles", "Pacific/Auckland", "UTC")
many = settings(max_examples=200, deadline=None)

days = st.dates(min_value=date(2024, 1, 1), max_value=date(2034, 12, 31))
instants = st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2034, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


@st.composite
def pauses_after(draw: st.DrawFn, start: date) -> tuple[Pause, ...]:
    """Up to four pauses that begin around the time the clock runs, the last one perhaps still open."""
    found = []
    for _ in range(draw(st.integers(0, 4))):
        asked = start + timedelta(days=draw(st.integers(-3, 120)))
        answered = asked + timedelta(days=draw(st.integers(0, 40)))
        kind = draw(st.sampled_from(("identity", "clarification", "fee")))
        found.append(Pause(kind, asked, draw(st.sampled_from((answered, answered, answered, None)))))
    return tuple(found)


# -- an oracle that walks day by day ---------------------------------------------------------------


def slow_month(start: date, months: int) -> date:
    """Walk until the month has turned so many times, then to the wanted day or the last there is."""
    day, turned = start, 0
    while turned < months:
        following = day + timedelta(days=1)
        turned += following.month != day.month
        day = following
    while day.day < start.day and (day + timedelta(days=1)).month == day.month:
        day += timedelta(days=1)
    return day


def slow_working(day: date, country: str) -> bool:
    if day.isoweekday() > 5:
        return False
    if not country:
        return True
    name, _, part = ("US", "", "") if country == "US-FED" else country.partition("-")
    return day not in holidays.country_holidays(name, subdiv=part or None, years=[day.year])


@many
@given(days, st.integers(1, 40))
def test_months_agree_with_the_oracle(start: date, months: int) -> None:
    assert add_months(start, months) == slow_month(start, months)


@settings(max_examples=60, deadline=None)
@given(days, st.integers(1, 20), st.sampled_from((*CALENDARS, "US-FED")))
def test_business_days_agree_with_the_oracle(start: date, count: int, calendar: str) -> None:
    end = add_business_days(start, count, calendar)
    walked = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(slow_working(day, calendar) for day in walked) == count
    assert slow_working(end, calendar)


@settings(max_examples=60, deadline=None)
@given(instants, st.sampled_from(CALENDARS), st.sampled_from(ZONES), st.booleans())
def test_the_european_month_agrees_with_the_oracle(
    received: datetime, calendar: str, zone: str, extended: bool
) -> None:
    found = due(EU, "access", "response", received, calendar=calendar, zone=zone, extended=extended)
    expected = slow_month(received.astimezone(ZoneInfo(zone)).date(), 3 if extended else 1)
    assert found.safe_date == expected
    while not slow_working(expected, calendar):
        expected += timedelta(days=1)
    assert found.date == expected


@many
@given(instants, st.booleans(), st.sampled_from(ZONES))
def test_the_californian_days_are_days(received: datetime, extended: bool, zone: str) -> None:
    found = due(CA, "deletion", "response", received, extended=extended, zone=zone)
    wanted = received.astimezone(ZoneInfo(zone)).date() + timedelta(days=90 if extended else 45)
    assert found.date == found.safe_date == wanted
    assert found.at is not None and found.at.date() == wanted
    assert (found.at.hour, found.at.minute, found.at.second) == (23, 59, 59)


# -- properties ------------------------------------------------------------------------------------


@settings(max_examples=400, deadline=None)
@given(st.data(), instants, st.sampled_from((*WAITING, CA)), st.sampled_from(CALENDARS), st.booleans())
def test_a_pause_never_moves_a_date_earlier(
    data: st.DataObject, received: datetime, regime: regimes.Regime, calendar: str, extended: bool
) -> None:
    pauses = data.draw(pauses_after(received.date()))
    fixed = regime.extension("response", "access")
    extended = extended and fixed is not None and fixed.kind == "fixed"
    before = None
    for count in range(len(pauses) + 1):
        found = due(
            regime,
            "access",
            "response",
            received,
            pauses=pauses[:count],
            calendar=calendar,
            zone="UTC",
            extended=extended,
        )
        if before is not None:
            assert (found.date or date.max) >= (before.date or date.max)
            assert (found.safe_date or date.max) >= (before.safe_date or date.max)
            assert regime is not EU or found.safe_date == before.safe_date
        before = found


@many
@given(st.data(), instants, st.sampled_from(ALL), st.sampled_from(CALENDARS))
def test_the_safe_date_and_the_target_come_first(
    data: st.DataObject, received: datetime, regime: regimes.Regime, calendar: str
) -> None:
    pauses = data.draw(pauses_after(received.date()))
    right = data.draw(st.sampled_from(regimes.RIGHTS))
    found = due(regime, right, "response", received, pauses=pauses, calendar=calendar)
    if found.safe_date is None:
        assert found.paused and target(found) is None
        return
    assert found.safe_date <= (found.date or date.max)
    for margin in (None, 0, 5, 1000):
        wanted = target(found, margin)
        assert wanted is not None
        assert found.received_on <= wanted <= found.safe_date


@many
@given(instants, st.sampled_from(ALL), st.sampled_from(CALENDARS), st.integers(0, 200), st.integers(-3, 90))
def test_an_extension_never_exceeds_the_cap(
    received: datetime, regime: regimes.Regime, calendar: str, after: int, more: int
) -> None:
    notice, extension = received + timedelta(days=after), regime.extension("response", "access")
    first = due(regime, "access", "response", received, calendar=calendar, zone="UTC")
    assert first.date is not None
    until = first.date + timedelta(days=more)

    def extended() -> DueDate:
        return extend(regime, "access", received, notice, until=until, calendar=calendar, zone="UTC")

    refused = ""
    if extension is None:
        refused = "no_extension"
    elif notice.date() > first.date:
        refused = "notice_late"
    elif extension.kind == "open" and until < first.date:
        refused = "until_early"
    if refused or extension is None:
        with pytest.raises(LawError) as error:
            extended()
        assert error.value.reason == refused
        assert refused == "no_extension" or error.value.values["limit"] == first.date
        return
    found = extended()
    assert found.extended and found.date is not None and found.safe_date is not None
    if extension.kind == "open":
        assert found.date == found.safe_date == until
        return
    day = received.date()
    cap = add_months(day, extension.cap) if extension.unit == "months" else day + timedelta(days=extension.cap)
    assert found.safe_date == cap
    assert cap <= found.date <= cap + timedelta(days=7)


@many
@given(st.data(), instants)
def test_each_day_of_waiting_counts_once(data: st.DataObject, received: datetime) -> None:
    pauses = data.draw(pauses_after(received.date()))
    found = due(EU, "access", "response", received, pauses=pauses * 2, zone="UTC")
    assert found.date == due(EU, "access", "response", received, pauses=pauses, zone="UTC").date


# -- single rules ----------------------------------------------------------------------------------

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_an_open_pause_by_guidance_hides_the_date_and_keeps_the_unpaused_one_visible() -> None:
    found = due(EU, "access", "response", NOON, pauses=[Pause("identity", date(2026, 6, 10))])
    assert (found.date, found.at, found.paused, found.days_left) == (None, None, True, 21)
    assert found.safe_date == found.unpaused_date == date(2026, 7, 1)
    assert status(EU, found, date(2026, 8, 1)).code == "paused"
    assert target(found) == date(2026, 6, 29)


def test_what_is_asked_after_the_date_has_passed_changes_nothing() -> None:
    found = due(EU, "access", "response", NOON, pauses=[Pause("identity", date(2026, 7, 2))])
    assert found.date == date(2026, 7, 1)
    assert "pause_too_late" in [step.code for step in found.steps]


def test_california_stops_its_clock_for_nothing() -> None:
    found = due(CA, "access", "response", NOON, pauses=[Pause("identity", date(2026, 6, 2))])
    assert found.date == date(2026, 7, 16)
    assert "pause_unknown" in [step.code for step in found.steps]
    assert status(CA, found, date(2026, 7, 16), identity_open=True).code == "may_refuse_unproven"
    assert status(CA, found, date(2026, 7, 17), identity_open=True).since == date(2026, 7, 17)


def test_an_extension_is_given_once() -> None:
    with pytest.raises(LawError) as error:
        extend(EU, "access", NOON, date(2026, 6, 20), times=1)
    assert error.value.reason == "already_extended"


@pytest.mark.parametrize("right", sorted(regimes.NEVER_VERIFIED - {"withdraw_consent"}))
def test_an_opt_out_in_california_is_never_extended(right: str) -> None:
    with pytest.raises(LawError) as error:
        extend(CA, right, NOON, date(2026, 6, 2))
    assert error.value.reason == "no_extension"
    with pytest.raises(LawError):
        due(CA, right, "response", NOON, extended=True)


def test_every_right_has_a_date_that_explains_itself() -> None:
    for regime in ALL:
        for right in (*regimes.RIGHTS, ""):
            found = due(regime, right, "response", NOON, zone="UTC")
            assert found.date is not None and found.citation
            with translation.override("en"):
                told = found.explain()
            assert told[0].startswith("The request reached us on June 1, 2026")
            assert all("%(" not in line for line in told)
            assert tuple(Step.from_json(step.as_json()) for step in found.steps) == found.steps


def test_the_clock_of_the_united_kingdom_begins_with_the_proof_and_with_the_fee() -> None:
    asked = Pause("identity", date(2026, 6, 3))
    found = due(UK, "access", "response", NOON, pauses=[asked])
    assert (found.date, found.safe_date, found.days_left) == (None, None, 30)
    proven = Pause("identity", date(2026, 6, 3), date(2026, 6, 10))
    found = due(UK, "access", "response", NOON, pauses=[proven, Pause("fee", date(2026, 6, 4), date(2026, 6, 8))])
    assert (found.date, found.safe_date) == (date(2026, 7, 10), date(2026, 7, 10))
    assert "begins_identity" in [step.code for step in found.steps]


def test_a_later_beginning_never_meets_a_shorter_month() -> None:
    received = datetime(2027, 1, 30, 12, tzinfo=UTC)
    asked = Pause("clarification", date(2027, 1, 30), date(2027, 2, 9))
    alone = due(UK, "access", "response", received, pauses=[asked], zone="UTC")
    both = due(
        UK, "access", "response", received, zone="UTC",
        pauses=[asked, Pause("identity", date(2027, 1, 30), date(2027, 1, 31))],
    )  # fmt: skip
    assert both.date is not None and alone.date is not None and both.date >= alone.date


def test_a_share_of_the_costs_in_switzerland_is_accepted_in_ten_days_or_the_request_is_taken_back() -> None:
    asked = Pause("fee", date(2026, 6, 3))
    found = due(CH, "access", "response", NOON, pauses=[asked])
    assert (found.date, found.safe_date, found.lapses_on) == (None, date(2026, 7, 1), date(2026, 6, 13))
    assert status(CH, found, date(2026, 6, 13)).code == "paused"
    assert status(CH, found, date(2026, 6, 14)) == Status("withdrawn", since=date(2026, 6, 14))
    told = due(CH, "access", "response", NOON, pauses=[Pause("fee", date(2026, 6, 3), date(2026, 6, 5))])
    assert (told.date, told.safe_date) == (date(2026, 7, 13), date(2026, 7, 1))
    assert due(CH, "deletion", "response", NOON, pauses=[asked]).date == date(2026, 7, 1)


def test_where_the_law_leaves_the_length_to_the_notice_the_notice_names_the_day() -> None:
    with pytest.raises(LawError) as error:
        extend(CH, "access", NOON, date(2026, 6, 20))
    assert error.value.reason == "until_missing"
    found = extend(CH, "access", NOON, date(2026, 6, 20), until=date(2026, 8, 30))
    assert (found.date, found.citation) == (date(2026, 8, 30), "DPO Art 18(2)")
    with pytest.raises(LawError) as error:
        extend(regimes.load("br_lgpd"), "access", NOON, date(2026, 6, 2), until=date(2026, 8, 30))
    assert error.value.reason == "no_extension"


def test_a_promise_comes_before_the_law_and_an_extension_lifts_it() -> None:
    first = due(CA, "access", "response", NOON)
    kept = promise(first, 20)
    assert (kept.date, kept.safe_date, kept.promised_on) == (first.date, first.safe_date, date(2026, 6, 21))
    assert (kept.working_on, target(kept), target(kept, 5)) == (date(2026, 6, 21), date(2026, 6, 18), date(2026, 6, 16))
    assert kept.steps[-1].code == "promised"
    # What has passed is not named any more: the law's own date is.
    assert [kept.told_on(date(2026, 6, day)) for day in (21, 22)] == [date(2026, 6, 21), first.date]
    assert promise(first, 0) == promise(first, 45) == first
    longer = due(CA, "access", "response", NOON, extended=True)
    assert promise(longer, 20) == longer


def test_a_promise_is_counted_from_where_the_time_of_the_law_begins() -> None:
    proven = Pause("identity", date(2026, 6, 1), date(2026, 7, 1))
    found = promise(due(UK, "access", "response", NOON, pauses=[proven], calendar="GB-ENG"), 20)
    assert (found.date, found.promised_on) == (date(2026, 8, 3), date(2026, 7, 21))
    waited = [proven, Pause("clarification", date(2026, 7, 6), date(2026, 7, 8))]
    assert promise(due(UK, "access", "response", NOON, pauses=waited), 20).promised_on == date(2026, 7, 24)
    assert promise(due(UK, "access", "response", NOON, pauses=[Pause("identity", date(2026, 6, 1))]), 20).paused
    cost = Pause("fee", date(2026, 6, 3), date(2026, 6, 5))
    assert promise(due(CH, "access", "response", NOON, pauses=[cost]), 20).promised_on == date(2026, 7, 3)


def test_the_european_law_sets_no_date_for_an_acknowledgement() -> None:
    assert EU.clock("access", "acknowledgement") is None
    with pytest.raises(LawError) as error:
        due(EU, "access", "acknowledgement", NOON)
    assert error.value.reason == "no_clock"


def test_what_is_kept_may_go_from_the_day_after_and_is_never_overdue() -> None:
    leap = datetime(2028, 2, 29, 20, tzinfo=UTC)
    found = due(CA, "access", "record_retention", leap)
    assert (found.date, found.safe_date, found.end) == (date(2030, 2, 28), date(2030, 3, 1), "until")
    found = due(CA, "access", "record_retention", NOON)
    assert (found.date, found.safe_date) == (date(2028, 6, 1), date(2028, 6, 2))
    assert {status(CA, found, date(2028, 6, day), identity_open=True).code for day in (1, 2, 30)} == {"open"}
    asked = due(CA, "opt_out_sale", "reoffer", NOON)
    assert (asked.date, asked.safe_date) == (date(2027, 6, 1), date(2027, 6, 1))


@pytest.mark.parametrize(
    ("right", "kind"),
    [("access", "acknowledgement"), ("access", "extension_notice"), ("limit_sensitive", "opt_out"),
     ("opt_out_sale", "response")],
)  # fmt: skip
def test_only_the_answer_to_a_right_that_is_verified_may_be_refused_for_want_of_proof(right: str, kind: str) -> None:
    found = due(CA, right, kind, NOON)
    assert found.date is not None
    assert status(CA, found, found.date, identity_open=True).code == "open"


def test_a_notice_in_time_by_guidance_alone_leaves_the_safe_date_where_it_was() -> None:
    waited = [Pause("clarification", date(2026, 6, 5), date(2026, 6, 15))]
    late = extend(EU, "access", NOON, date(2026, 7, 5), pauses=waited, calendar="DE-BE")
    assert (late.date, late.safe_date) == (date(2026, 9, 11), date(2026, 7, 1))
    in_time = extend(EU, "access", NOON, date(2026, 7, 1), pauses=waited, calendar="DE-BE")
    assert (in_time.date, in_time.safe_date) == (date(2026, 9, 11), date(2026, 9, 1))
    # The British waiting is the law's own: the notice is in time by it.
    british = extend(UK, "access", NOON, date(2026, 7, 5), pauses=waited)
    assert british.safe_date == date(2026, 9, 12)


def test_an_appeal_has_a_last_day_for_the_notice_of_its_extension_where_the_law_extends_it() -> None:
    colorado, virginia = regimes.load("us_co_cpa"), regimes.load("us_va_vcdpa")
    assert due(colorado, "appeal", "extension_notice", NOON).date == due(colorado, "appeal", "appeal", NOON).date
    with pytest.raises(LawError, match="no_extension"):
        due(virginia, "appeal", "extension_notice", NOON)


def test_what_is_looked_at_again_says_that_it_is_the_appeal_that_reached_us() -> None:
    told = due(regimes.load("us_co_cpa"), "appeal", "appeal", NOON).steps[0]
    assert str(told).startswith("The appeal or complaint reached us on ")
    assert str(due(EU, "access", "response", NOON).steps[0]).startswith("The request reached us on ")


def test_the_target_is_28_days_for_a_month() -> None:
    assert target(due(EU, "access", "response", NOON)) == date(2026, 6, 29)
    assert target(due(EU, "access", "response", NOON), 10) == date(2026, 6, 21)
    assert target(due(CA, "access", "response", NOON)) == date(2026, 7, 13)
    with pytest.raises(ValueError, match="number of days"):
        target(due(EU, "access", "response", NOON), -1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"received_at": datetime(2026, 6, 1)}, "naive_time"),
        ({"zone": "Europe/Nowhere"}, "unknown_zone"),
        ({"calendar": "ZZ"}, "unknown_calendar"),
        ({"calendar": "DE-XX"}, "unknown_calendar"),
        ({"right": "everything"}, "unknown_right"),
        ({"kind": "sometime"}, "no_clock"),
        ({"pauses": [Pause("identity", date(2026, 6, 5), date(2026, 6, 4))]}, "pause_order"),
    ],
)
def test_what_cannot_be_computed_says_why(changes: dict[str, object], reason: str) -> None:
    asked: dict[str, Any] = {"right": "access", "kind": "response", "received_at": NOON, **changes}
    with pytest.raises(LawError) as error:
        due(EU, **asked)
    assert error.value.reason == reason


def test_holidays_observed_across_the_turn_of_a_year() -> None:
    assert date(2027, 12, 31) in holidays_in("US-FED", 2027)
    assert date(2026, 7, 3) in holidays_in("US-FED", 2026)
    assert is_calendar("DE-BE") and is_calendar("") and not is_calendar("DE-XX")
