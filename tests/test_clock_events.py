"""What stops the clock of a request: each question and answer by its day and its evidence, and the dates counted anew."""

from datetime import UTC, date, datetime, time, timedelta

import hypothesis
import pytest
from django.conf import settings
from django.core import mail
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from dsar import audit, clock_book, clock_events, deadlines, workflow
from dsar.desk import views
from dsar.enums import CheckKind, Raised, Right, State
from dsar.enums import ClockEventKind as K
from dsar.intake import beside
from dsar.law import codes, regimes
from dsar.law.clocks import Pause
from dsar.models import REQUESTER, SYSTEM, AuditEvent, Case, ClockEvent, Message, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import outbox, post
from dsar.review import clock, dates, decide
from dsar.workflow import move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")


def on(day: date) -> datetime:
    """Noon of a day."""
    return timezone.make_aware(datetime.combine(day, time(12)))


def note(pk: int, kind: K, on: date) -> PrivacyRequest:
    """One event, under the locks that it wants."""
    with transaction.atomic():
        request = workflow.lock(pk)
        clock_events.note(request, kind, on)
    return drive.fresh(pk)


def test_a_waiting_that_guidance_alone_does_not_count_moves_no_date_and_is_shown_apart(db: None) -> None:
    request = drive.a_request(right="access", country="DE")
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=request.received_at - timedelta(days=20))
    received = clock_events.today(request) - timedelta(days=20)
    first = clock_events.dates(drive.fresh(request.pk))
    for kind, days in ((K.CLARIFICATION_REQUESTED, 3), (K.CLARIFICATION_RECEIVED, 10)):
        counted = note(request.pk, kind, received + timedelta(days=days))
        assert (counted.due_on, counted.target_on, counted.paused_reason) == (first.due_on, first.target_on, "")
    told = clock_events.dates(drive.fresh(request.pk))
    assert told.by_guidance is not None and told.by_guidance.date is not None
    assert told.by_guidance.safe_date == told.due.safe_date
    assert told.by_guidance.date >= first.due_on + timedelta(days=4)


def test_a_second_question_an_answer_to_none_and_a_day_that_has_not_come_change_nothing(db: None) -> None:
    request = drive.a_request(right="access", country="DE")
    today = clock_events.today(request)
    note(request.pk, K.FEE_PAID, today)
    note(request.pk, K.FEE_REQUESTED, today)
    note(request.pk, K.FEE_REQUESTED, today)
    assert list(ClockEvent.objects.filter(request=request).values_list("kind", flat=True)) == [K.FEE_REQUESTED]
    with pytest.raises(ValueError, match="day"):
        note(request.pk, K.FEE_PAID, today + timedelta(days=1))
    assert audit.verify() == []


def kinds(request: PrivacyRequest) -> list[str]:
    return list(ClockEvent.objects.filter(request=request).in_order().values_list("kind", flat=True))


def test_question_and_answer_are_noted_by_the_day_the_letter_left_with_their_evidence(route: Route) -> None:
    request = route.review(Right.ACCESS)
    ClockEvent.objects.all().delete()
    before = (drive.fresh(request.pk).due_on, drive.fresh(request.pk).target_on)
    decide.ask(request.pk, "Which of the two accounts?", actor=route.handler)
    assert kinds(request) == []
    outbox.drain()
    asked = ClockEvent.objects.get(request=request)
    assert (asked.kind, asked.on) == (K.CLARIFICATION_REQUESTED, clock_events.today(request))
    assert asked.message is not None and asked.message.notice == Notice.ASK
    beside.answer(request.pk, "The second one.")
    answered = ClockEvent.objects.in_order().last()
    assert answered is not None and answered.kind == K.CLARIFICATION_RECEIVED
    assert answered.message is not None and answered.message.text == "The second one."
    moved = drive.fresh(request.pk)
    assert (moved.due_on, moved.target_on) == before
    decide.ask(request.pk, "And since when?", actor=route.handler)
    outbox.drain()
    clock.sweep(timezone.now() + settings.ANSWER_WITHIN + timedelta(minutes=1))
    assert kinds(request)[2:] == [K.CLARIFICATION_REQUESTED, K.CLARIFICATION_LAPSED]
    assert audit.verify() == []


