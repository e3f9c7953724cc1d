"""The measures of 11 CCR 7102: counted by the database as one would count by hand, before and after the purge."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from statistics import mean, median
from typing import Any

import pytest
from django.utils import timezone

from dsar import measures, records
from dsar.enums import Channel, Outcome, Right
from dsar.models import REQUESTER, Appeal, Case, PastMeasure, PrivacyRequest, RequestRecord
from dsar.notifications import outbox
from dsar.review import decide, purge
from dsar.workflow import move
from tests import drive
from tests.drive import Route
from tests.situations import ENDS
from tests.test_audit import unguarded

pytestmark = pytest.mark.usefixtures("own_journal")

FIRST, LAST = date(2024, 1, 1), date(2024, 12, 31)
TODAY = drive.days_ago(0).date()


def logged(number: int, **given: Any) -> RequestRecord:
    """A record, not saved."""
    shipped = {
        "request_id": 10**9 + number, "regime": "eu_gdpr", "right": Right.ACCESS, "channel": Channel.WEB,
        "received_on": FIRST, "answered_on": LAST, "outcome": Outcome.GRANTED, "days": 3, "keep_until": TODAY,
    }  # fmt: skip
    return RequestRecord(**shipped | given)


def by_hand(rows: list[RequestRecord]) -> dict[str, Any]:
    """The numbers of one right as somebody with a pencil would find them."""
    real = [one for one in rows if one.outcome not in (Outcome.MERGED, Outcome.REJECTED) and not one.take_back]
    answered = [one for one in real if one.outcome not in (Outcome.WITHDRAWN, Outcome.UNANSWERED, Outcome.OVERTAKEN)]
    of = Counter(str(one.outcome) for one in real)
    days = [one.days for one in answered]
    return {
        "received": len(real), "complied_in_whole": of["granted"], "complied_in_part": of["granted_in_part"],
        "denied": of["denied"] + of["not_proven"], "denied_not_proven": of["not_proven"],
        "nothing_held": of["nothing_held"], "referred": of["referred"], "withdrawn": of["withdrawn"],
        "unanswered": of["unanswered"], "overtaken": of["overtaken"], "open": 0, "open_late": 0,
        "mean_days": round(mean(days), 1) if days else None, "median_days": median(days) if days else None,
        "answered_late": sum(one.late for one in answered), "extended": sum(one.extended for one in real),
        "merged": sum(one.outcome == "merged" for one in rows), "not_a_request": sum(one.outcome == "rejected" for one in rows),
        "choices_taken_back": sum(one.take_back for one in rows if one.outcome not in ("merged", "rejected")), "begun_anew": 0,
        **dict.fromkeys(
            ("appeals", "appeals_upheld", "appeals_upheld_in_part", "appeals_dismissed", "appeals_withdrawn", "appeals_open"), 0
        ),
    }  # fmt: skip


def test_the_database_counts_as_a_person_would(db: None) -> None:
    chance = random.Random(4711)
    outcomes = [one.value for one in Outcome if one]
    rows = [
        logged(
            number, right=chance.choice([*Right.values]), regime=chance.choice(["eu_gdpr", "us_ca_ccpa"]),
            outcome=chance.choice(outcomes), days=chance.randrange(60), late=chance.random() < 0.2,
            extended=chance.random() < 0.2, take_back=chance.random() < 0.1,
            received_on=date(2023, 12, 1) + timedelta(days=chance.randrange(430)),
        )
        for number in range(800)
    ]  # fmt: skip
    RequestRecord.objects.bulk_create(rows)
    for law in ([], ["us_ca_ccpa"]):
        inside = [one for one in rows if FIRST <= one.received_on <= LAST and (not law or one.regime in law)]
        report = measures.report(FIRST, LAST, law)
        assert {line.right for line in report.lines} == {one.right for one in inside}
        for line in report.lines:
            assert line.numbers() == by_hand([one for one in inside if one.right == line.right]), line.right
        assert report.total.numbers() == by_hand(inside)


def test_grounds_are_counted_each(db: None) -> None:
    two = "SECURITY_LOGS Art A\nTAX_ACCOUNTING Art B, with a space"
    RequestRecord.objects.bulk_create(
        [
            logged(1, outcome=Outcome.GRANTED_IN_PART, basis=two, days=1),
            logged(2, outcome=Outcome.GRANTED_IN_PART, basis=two, days=2),
            logged(3, outcome=Outcome.DENIED, basis="TAX_ACCOUNTING Art B"),
            logged(4, outcome=Outcome.REFERRED, basis="NOT_OUR_CONTROLLER Art C"),
            logged(5, outcome=Outcome.DENIED, basis="EXEMPT Art D", received_on=date(2023, 12, 31)),
        ]
    )
    assert measures.report(FIRST, LAST).total.reasons == {"TAX_ACCOUNTING": 3, "SECURITY_LOGS": 2}


def test_every_end_is_counted_where_it_belongs(route: Route) -> None:
    """Narrowed to nothing and not proven are denials; merged and spam are no requests."""
    for end in ENDS.values():
        end.build(route)
    found = measures.report(TODAY - timedelta(days=2), TODAY + timedelta(days=2)).total
    # Some are built beside another one; what ended is what the requests themselves say.
    ends = Counter(PrivacyRequest.objects.filter(ended_at__isnull=False).values_list("outcome", flat=True))
    assert found.denied == ends["denied"] + ends["not_proven"]
    assert ends["denied"] >= 3, "refused, disputed with success, narrowed to nothing"
    assert (found.merged, found.rejected) == (ends["merged"], ends["rejected"]) == (1, 1)
    open_ones = PrivacyRequest.objects.filter(ended_at__isnull=True).count()
    assert found.received == sum(ends.values()) - 2 + open_ones
    assert found.open == open_ones


def test_what_is_open_belongs_to_the_day_of_its_own_law(db: None) -> None:
    """Half past three in the morning (UTC) of New Year's Day: 2025 in Berlin, the old year still in California."""
    moment = datetime(2025, 1, 1, 3, 30, tzinfo=UTC)
    for country in ("DE", "US-CA"):
        request = drive.a_request(right=Right.KNOW, country=country)
        PrivacyRequest.objects.filter(pk=request.pk).update(received_at=moment, due_on=date(2025, 2, 1))
    counted = {
        (law, year): measures.report(date(year, 1, 1), date(year, 12, 31), [law]).total.open
        for law in ("eu_gdpr", "us_ca_ccpa")
        for year in (2024, 2025)
    }
    assert counted == {
        ("eu_gdpr", 2024): 0, ("eu_gdpr", 2025): 1, ("us_ca_ccpa", 2024): 1, ("us_ca_ccpa", 2025): 0,
    }  # fmt: skip
    one_day = measures.report(date(2025, 1, 1), date(2025, 1, 1))
    assert (one_day.total.open, one_day.total.overdue) == (1, 1)


