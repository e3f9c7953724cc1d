"""The day of the answer is the day on which its letter leaves, in record, measures, dates and bundle; and what is written and
does not leave is raised by name."""

from datetime import UTC, date, datetime, time, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Role, User
from dsar import clock_book, clock_events, guards, measures, records, workflow
from dsar.desk import bundle_facts, rows
from dsar.enums import AppealKind, AppealOutcome, ClockEventKind, Outcome, Raised, Right, State
from dsar.intake import submit
from dsar.models import REQUESTER, SYSTEM, Appeal, Case, Message, PastMeasure, PrivacyRequest, RequestRecord
from dsar.notices import ANSWERS, MessageStatus, Notice
from dsar.notifications import outbox, paper, post, staff_letter, undelivered
from dsar.review import answers, appeal_decisions, appeals, dates
from dsar.workflow import Invalid, move
from tests import drive
from tests.drive import CAST, Route
from tests.remedies import under
from tests.situations import ENDS
from tests.test_audit import unguarded

pytestmark = pytest.mark.usefixtures("own_journal")


def refused(route: Route, request: PrivacyRequest) -> PrivacyRequest:
    return drive.refuse(request.pk, "OUT_OF_SCOPE", "Of somebody else.", actor=route.approver)


def in_review(request: PrivacyRequest) -> PrivacyRequest:
    """Whatever it waited for: a person looks at it."""
    move(request.pk, "not_proven", actor=SYSTEM)
    PrivacyRequest.objects.filter(pk=request.pk).update(located_at=timezone.now())
    return drive.fresh(request.pk)


def as_if(request: PrivacyRequest, *, received: int, due: int, ended: int) -> None:
    """It came, was due and was decided so many days ago."""
    came, over = drive.days_ago(received), drive.days_ago(ended)
    with transaction.atomic(), unguarded():
        PrivacyRequest.objects.filter(pk=request.pk).update(
            received_at=came, ended_at=over, due_on=drive.days_ago(due).date(),
        )  # fmt: skip
        RequestRecord.objects.filter(request_id=request.pk).update(received_on=came.date())
        Message.objects.filter(request=request).update(created_at=over)


def record_of(request: PrivacyRequest) -> RequestRecord:
    return RequestRecord.objects.get(request_id=request.pk)


def this_year() -> measures.Line:
    today = timezone.now().date()
    return measures.report(today - timedelta(days=60), today + timedelta(days=2)).total


def test_law_09_an_answer_that_nobody_posts_is_raised_and_is_late_and_is_answered_when_it_goes(route: Route) -> None:
    """Decided a day before its date, posted sixteen days later."""
    request = in_review(drive.a_request(CAST.plain, Right.KNOW, by_post=True, postal="1 High Street"))
    request = refused(route, request)
    (letter,) = Message.objects.filter(request=request, notice=Notice.REFUSED)
    assert letter.status == MessageStatus.TO_POST
    as_if(request, received=45, due=15, ended=16)
    held = drive.fresh(request.pk)
    assert (record_of(request).answered_on, record_of(request).days) == (None, None)
    shown = clock_book.answer(held)
    assert (shown.state, shown.done_on) == (clock_book.LATE, None)
    assert shown.days_left is not None and shown.days_left < 0
    chip = rows.deadline(held, timezone.localdate())
    assert chip and chip["state"] == "late"
    counted = this_year()
    assert (counted.denied, counted.late, counted.median_days) == (1, 1, None)

    dates.sweep()
    held = drive.fresh(request.pk)
    assert held.raised == held.named_reason == Raised.ANSWER_HERE
    assert PrivacyRequest.objects.stuck().filter(pk=request.pk).exists()
    approver = User.objects.get(pk=route.approver.user_id)
    assert request.pk in staff_letter.reminded_of(approver, timezone.localdate()).values_list("pk", flat=True)
    dates.sweep()
    assert drive.fresh(request.pk).raised == Raised.ANSWER_HERE, "it stays until the letter is out"

    today = clock_events.today(held)
    assert post.posted([letter.pk], today, actor=route.handler) == 1
    found, held = record_of(request), drive.fresh(request.pk)
    assert (found.answered_on, found.days, found.late) == (held.answered_on, 45, True)
    assert (held.answered_on, held.raised) == (today, "")
    assert bundle_facts.dates(held)["answered_on"] == today
    shown = clock_book.answer(held)
    assert (shown.state, shown.done_on) == (clock_book.LATE, today)
    counted = this_year()
    assert (counted.late, counted.median_days) == (1, 45)
    dates.sweep()
    assert drive.fresh(request.pk).raised == ""