def test_identity_is_asked_for_with_the_letter_and_received_with_the_proof_that_reaches_its_tier(db: None) -> None:
    request = drive.a_request()
    outbox.drain()
    assert kinds(request) == [K.IDENTITY_REQUESTED]
    drive.proven_by_link(request.case)
    received = ClockEvent.objects.get(request=request, kind=K.IDENTITY_RECEIVED)
    assert received.check_ref is not None and received.check_ref.kind == CheckKind.MAILBOX
    below = drive.a_request(right=Right.ACCESS, country="US-CA")
    outbox.drain()
    drive.proven_by_link(below.case)
    assert kinds(below) == [K.IDENTITY_REQUESTED]


def test_an_answer_before_the_question_has_left_stops_nothing(route: Route) -> None:
    request = route.review(Right.ACCESS)
    ClockEvent.objects.all().delete()
    decide.ask(request.pk, "Which one?", actor=route.handler)
    beside.answer(request.pk, "Both.")
    outbox.drain()
    assert kinds(request) == []


# --- extensions -------------------------------------------------------------------------------------------------------


def extended(route: Route, *, days_ago: int = 0) -> PrivacyRequest:
    """A copy with more time, decided while it could be; its letter has not left, and it came so many days ago."""
    request = decide.extend(route.review(Right.ACCESS).pk, "COMPLEXITY", "It is a lot.", actor=route.handler)
    if days_ago:
        PrivacyRequest.objects.filter(pk=request.pk).update(received_at=timezone.now() - timedelta(days=days_ago))
        with transaction.atomic():
            clock_events.recount(workflow.lock(request.pk))
    return drive.fresh(request.pk)


def test_an_extension_stands_once_its_letter_has_left_in_time(route: Route) -> None:
    request = extended(route)
    outbox.drain()
    dates.sweep(timezone.now() + timedelta(days=45))
    after = drive.fresh(request.pk)
    assert (after.due_on, after.raised) == (request.due_on, "")
    assert kinds(request)[-1] == K.EXTENSION_NOTICE_SENT


def test_a_notice_that_leaves_late_is_void_and_the_first_date_holds(route: Route) -> None:
    """GDPR Art 12(3): within one month of receipt. What was decided counts for nothing until it is told."""
    request = extended(route, days_ago=40)
    first = request.original_due_on
    outbox.drain()
    after = drive.fresh(request.pk)
    assert (after.due_on, after.extended_at, after.original_due_on) == (first, None, None)
    assert after.raised == Raised.EXTENSION_VOID
    assert PrivacyRequest.objects.stuck().filter(pk=request.pk).exists()
    assert not decide.may_extend(after)


def test_a_notice_that_never_left_is_found_and_not_sent_any_more(route: Route) -> None:
    request = extended(route)
    assert request.original_due_on is not None
    dates.sweep(on(request.original_due_on))
    assert drive.fresh(request.pk).extended_at is not None
    dates.sweep(on(request.original_due_on) + timedelta(days=1))
    after = drive.fresh(request.pk)
    assert (after.due_on, after.raised) == (request.original_due_on, Raised.EXTENSION_VOID)
    outbox.drain()
    assert not Message.objects.filter(notice=Notice.EXTENDED, status="sent").exists()
    again = AuditEvent.objects.filter(what="extension_void").count()
    dates.sweep(on(request.original_due_on) + timedelta(days=2))
    assert AuditEvent.objects.filter(what="extension_void").count() == again == 1


