"""A day of the law ends where its law counts: neither the clock nor the desk goes by the zone of the server."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import User
from dsar import clock_events, deadlines, measures
from dsar.desk import appeals as desk_appeals
from dsar.desk import rows, views
from dsar.enums import Right
from dsar.law import regimes
from dsar.models import Appeal, Message, PrivacyRequest
from dsar.models.law_days import TODAY, by_law
from dsar.notices import MessageStatus, Notice
from dsar.notifications import compose
from dsar.review import appeal_decisions, appeals, clock, dates
from tests import drive
from tests.drive import Route
from tests.remedies import COLORADO, under

pytestmark = pytest.mark.usefixtures("own_journal")
DENVER = ZoneInfo("America/Denver")
DAY = timedelta(days=1)
# West and east of every law; at any moment it is another day than in Denver in at least one of the last two.
ZONES = ("UTC", "Pacific/Honolulu", "Etc/GMT+12", "Pacific/Kiritimati")


@pytest.fixture(params=ZONES)
def server(request: pytest.FixtureRequest, settings: LazySettings) -> str:
    """The zone of the server."""
    settings.TIME_ZONE = request.param
    return str(request.param)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment in Denver, where the law of Colorado counts."""
    return datetime.combine(day, time(hour, minute), DENVER)


def refused(route: Route) -> PrivacyRequest:
    return under(
        drive.refuse(route.review().pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten.", actor=route.approver),
        COLORADO,
    )


def appealed(route: Route) -> Appeal:
    found = appeals.take(refused(route).pk, "You never looked into the second account.")
    assert found is not None
    return found


def told(appeal: Appeal, notice: Notice = Notice.APPEAL_INTERIM) -> list[str]:
    found = Message.objects.filter(appeal=appeal, notice=notice).order_by("pk")
    return [str(one.dedupe).split(":")[2] for one in found]


def test_an_appeal_is_late_when_its_day_is_over_where_its_law_counts_and_not_before(server: str, route: Route) -> None:
    """C.R.S. 6-1-1306(3)(b)."""
    appeal = appealed(route)
    clock.sweep(at(appeal.target_on - DAY, 23, 30))
    assert told(appeal) == []
    clock.sweep(at(appeal.target_on, 0, 30))
    for moment in (at(appeal.due_on, 0, 30), at(appeal.due_on, 17, 30), at(appeal.due_on, 23, 30)):
        clock.sweep(moment)
        assert told(appeal) == ["interim"]
    for hour in (0, 6, 23):
        clock.sweep(at(appeal.due_on + DAY, hour, 30))
        assert told(appeal) == ["interim", "late"]


def test_law_14_the_extension_of_an_appeal_stands_if_its_letter_left_on_the_last_day(server: str, route: Route) -> None:
    """C.R.S. 6-1-1306(3)(b): the notice within the first 45 days, as they are counted in Denver."""
    in_time, late = appealed(route), appealed(route)
    for appeal, days, hour in ((in_time, 0, 23), (late, 1, 0)):
        first = appeal_decisions.extend(appeal.pk, "Many accounts.", actor=route.handler).original_due_on
        assert first == appeal.due_on
        left = at(first + days * DAY, hour, 30)
        Message.objects.filter(appeal=appeal, notice=Notice.APPEAL_EXTENDED).update(
            status=MessageStatus.SENT, sent_at=left
        )
    clock.sweep(at(first, 23, 45))
    assert not Appeal.objects.filter(extended_at=None).exists()
    for moment in (at(first + DAY, 0, 45), at(first + DAY, 12)):
        clock.sweep(moment)
        stands = Appeal.objects.get(pk=in_time.pk)
        assert (stands.original_due_on, stands.due_on > first, told(stands)) == (first, True, [])
    void = Appeal.objects.get(pk=late.pk)
    assert (void.extended_at, void.due_on, told(void)) == (None, late.due_on, ["late"])


def test_a_request_is_raised_by_the_day_of_its_law(server: str, route: Route) -> None:
    request = under(route.review(Right.ACCESS))
    due = date(2031, 4, 15)
    PrivacyRequest.objects.filter(pk=request.pk).update(due_on=due)
    for moment, wanted in (
        (at(due - 4 * DAY, 23, 30), ""), (at(due - 3 * DAY, 0, 30), "due_soon"), (at(due, 23, 30), "due_soon"),
        (at(due + DAY, 0, 30), "overdue"),
    ):  # fmt: skip
        dates.sweep(moment)
        assert drive.fresh(request.pk).raised == wanted, moment


def test_desk_and_measures_call_late_what_is_late_where_its_law_counts(server: str, route: Route) -> None:
    request, appeal = under(route.review(Right.ACCESS)), appealed(route)
    now, approver = timezone.now(), User.objects.get(pk=route.approver.user_id)
    today = deadlines.received_on(COLORADO, now)
    said: dict[int, Any] = {}
    for days in (-1, 0, 5, 6):
        for model, pk in ((PrivacyRequest, request.pk), (Appeal, appeal.pk)):
            model.objects.filter(pk=pk).update(due_on=today + days * DAY)
        stored, again = drive.fresh(request.pk), Appeal.objects.get(pk=appeal.pk)
        chips = [rows.lines([stored])[0].deadline, desk_appeals.chip(again, now)]
        chips.append(rows.deadline(stored, clock_events.today(stored, now)))
        assert [one["days_left"] for one in chips if one] == [days] * 3
        report = measures.report(today - 400 * DAY, today + 400 * DAY, [COLORADO])
        interim = Message(case=request.case, request=request, notice=Notice.APPEAL_INTERIM, appeal=again)
        said[days] = (
            [view for view in ("overdue", "soon") if views.BY_KEY[view].rows(now).filter(pk=request.pk).exists()],
            (report.total.overdue, Appeal.objects.filter(by_law(now, "regime", due_on__lt=TODAY)).count()),
            Appeal.objects.due_for(approver, date(2020, 1, 1)).count(),
            "Our answer is late." in compose.as_text(interim, compose.context_for(interim)),
        )
    assert said == {
        -1: (["overdue"], (1, 1), 1, True), 0: (["soon"], (0, 0), 0, False), 5: (["soon"], (0, 0), 0, False),
        6: ([], (0, 0), 0, False),
    }  # fmt: skip
    assert views.counts(now, approver, ())["overdue"] == 0


def test_every_law_has_its_day_at_every_moment() -> None:
    for hour in range(0, 49, 3):
        moment = datetime(2027, 3, 13, tzinfo=DENVER) + timedelta(hours=hour)
        found = deadlines.todays(moment)
        laws = [law for of_day in found.values() for law in of_day]
        assert sorted(laws) == sorted(regimes.all_ids())
        assert all(deadlines.received_on(law, moment) == day for day, of_day in found.items() for law in of_day)
        assert len(found) <= 3