def test_a_mail_that_went_days_later_answers_on_the_day_on_which_it_went(route: Route) -> None:
    request = refused(route, route.review(Right.ACCESS))
    as_if(request, received=20, due=1, ended=3)
    dates.sweep()
    assert drive.fresh(request.pk).raised == Raised.ANSWER_HERE
    while outbox.drain():
        pass
    found = record_of(request)
    assert (found.days, found.late, drive.fresh(request.pk).raised) == (20, True, "")
    longer = found.keep_until
    assert longer >= found.answered_on.replace(year=found.answered_on.year + 3, day=min(found.answered_on.day, 28))


def test_a_mail_that_went_is_not_sent_again_because_its_day_could_not_be_noted(route: Route) -> None:
    """The sweep notes it, with the day on which it went; and what is still here stays without one."""
    request = refused(route, route.review(Right.ACCESS))
    here = in_review(drive.a_request(CAST.plain, Right.KNOW, by_post=True, postal="1 High Street"))
    here = refused(route, here)
    connection.check_constraints()
    broken = guards.Guard("test_broken", guards.REQUEST, "UPDATE", "No.", "NEW.answered_on IS NOT NULL")
    with connection.cursor() as cursor:
        for statement in guards.statements(broken, connection.vendor):
            cursor.execute(statement)
    while outbox.drain():
        pass
    letter = Message.objects.get(request=request, notice=Notice.REFUSED)
    assert (letter.status, letter.attempts) == (MessageStatus.SENT, 1)
    assert hasattr(letter, "letter")
    assert drive.fresh(request.pk).answered_on is None
    connection.check_constraints()
    table = f" ON {guards.REQUEST}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {broken.trigger}{table}")
    went = timezone.now() - timedelta(days=3)
    with transaction.atomic(), unguarded():
        PrivacyRequest.objects.filter(pk=request.pk).update(ended_at=went)
        Message.objects.filter(pk=letter.pk).update(sent_at=went)
    guards.install()
    dates.sweep()
    assert drive.fresh(request.pk).answered_on == record_of(request).answered_on == clock_events.today(request, went)
    assert drive.fresh(here.pk).answered_on is None
    assert Message.objects.get(pk=letter.pk).attempts == 1


def test_one_that_is_out_in_time_is_never_raised(route: Route) -> None:
    request = refused(route, route.review(Right.ACCESS))
    today = clock_events.today(request)
    PrivacyRequest.objects.filter(pk=request.pk).update(due_on=today)
    dates.sweep()
    assert drive.fresh(request.pk).raised == "", "a mail is given its hour"
    while outbox.drain():
        pass
    dates.sweep(timezone.now() + timedelta(days=9))
    held = drive.fresh(request.pk)
    assert (held.answered_on, held.raised, record_of(request).late) == (today, "", False)