def test_a_letter_of_which_the_clock_was_not_told_is_found(route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sent it died before it was noted: the extension stands all the same."""
    request = extended(route)
    with monkeypatch.context() as broken:
        broken.setattr(clock_events, "sent", lambda *given: 1 / 0)
        outbox.drain()
    assert K.EXTENSION_NOTICE_SENT not in kinds(request)
    dates.sweep()
    assert kinds(request)[-1] == K.EXTENSION_NOTICE_SENT


def test_a_letter_on_paper_announces_on_the_day_on_which_it_is_posted(route: Route) -> None:
    request = extended(route, days_ago=32)
    Message.objects.filter(request=request, notice=Notice.EXTENDED).update(status="to_post", by_post=True)
    posted = Message.objects.get(request=request, notice=Notice.EXTENDED)
    post.posted([posted.pk], timezone.localdate() - timedelta(days=10), actor=route.handler)
    event = ClockEvent.objects.get(request=request, kind=K.EXTENSION_NOTICE_SENT)
    assert event.on == timezone.localdate() - timedelta(days=10)
    assert drive.fresh(request.pk).extended_at is not None


def test_the_desk_takes_no_more_time_by_guidance_alone(db: None) -> None:
    """GDPR Art 12(3): the month is over, whatever waiting guidance would not count; `law.clocks.extend` keeps the safe date."""
    for regime, may in (("eu_gdpr", False), ("uk_gdpr", True)):
        request = under(regime, days_ago=35)
        today = clock_events.today(request)
        note(request.pk, K.CLARIFICATION_REQUESTED, today - timedelta(days=30))
        request = note(request.pk, K.CLARIFICATION_RECEIVED, today - timedelta(days=15))
        assert decide.may_extend(request) == may, regime


def test_the_letter_of_an_extension_says_that_the_date_stays_only_where_nothing_moves_it(route: Route) -> None:
    """UK GDPR Art 12A: a question that is asked after the extension moves its date."""
    for regime, stays in (("eu_gdpr", True), ("uk_gdpr", False), ("us_ca_ccpa", True)):
        request = route.review(Right.ACCESS)
        Case.objects.filter(pk=request.case_id).update(regime=regime, regime_version=regimes.load(regime).version)
        reason = codes.extension_reasons(regimes.load(regime))[0].code
        decide.extend(request.pk, reason, "It is a lot.", actor=route.handler)
        outbox.drain()
        letter = " ".join(str(mail.outbox[-1].body).split())
        assert ("this date will not move again" in letter) == stays, regime
        assert ("only if we have to wait for something from you" in letter) != stays, regime


# --- waiting that the law itself does not count -----------------------------------------------------------------------


def under(regime: str, days_ago: int = 0) -> PrivacyRequest:
    """A copy asked for under a law so many days ago."""
    request = drive.a_request(right=Right.ACCESS)
    Case.objects.filter(pk=request.case_id).update(regime=regime, regime_version=regimes.load(regime).version)
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=timezone.now() - timedelta(days=days_ago))
    with transaction.atomic():
        clock_events.recount(workflow.lock(request.pk))
    return drive.fresh(request.pk)


def test_while_the_law_waits_there_is_no_date_and_nothing_is_lost_of_the_request(route: Route) -> None:
    """UK GDPR Art 12A: the clock begins with the identity, and stands still while a question is open."""
    request = under("uk_gdpr", 40)
    first = request.due_on
    assert first is not None and first < timezone.localdate()
    note(request.pk, K.IDENTITY_REQUESTED, clock_events.today(request) - timedelta(days=39))
    waits = drive.fresh(request.pk)
    assert (waits.paused_reason, waits.legal_date, waits.due_on) == ("identity", None, first)
    dates.sweep()
    assert drive.fresh(request.pk).raised == ""
    assert not views.BY_KEY["overdue"].rows(timezone.now()).exists()
    assert views.BY_KEY["requester"].rows(timezone.now()).get() == waits
    # Nobody waits for ever: our own target has come, and a person goes on.
    clock.sweep()
    back = drive.fresh(request.pk)
    assert (back.state, back.paused_reason) == (State.REVIEW, "")
    assert back.due_on is not None and back.due_on > first
    assert kinds(request) == [K.IDENTITY_REQUESTED, K.IDENTITY_LAPSED]


def test_law_14_a_proof_that_never_came_gives_the_company_no_fresh_month(route: Route) -> None:
    """UK GDPR Art 12A: the time begins with the proof. Without one nothing begins, and we answer when we would have had to."""
    request = under("uk_gdpr")
    outbox.drain()
    waits = drive.fresh(request.pk)
    assert (waits.paused_reason, kinds(request)) == ("identity", [K.IDENTITY_REQUESTED])
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=waits.received_at - timedelta(days=28))
    ClockEvent.objects.filter(request=request).update(on=clock_events.today(request) - timedelta(days=28))
    with transaction.atomic():
        clock_events.recount(workflow.lock(request.pk))
    open_one = drive.fresh(request.pk)
    first = open_one.due_on
    clock.sweep(timezone.now() + timedelta(days=1))
    back = drive.fresh(request.pk)
    assert (back.state, back.paused_reason, kinds(request)[-1]) == (State.REVIEW, "", K.IDENTITY_LAPSED)
    assert (back.due_on, back.target_on) == (first, open_one.target_on)
    book = clock_book.of(back)
    told = " ".join(book.answer.steps)
    assert "nothing had come by" in told
    assert "has come" not in told and "begins" not in told
    assert [(one.end, one.counts) for one in book.waitings] == [("lapsed", False)]


def test_an_open_question_stops_the_clock_where_the_law_says_so_and_every_end_closes_it(route: Route) -> None:
    request = under("uk_gdpr", 10)
    drive.proven_by_link(request.case)
    move(request.pk, "located", actor=SYSTEM, nothing_held=False, judgement=["staff"])
    before = drive.fresh(request.pk).due_on
    decide.ask(request.pk, "Which of the two?", actor=route.handler)
    outbox.drain()
    asked = drive.fresh(request.pk)
    assert (asked.paused_reason, asked.legal_date) == ("clarification", None)
    shown = clock_book.of(asked)
    assert (shown.answer.state, shown.answer.date, shown.waitings[0].basis) == ("paused", None, "statute")
    assert shown.answer.days_left
    # The question went out a week ago.
    ClockEvent.objects.filter(request=request).update(on=clock_events.today(asked) - timedelta(days=7))
    beside.answer(request.pk, "The second.")
    moved = drive.fresh(request.pk)
    assert before is not None and moved.due_on is not None and moved.due_on > before
    decide.ask(request.pk, "And since when?", actor=route.handler)
    outbox.drain()
    move(request.pk, "withdraw", actor=REQUESTER)
    ended = drive.fresh(request.pk)
    assert (ended.paused_reason, kinds(request)[-1]) == ("", K.CLARIFICATION_LAPSED)
    assert ended.due_on is not None and ended.due_on >= moved.due_on
    assert clock_book.of(ended).answer.state == "done"


def test_where_the_law_leaves_the_length_open_the_notice_names_the_day(db: None, route: Route) -> None:
    """Swiss DPO Art 18(2)."""
    request = under("ch_fadp")
    drive.proven_by_link(request.case)
    move(request.pk, "located", actor=SYSTEM, nothing_held=False, judgement=["staff"])
    known = drive.fresh(request.pk)
    assert known.due_on is not None and decide.may_extend(known)
    for wrong in (None, known.due_on):
        with pytest.raises(workflow.Invalid):
            decide.extend(request.pk, "COMPLEXITY", "A lot.", actor=route.handler, until=wrong)
    wanted = known.due_on + timedelta(days=20)
    assert decide.extend(request.pk, "COMPLEXITY", "A lot.", actor=route.handler, until=wanted).due_on == wanted
    outbox.drain()
    dates.sweep(on(wanted))
    assert drive.fresh(request.pk).due_on == wanted


WAITED = st.lists(
    st.tuples(
        st.sampled_from(["identity", "clarification", "fee"]), st.integers(0, 60), st.integers(0, 60), st.booleans()
    ),
    max_size=4,
)


@given(
    regime=st.sampled_from(regimes.all_ids()), right=st.sampled_from([r.value for r in Right if r]),
    day=st.dates(date(2026, 1, 1), date(2029, 12, 31)), waited=WAITED,
)  # fmt: skip
@hypothesis.settings(max_examples=300, deadline=None)
def test_no_date_of_the_house_moves_earlier_because_of_a_waiting(
    regime: str, right: str, day: date, waited: list[tuple[str, int, int, bool]]
) -> None:
    """Property: neither the date nor our target; and the date by guidance, shown apart, is never the earlier one."""
    received = datetime.combine(day, time(12), tzinfo=UTC)
    pauses = [
        Pause(kind, day + timedelta(days=asked), None if is_open else day + timedelta(days=asked + took))
        for kind, asked, took, is_open in waited
    ]
    plain, moved = deadlines.dates(regime, right, received), deadlines.dates(regime, right, received, pauses=pauses)
    assert moved.due_on >= plain.due_on
    assert moved.target_on >= plain.target_on
    assert moved.target_on <= moved.due_on
    assert bool(moved.paused) == (moved.due.date is None)
    if moved.by_guidance is not None and moved.by_guidance.date is not None:
        assert moved.by_guidance.date >= moved.due_on