def test_the_measures_remain_after_the_purge_and_after_the_log(route: Route) -> None:
    """The same numbers from the log, after the purge of the cases, and when the log itself has become counts."""
    first, last = TODAY.replace(day=1), (TODAY.replace(day=1) + timedelta(days=40)).replace(day=1) - timedelta(days=1)
    request = route.review(Right.ACCESS)
    drive.refuse(request.pk, "OUT_OF_SCOPE", "Of somebody else.", actor=route.approver)
    for end in ("refused", "withdrawn", "completed, carried out", "rejected"):
        ENDS[end].build(route)
    while outbox.drain():
        pass
    before = measures.report(first, last)
    for case in Case.objects.exclude(requests__ended_at__isnull=True):
        purge.purge(case.pk)
    purged = measures.report(first, last)
    assert purged.as_json()["rights"] == before.as_json()["rights"]
    with unguarded():
        RequestRecord.objects.update(keep_until=records.today() - timedelta(days=1))
    assert records.forget_expired() == before.total.received - before.total.open + before.total.rejected
    assert not RequestRecord.objects.exists()
    after = measures.report(first, last)
    assert after.as_json()["rights"] == before.as_json()["rights"]
    assert measures.report(first + timedelta(days=1), last).total.outcomes.total() == 0, "only whole months"


def test_past_counts_and_the_log_add_up(db: None) -> None:
    RequestRecord.objects.bulk_create([logged(1, days=10), logged(2, days=20)])
    PastMeasure.objects.create(
        regime="eu_gdpr", right=Right.ACCESS, month=date(2024, 12, 1), outcome=Outcome.GRANTED, days=40, number=2
    )
    found = measures.report(FIRST, LAST).total
    assert (found.received, found.mean_days, found.median_days) == (4, 27.5, 30)
    assert measures.report(FIRST, date(2024, 12, 30)).total.received == 2


def test_appeals_are_counted_by_right_and_by_the_day_on_which_they_came(route: Route) -> None:
    request = route.review(Right.ACCESS)
    drive.refuse(request.pk, "OUT_OF_SCOPE", "Of somebody else.", actor=route.approver)
    for outcome, when in (
        ("", datetime(2024, 12, 31, 23, 30, tzinfo=UTC)),
        ("withdrawn", datetime(2024, 5, 1, tzinfo=UTC)),
    ):
        Appeal.objects.create(
            request=request, kind="appeal", channel=Channel.WEB, received_at=when, regime="eu_gdpr", regime_version="x",
            due_on=LAST, target_on=LAST, outcome=outcome, decided_at=timezone.now() if outcome else None,
        )  # fmt: skip
    (line,) = measures.report(FIRST, LAST).lines
    found = line.numbers()
    assert (line.right, found["received"], found["appeals"], found["appeals_withdrawn"]) == (Right.ACCESS, 0, 1, 1)
    assert measures.report(date(2025, 1, 1), date(2025, 1, 1)).total.numbers()["appeals_open"] == 1, "2025 in Berlin"


def test_an_open_request_is_counted_under_the_right_under_which_it_will_be_counted_when_it_has_ended(
    route: Route,
) -> None:
    """One for a copy that is being answered by the categories (11 CCR 7024(a)) stays one for a copy."""
    request = route.review_below_its_tier()
    appeal = Appeal(
        request=request, kind="appeal", channel=Channel.WEB, received_at=timezone.now(), regime="eu_gdpr", regime_version="x",
        due_on=TODAY, target_on=TODAY,
    )  # fmt: skip
    appeal.save(force_insert=True)
    decide.fall_back(request.pk, actor=route.handler)
    assert drive.fresh(request.pk).right == Right.KNOW
    first, last = TODAY - timedelta(days=2), TODAY + timedelta(days=2)
    (line,) = measures.report(first, last).lines
    assert (line.right, line.open, line.appeals.total()) == (Right.ACCESS, 1, 1)
    move(request.pk, "withdraw", actor=REQUESTER)
    (line,) = measures.report(first, last).lines
    assert (line.right, line.received) == (Right.ACCESS, 1)