def test_the_day_of_the_answer_is_written_once(route: Route) -> None:
    """By no statement: neither a day that stands, nor anything beside it, nor a shorter period."""
    request = refused(route, route.review(Right.ACCESS))
    day = clock_events.today(request)
    mine = RequestRecord.objects.filter(request_id=request.pk)
    for changed in (
        {"outcome": Outcome.GRANTED, "answered_on": day, "days": 0},
        {"keep_until": day, "answered_on": day, "days": 0},
        {"late": True},
        {"answered_on": day},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            mine.update(**changed)
    while outbox.drain():
        pass
    for table, changed in (
        (mine, {"answered_on": day + timedelta(days=1)}),
        (mine, {"late": True}),
        (mine, {"answered_on": None, "days": None}),
        (PrivacyRequest.objects.filter(pk=request.pk), {"answered_on": None}),
        (PrivacyRequest.objects.filter(pk=request.pk), {"answered_on": day + timedelta(days=1)}),
    ):
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            table.update(**changed)
        assert guards.REFUSAL in str(refusal.value)
    assert not records.answer_left(drive.fresh(request.pk), timezone.now() + timedelta(days=9))
    open_one = route.review()
    with pytest.raises(IntegrityError), transaction.atomic():
        PrivacyRequest.objects.filter(pk=open_one.pk).update(answered_on=day)


def test_what_ends_without_a_letter_of_ours_is_answered_when_it_ends(route: Route) -> None:
    for name, end in ENDS.items():
        request = end.build(route)
        letter = Message.objects.filter(request=request, notice__in=ANSWERS).exists()
        assert (request.answered_on is None) == letter, name
        assert (record_of(request).answered_on is None) == letter, name
    silent = drive.a_request(right=Right.KNOW)
    type(silent.case).objects.filter(pk=silent.case_id).update(machine_mail=True, email_proven_at=None)
    silent = refused(route, in_review(silent))
    assert record_of(silent).days == 0, "nobody is written to"


def test_every_letter_that_ends_a_request_is_known_as_an_answer() -> None:
    ends = {outcome: notice for outcome, notice in workflow.ENDINGS.items() if outcome not in workflow.UNASKED_ENDS}
    assert {*ends.values(), *workflow.GRANTED.values(), *workflow.ENDS_BY_VERB.values()} == ANSWERS


def test_an_answer_that_never_left_is_a_late_one_in_the_counts(db: None) -> None:
    day = date(2020, 1, 5)
    given: dict[str, Any] = {"regime": "eu_gdpr", "right": Right.ACCESS, "channel": "web", "received_on": day}
    RequestRecord.objects.create(**given, request_id=10**9, outcome=Outcome.DENIED, keep_until=day)
    RequestRecord.objects.create(
        **given, request_id=10**9 + 1, outcome=Outcome.DENIED, keep_until=day, answered_on=day, days=0
    )
    assert records.forget_expired() == 2
    assert sorted(PastMeasure.objects.values_list("late", "days")) == [(False, 0), (True, None)]
    line = measures.report(date(2020, 1, 1), date(2020, 1, 31)).total
    assert (line.denied, line.late, line.took) == (2, 1, {0: 1})


def test_what_an_upheld_appeal_begins_anew_was_received_once(route: Route) -> None:
    """Before and after the second one has ended."""
    old = under(refused(route, route.review(Right.KNOW)))
    appeal = appeals.take(old.pk, "You never looked into the second account.")
    assert appeal is not None
    other = drive.person_of_the_desk(Role.APPROVER, "other")
    done = appeal_decisions.decide(
        appeal.pk, AppealOutcome.UPHELD, "It was overlooked.", actor=other, anew=submit.begin_anew
    )
    new = done.opened
    assert new is not None
    found = this_year()
    assert (found.received, found.open, found.begun_anew, found.denied) == (1, 0, 1, 1)
    drive.freeze(new)
    PrivacyRequest.objects.filter(pk=new.pk).update(located_at=timezone.now())
    move(new.pk, "located", actor=SYSTEM, nothing_held=True, judgement=[])
    assert drive.fresh(new.pk).state == State.COMPLETED
    assert (record_of(new).begun_anew, record_of(old).begun_anew) == (True, False)
    found = this_year()
    assert (found.received, found.begun_anew, found.denied, found.outcomes.total()) == (1, 1, 1, 1)
    assert found.numbers()["appeals_upheld"] == 1


def test_law_06_an_appeal_is_open_from_the_day_on_which_the_answer_left(route: Route) -> None:
    """Refused in Colorado, ninety-five days in the tray (C.R.S. 6-1-1306(3): a reasonable period after receipt)."""
    request = in_review(drive.a_request(CAST.plain, Right.KNOW, by_post=True, postal="1 High Street"))
    request = under(refused(route, request))
    letter = Message.objects.get(request=request, notice=Notice.REFUSED)
    as_if(request, received=160, due=115, ended=95)
    assert appeals.by_itself(drive.fresh(request.pk), timezone.now()) == AppealKind.APPEAL, "nobody has an answer yet"
    post.posted([letter.pk], timezone.localdate(), actor=route.handler)
    held = drive.fresh(request.pk)
    assert held.answered_on
    until = held.answered_on + settings.APPEAL_WITHIN
    assert date_format(until) in paper.said(Message.objects.get(pk=letter.pk))["text"]
    for days, kind in ((90, AppealKind.APPEAL), (92, None)):
        assert appeals.by_itself(held, timezone.now() + timedelta(days=days)) == kind, days
    appeal = appeals.take(held.pk, "You never looked.")
    assert appeal
    told = Message.objects.get(appeal=appeal, notice=Notice.APPEAL_RECEIVED)
    assert f"Our answer of {date_format(held.answered_on)}" in paper.said(told)["text"]


def test_an_answer_that_reached_them_on_another_way_is_noted_with_its_day(route: Route) -> None:
    """By an approver, once, and never for a day before the decision; the mail that failed is not tried again."""
    request = refused(route, route.review(Right.ACCESS))
    Message.objects.filter(request=request, notice=Notice.REFUSED).update(status=MessageStatus.FAILED)
    undelivered.note(request.pk)
    as_if(request, received=45, due=15, ended=16)
    dates.sweep()
    today = clock_events.today(request)
    told = today - timedelta(days=15)
    with pytest.raises(workflow.Forbidden):
        answers.note(request.pk, told, "On the telephone.", actor=route.handler)
    for day in (today - timedelta(days=18), today + timedelta(days=1)):
        with pytest.raises(workflow.Invalid):
            answers.note(request.pk, day, "On the telephone.", actor=route.approver)
    assert drive.fresh(request.pk).named_reason
    answers.note(request.pk, told, "On the telephone.", actor=route.approver)
    held, found = drive.fresh(request.pk), record_of(request)
    assert (held.answered_on, held.raised, held.undelivered_at, held.named_reason) == (told, "", None, "")
    assert (found.answered_on, found.days, found.late) == (told, 30, False)
    assert not PrivacyRequest.objects.answers_here().filter(pk=request.pk).exists()
    with pytest.raises(workflow.Conflict):
        answers.note(request.pk, today, "Again.", actor=route.approver)
    assert not answers.may_note(route.review())


def test_what_was_answered_before_is_dated_by_its_letter(route: Route) -> None:
    """As the migration finds it: every end had become the day of an answer."""
    by_post = {"by_post": True, "postal": "1 High Street"}
    names = ("posted", "tray", "mailed", "failed", "withdrawn", "purged")
    found = {name: drive.a_request(f"{name}@example.net", Right.KNOW, **by_post) for name in names}
    for name, request in found.items():
        if name == "withdrawn":
            move(request.pk, "withdraw", actor=REQUESTER)
        else:
            refused(route, in_review(request))
        as_if(request, received=50, due=5, ended=10)
    new = drive.a_request(right=Right.KNOW)
    move(new.pk, "withdraw", actor=REQUESTER)
    old = found["withdrawn"]
    now = timezone.now()
    ended_on = clock_events.today(old, drive.fresh(old.pk).ended_at)
    letter = {name: Message.objects.filter(request=found[name], notice=Notice.REFUSED) for name in names}
    with transaction.atomic(), unguarded():
        letter["posted"].update(status=MessageStatus.SENT, sent_at=now)
        letter["mailed"].update(status=MessageStatus.SENT, sent_at=now - timedelta(days=10))
        letter["failed"].update(status=MessageStatus.FAILED)
        letter["purged"].update(status=MessageStatus.FAILED, reason="purged")
        Case.objects.filter(pk=found["purged"].case_id).update(purged_at=now)
        every = PrivacyRequest.objects.filter(pk__in=[one.pk for one in found.values()])
        every.update(answered_on=ended_on)
        RequestRecord.objects.filter(request_id__in=every.values("pk")).update(answered_on=ended_on, days=40)
        Appeal.objects.create(
            request=found["mailed"], kind=AppealKind.APPEAL, regime="us_co_cpa", received_at=now, due_on=now.date(), target_on=now.date(),
            outcome=AppealOutcome.UPHELD, decided_at=now, opened=new, decided_by_id=route.approver.user_id,
            reasons_sealed=b"sealed",
        )  # fmt: skip
    guards.install()
    connection.check_constraints()
    long = record_of(found["posted"]).keep_until
    correct = import_module("dsar.migrations.0068_answers_as_their_letters_left").correct
    correct(apps, _Plain())
    guards.install()
    today = clock_events.today(old)
    expected = {
        "posted": (today, 50, True), "tray": (None, None, False), "mailed": (ended_on, 40, False),
        "failed": (None, None, False), "withdrawn": (ended_on, 40, False), "purged": (ended_on, 40, False),
    }  # fmt: skip
    for name, (day, days, late) in expected.items():
        record = record_of(found[name])
        assert drive.fresh(found[name].pk).answered_on == record.answered_on == day, name
        assert (record.days, record.late, record.begun_anew) == (days, late, False), name
    assert record_of(found["posted"]).keep_until == long + timedelta(days=10)
    assert record_of(new).begun_anew
    dates.sweep()
    assert drive.fresh(found["tray"].pk).raised == Raised.ANSWER_HERE


class _Plain:
    """Runs statements inside the transaction of the test, where the editor of SQLite refuses to begin."""

    connection = connection

    def execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)


