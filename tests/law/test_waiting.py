"""Waiting in vain: what nobody has to give any more, and what we went on without, gives us no time."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.law import clocks, regimes
from dsar.law.clocks import Pause
from dsar.law.waiting import End

RECEIVED = datetime(2026, 6, 1, 9, tzinfo=UTC)
FIRST, ASKED = date(2026, 7, 1), date(2026, 6, 2)
FALSE = ("is paid", "has come")


def counted(regime: str, *pauses: Pause) -> tuple[date | None, str]:
    found = clocks.due(regimes.load(regime), "access", "response", RECEIVED, pauses=pauses, calendar="")
    return found.date, " ".join(found.explain())


@pytest.mark.parametrize(
    ("regime", "pause", "wanted", "said"),
    [
        # UK GDPR Art 12A: the time begins with the payment of a fee that is charged; where none is, with receipt.
        ("uk_gdpr", Pause("fee", ASKED, date(2026, 6, 27), "waived"), FIRST, "as if we had never asked"),
        ("uk_gdpr", Pause("fee", ASKED, date(2026, 7, 20), "waived"), FIRST, "as if we had never asked"),
        ("uk_gdpr", Pause("fee", ASKED, date(2026, 6, 27)), date(2026, 7, 27), "is paid"),
        ("uk_gdpr", Pause("fee", ASKED, date(2026, 6, 27), "lapsed"), date(2026, 7, 27), "begins on that day"),
        ("uk_gdpr", Pause("identity", ASKED, date(2026, 6, 29), "lapsed"), FIRST, "the time is no longer for it"),
        # While the law had no date none passed: it is due on the day on which we went on, and not a day later.
        ("uk_gdpr", Pause("identity", ASKED, date(2026, 7, 14), "lapsed"), date(2026, 7, 14), "went by while we waited"),
        ("uk_gdpr", Pause("identity", ASKED, date(2026, 6, 29)), date(2026, 7, 29), "has come"),
        ("sg_pdpa", Pause("fee", ASKED, date(2026, 6, 27), "waived"), FIRST, "as if we had never asked"),
        ("za_popia", Pause("fee", ASKED, date(2026, 6, 27), "waived"), FIRST, "as if we had never asked"),
        ("ch_fadp", Pause("fee", ASKED, date(2026, 6, 10), "waived"), FIRST, "as if we had never asked"),
        ("eu_gdpr", Pause("identity", ASKED, date(2026, 6, 20), "lapsed"), FIRST, "the time is no longer for it"),
    ],
)  # fmt: skip
def test_law_14_what_is_waived_or_never_came_gives_no_time_and_is_told_as_what_it_is(
    regime: str, pause: Pause, wanted: date, said: str
) -> None:
    found, explained = counted(regime, pause)
    assert found == wanted
    assert said in explained
    assert pause.end == "came" or not any(words in explained for words in FALSE)


WAITED = st.lists(
    st.tuples(
        st.sampled_from(["identity", "clarification", "fee"]),
        st.integers(0, 60),
        st.integers(0, 60),
        st.sampled_from(get_args(End)),
    ),
    max_size=4,
)


@given(regime=st.sampled_from(regimes.all_ids()), day=st.dates(date(2026, 1, 1), date(2029, 12, 31)), waited=WAITED)
@hypothesis.settings(max_examples=300, deadline=None)
def test_no_waiting_in_vain_moves_a_date_beyond_the_day_on_which_it_ended(
    regime: str, day: date, waited: list[tuple[str, int, int, End]]
) -> None:
    """Property: never earlier for having asked; and later by what was asked in vain only up to the day on which we went on."""
    law = regimes.load(regime)
    pauses = [Pause(k, day + timedelta(days=at), day + timedelta(days=at + took), end) for k, at, took, end in waited]

    def due(those: list[Pause]) -> clocks.DueDate:
        received = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)
        return clocks.due(law, "access", "response", received, pauses=those, zone="UTC")

    all_of_them, plain = due(pauses), due([])
    assert all_of_them.date is not None and plain.date is not None
    assert all_of_them.date >= plain.date
    assert all_of_them.safe_date is not None and plain.safe_date is not None
    assert plain.safe_date <= all_of_them.safe_date <= all_of_them.date
    assert len(all_of_them.explain()) >= 2
    in_vain = [one for one in pauses if not one.gives_time]
    if len(in_vain) == len(pauses) and in_vain:
        ends = [one.answered for one in in_vain if one.end == "lapsed" and one.answered]
        assert all_of_them.date <= max([plain.date, *(end + timedelta(days=20) for end in ends if end > plain.date)])
        if max(ends, default=plain.date) <= plain.date:
            assert all_of_them.date == plain.date
