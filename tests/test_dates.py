"""What the clock raises, and the mail of the day: read off the rows, missed by no outage, said once."""

from datetime import date, datetime, time, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from dsar import clock_events, deadlines
from dsar.enums import Raised, Right
from dsar.models import REQUESTER, AuditEvent, Message, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import compose, outbox
from dsar.review import clock, dates, decide
from dsar.workflow import move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")


def on(day: date, hour: int = 12) -> datetime:
    """An hour of a day."""
    return timezone.make_aware(datetime.combine(day, time(hour)))


def raised(request: PrivacyRequest) -> str:
    return drive.fresh(request.pk).raised


def due(request: PrivacyRequest) -> date:
    found = drive.fresh(request.pk).due_on
    assert found is not None
    return found


# --- dates ------------------------------------------------------------------------------------------------------------


def test_a_legal_date_is_raised_before_it_comes_and_when_it_has_passed_and_nobody_need_be_up_for_it(
    route: Route,
) -> None:
    near, far_later, done = route.review(Right.ACCESS), route.confirming(), route.review()
    dates.sweep(on(due(near) - settings.ESCALATE_BEFORE - timedelta(days=1)))
    assert raised(near) == ""
    dates.sweep(on(due(near) - settings.ESCALATE_BEFORE))
    assert raised(near) == Raised.DUE_SOON
    assert PrivacyRequest.objects.needing_staff().filter(pk=far_later.pk).exists()
    move(done.pk, "withdraw", actor=REQUESTER)
    # Whoever was down for the whole time between finds it all the same.
    for _again in range(2):
        dates.sweep(on(due(far_later) + timedelta(days=9)))
    assert (raised(near), raised(far_later), raised(done)) == (Raised.OVERDUE, Raised.OVERDUE, "")
    assert AuditEvent.objects.filter(what="raised", request_id=near.pk).count() == 2


def test_what_was_raised_is_taken_back_once_there_is_more_time_or_an_end(route: Route) -> None:
    request = route.review(Right.ACCESS)
    moment = on(due(request) - timedelta(days=1))
    dates.sweep(moment)
    assert raised(request) == Raised.DUE_SOON
    decide.extend(request.pk, "COMPLEXITY", "It is a lot.", actor=route.handler)
    dates.sweep(moment)
    assert raised(request) == ""
    dates.sweep(on(due(request)))
    outbox.drain()
    move(request.pk, "withdraw", actor=REQUESTER)
    assert (raised(request), drive.fresh(request.pk).named_reason) == ("", "")


def test_while_the_law_has_no_date_none_is_near_or_has_passed(route: Route) -> None:
    request = route.clarifying(route.review(Right.ACCESS))
    PrivacyRequest.objects.filter(pk=request.pk).update(paused_reason="clarification")
    dates.sweep(on(due(request) + timedelta(days=3)))
    assert raised(request) == ""
    assert drive.fresh(request.pk).legal_date is None


def changes(moment: datetime) -> list[str]:
    """What a sweep locks or writes, as the database hears it."""
    with CaptureQueriesContext(connection) as captured:
        dates.sweep(moment)
    return [one["sql"] for one in captured if one["sql"].startswith(("SAVEPOINT", "UPDATE", "INSERT"))]