def test_law_10_a_letter_is_not_late_by_a_date_that_the_end_itself_would_set(route: Route) -> None:
    """UK GDPR Art 12A: the period is not running while the proof that was asked for is out. Ended on the fifty-eighth day of
    that: the letter that leaves two days later is not late; one that stays is raised, and is not counted as late."""
    request = under(route.review(Right.ACCESS), "uk_gdpr")
    outbox.drain()
    long_ago = drive.days_ago(60)
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=long_ago)
    with transaction.atomic():
        held = workflow.lock(request.pk)
        asked = clock_events.today(held) - timedelta(days=58)
        clock_events.note(held, ClockEventKind.IDENTITY_REQUESTED, asked)
    assert drive.fresh(request.pk).paused_reason == "identity"
    done = refused(route, drive.fresh(request.pk))
    assert (done.outcome, done.legal_date, done.answered_on) == (Outcome.DENIED, None, None)
    with transaction.atomic(), unguarded():
        RequestRecord.objects.filter(request_id=request.pk).update(received_on=clock_events.today(done, long_ago))
    dates.sweep(timezone.now() + timedelta(days=1))
    assert drive.fresh(request.pk).raised == Raised.ANSWER_HERE
    assert this_year().late == 0
    with transaction.atomic():
        records.answer_left(workflow.lock(request.pk), drive.days_ago(-2))
    assert (record_of(done).late, record_of(done).days) == (False, 62)
    assert clock_book.answer(drive.fresh(request.pk)).state == clock_book.DONE


def test_the_day_on_which_a_letter_was_posted_is_that_which_was_named_wherever_the_desk_is(route: Route) -> None:
    """Noon in Auckland is the day before in Denver. And what is purged is not answered by anybody any more."""
    request = in_review(drive.a_request(CAST.plain, Right.KNOW, by_post=True, postal="1 High Street"))
    request = under(refused(route, request))
    as_if(request, received=20, due=1, ended=9)
    letter = Message.objects.get(request=request, notice=Notice.REFUSED)
    day = clock_events.today(request) - timedelta(days=3)
    held = drive.fresh(request.pk)
    assert answers.may_note(held)
    held.case.purged_at = timezone.now()
    assert not answers.may_note(held)
    with timezone.override("Pacific/Auckland"):
        post.posted([letter.pk], day, actor=route.handler)
    assert drive.fresh(request.pk).answered_on == record_of(request).answered_on == day


@pytest.mark.parametrize(
    ("hour", "zone", "ahead"), [(23, "UTC", -1), (13, "Pacific/Auckland", 1)], ids=["desk behind", "desk ahead"]
)
def test_a_day_of_the_desk_is_taken_though_the_law_counts_another(
    route: Route, monkeypatch: pytest.MonkeyPatch, hour: int, zone: str, ahead: int
) -> None:
    """A quarter to midnight at a desk that counts by UTC is tomorrow in Berlin; after midnight in Auckland is yesterday."""
    moment = datetime.combine(timezone.now().date(), time(hour, 45), UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    request = refused(route, route.review(Right.ACCESS))
    decided = clock_events.today(request, request.ended_at)
    with timezone.override(zone):
        desk = timezone.localdate()
        assert (desk - decided).days == ahead
        for wrong in (min(desk, decided) - timedelta(days=1), max(desk, decided) + timedelta(days=1)):
            with pytest.raises(Invalid):
                answers.note(request.pk, wrong, "On the telephone.", actor=route.approver)
        answers.note(request.pk, desk, "On the telephone.", actor=route.approver)
    assert drive.fresh(request.pk).answered_on == decided