def test_law_14_what_is_not_yet_due_keeps_nothing_waiting_and_is_not_locked(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stands before it: of many that are near, the soonest is named first, and all of them in one sweep."""
    for part in (dates, clock):
        monkeypatch.setattr(part, "BATCH", 2)
    monkeypatch.setattr(settings, "STAFF_DIGEST_HOUR", 24)
    moment = timezone.now()
    today = deadlines.received_on("eu_gdpr", moment)
    cases = [
        # Not yet near, and near for days: these stand first by number.
        *[(settings.ESCALATE_BEFORE.days + 1, "", "")] * 5, *[(settings.ESCALATE_BEFORE.days, "due_soon", "due_soon")] * 5,
        # And those that a sweep has something to say about, more than one page of each.
        *[(settings.ESCALATE_BEFORE.days + 1, "due_soon", "")] * 3, *[(2, "", "due_soon")] * 3, (-9, "", "overdue"),
        *[(-1, "due_soon", "overdue")] * 3, *[(0, "overdue", "due_soon")] * 3,
    ]  # fmt: skip
    keys = [drive.a_request(right=Right.ACCESS).pk for _ in cases]
    outbox.drain()
    for pk, (days, before, _after) in zip(keys, cases, strict=True):
        PrivacyRequest.objects.filter(pk=pk).update(due_on=today + timedelta(days=days), raised=before)
    wanted = {pk: after for pk, (_days, _before, after) in zip(keys, cases, strict=True)}
    assert changes(moment) != []
    assert {pk: raised(drive.fresh(pk)) for pk in wanted} == wanted
    first = AuditEvent.objects.filter(what="raised").order_by("pk").first()
    assert first is not None and wanted[first.request_id or 0] == Raised.OVERDUE
    assert due(drive.fresh(first.request_id or 0)) == today - timedelta(days=9)
    assert changes(moment) == [], "nothing is locked for nothing"


def test_law_09_who_was_not_acknowledged_is_named_whatever_stands_before(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """11 CCR 7021(a)."""
    for part in (dates, clock):
        monkeypatch.setattr(part, "BATCH", 2)
    machines = [drive.a_request(right="", machine=True, country="US-CA") for _ in range(3)]
    early = [drive.a_request(country="US-CA") for _ in range(3)]
    silent = [drive.a_request(country="US-CA") for _ in range(3)]
    Message.objects.update(status="failed", reason="OSError")
    for found, days in ((machines, 20), (early, 3), (silent, 15)):
        for one in found:
            PrivacyRequest.objects.filter(pk=one.pk).update(received_at=timezone.now() - timedelta(days=days))
    dates.sweep()
    assert [[raised(one) for one in found] for found in (machines, early, silent)] == [
        [""] * 3, [""] * 3, [Raised.ACK_MISSING] * 3,
    ]  # fmt: skip
    assert [sql for sql in changes(timezone.now()) if "dsar_privacyrequest" in sql] == []


# --- acknowledgements -------------------------------------------------------------------------------------------------


def test_an_acknowledgement_that_never_left_is_raised_by_name_until_one_does(db: None) -> None:
    """11 CCR 7021(a): ten business days, and nothing in the EU."""
    silent, told, elsewhere = (drive.a_request(country=country) for country in ("US-CA", "US-CA", "DE"))
    Message.objects.exclude(request=told).update(status="failed", reason="OSError")
    outbox.drain()
    wanted = deadlines.of_kind("us_ca_ccpa", silent.right, "acknowledgement", silent.received_at)
    assert wanted is not None
    last = wanted.unpaused_date
    dates.sweep(on(last - settings.REMIND_BEFORE - timedelta(days=1)))
    assert raised(silent) == ""
    dates.sweep(on(last))
    assert [raised(one) for one in (silent, told, elsewhere)] == [Raised.ACK_MISSING, "", ""]
    Message.objects.filter(request=silent).update(status="sent", sent_at=timezone.now())
    assert clock_events.acknowledged_on(drive.fresh(silent.pk)) == clock_events.today(silent)
    dates.sweep(on(last))
    assert raised(silent) == ""


# --- the mail of the day ----------------------------------------------------------------------------------------------


def colleague(pk: int | None) -> User:
    return User.objects.get(pk=pk)


def digests(user: User) -> int:
    return Message.objects.filter(notice=Notice.STAFF_DIGEST, author=user).count()


def test_each_colleague_gets_one_mail_a_day_with_what_is_theirs_and_it_names_nobody(route: Route) -> None:
    handler, approver = colleague(route.handler.user_id), colleague(route.approver.user_id)
    mine, loose = route.review(Right.ACCESS), route.review(Right.ACCESS)
    decide.assign(mine.pk, actor=route.handler)
    assert mine.target_on is not None
    day = mine.target_on - settings.REMIND_BEFORE
    dates.sweep(on(day - timedelta(days=1)))
    dates.sweep(on(day, settings.STAFF_DIGEST_HOUR - 1))
    assert not Message.objects.filter(notice=Notice.STAFF_DIGEST).exists()
    for hour in (settings.STAFF_DIGEST_HOUR, 15, 23):
        dates.sweep(on(day, hour))
    assert (digests(handler), digests(approver)) == (1, 1)
    assert (due_of(handler, day), due_of(approver, day)) == ([mine.pk], [loose.pk])
    # A week in which nobody was up is no heap of mails.
    for hour in (9, 10):
        dates.sweep(on(day + timedelta(days=7), hour))
    assert (digests(handler), digests(approver)) == (2, 2)
    # Near its date or past it, approvers see what a colleague has taken, too.
    dates.sweep(on(due(mine)))
    assert set(due_of(approver, day)) == {mine.pk, loose.pk}


def due_of(user: User, day: date) -> list[int]:
    return list(PrivacyRequest.objects.due_for(user, day + settings.REMIND_BEFORE).values_list("pk", flat=True))


def test_the_mail_holds_references_days_and_links_and_no_word_about_a_person(route: Route) -> None:
    request = route.review(Right.ACCESS)
    PrivacyRequest.objects.filter(pk=request.pk).update(
        target_on=timezone.localdate(),
        due_on=timezone.localdate() + timedelta(days=2),
        assignee_id=route.handler.user_id,
    )
    dates.sweep(on(timezone.localdate(), settings.STAFF_DIGEST_HOUR))
    message = Message.objects.get(notice=Notice.STAFF_DIGEST, author_id=route.handler.user_id)
    made = compose.mail(message)
    said = str(made.body) + str(made.alternatives[0][0])
    assert made.to == [colleague(route.handler.user_id).email]
    for wanted in (request.case.reference, f"/desk/requests/{request.pk}/", "The legal date is near"):
        assert wanted in said
    assert request.case.email not in said
    assert "copy" not in said.lower()
    move(request.pk, "withdraw", actor=REQUESTER)
    assert "Nothing is due for you any more" in str(compose.mail(message).body)
