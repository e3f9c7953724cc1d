"""The clock: every way out of section 5 that nobody has to start; nothing ends in silence."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from dsar import audit
from dsar.enums import Outcome, Right, State, StepReason
from dsar.models import REQUESTER, Case, CaseKey, Message, PrivacyRequest
from dsar.notices import Notice
from dsar.review import clock, decide, holds, purge
from dsar.workflow import Conflict, move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")


def told(request: PrivacyRequest) -> list[str]:
    """The notices of a request, in order."""
    return list(Message.objects.filter(request=request).order_by("pk").values_list("notice", flat=True))


def on(day: object) -> datetime:
    """Noon of a day."""
    return timezone.make_aware(datetime.combine(day, datetime.min.time())) + timedelta(hours=12)  # type: ignore[arg-type]


def since(request: PrivacyRequest, period: timedelta) -> datetime:
    return drive.fresh(request.pk).entered_at + period


# --- not proven -------------------------------------------------------------------------------------------------------


def test_law_15_what_is_not_proven_by_the_target_date_goes_to_a_person_who_writes_the_letter(route: Route) -> None:
    request = route.verifying()
    assert request.target_on is not None
    clock.sweep(on(request.target_on) - timedelta(days=1))
    assert drive.fresh(request.pk).state == State.VERIFYING
    clock.sweep(on(request.target_on))
    weighed = drive.fresh(request.pk)
    assert (weighed.state, weighed.judgement, weighed.outcome) == (State.REVIEW, ["not_proven"], "")
    clock.sweep(on(request.target_on) + timedelta(days=400))
    assert drive.fresh(request.pk).state == State.REVIEW
    ended = decide.lapse(request.pk, "We could not make sure that it was you.", actor=route.approver)
    assert (ended.state, ended.outcome) == (State.LAPSED, Outcome.NOT_PROVEN)
    assert told(request)[-1] == Notice.NOT_PROVEN


def test_a_lapse_without_a_reason_is_refused(route: Route) -> None:
    request = route.review_unproven()
    for nothing in ("", "   \n"):
        with pytest.raises(decide.Invalid):
            decide.lapse(request.pk, nothing, actor=route.approver)
    assert drive.fresh(request.pk).state == State.REVIEW


def test_a_proof_that_comes_late_still_counts(route: Route) -> None:
    request = route.review_unproven()
    drive.proven_by_link(request.case)
    assert drive.fresh(request.pk).state == State.LOCATING


# --- questions --------------------------------------------------------------------------------------------------------


def test_an_unanswered_question_comes_back_to_be_decided_on_what_is_known(route: Route) -> None:
    request = route.review()
    decide.ask(request.pk, "Which of the two?", actor=route.handler)
    asked = drive.fresh(request.pk)
    assert asked.answer_by is not None
    clock.sweep(asked.answer_by - timedelta(minutes=1))
    assert drive.fresh(request.pk).state == State.CLARIFYING
    clock.sweep(asked.answer_by)
    back = drive.fresh(request.pk)
    assert (back.state, back.answer_by, back.asked_in) == (State.REVIEW, None, "")


def test_a_question_asked_in_triage_and_never_answered_does_not_end_there(route: Route) -> None:
    request = route.clarifying(route.triage())
    clock.sweep(timezone.now() + timedelta(days=15))
    assert drive.fresh(request.pk).state == State.REVIEW
    ended = decide.lapse(request.pk, "We asked and you did not answer.", actor=route.approver)
    assert ended.outcome == Outcome.UNANSWERED, "nobody was asked who they are: no link went out"
    assert told(request)[-1] == Notice.UNANSWERED


# --- confirmations ----------------------------------------------------------------------------------------------------


def test_law_15_two_reminders_then_a_person_writes_the_letter(route: Route) -> None:
    request = route.confirming()
    first, second = settings.CONFIRM_REMINDERS
    for moment, reminders in (
        (first - timedelta(minutes=1), 0), (first, 1), (first + timedelta(hours=1), 1),
        (second - timedelta(minutes=1), 1), (second, 2), (second + timedelta(hours=1), 2),
    ):  # fmt: skip
        clock.sweep(since(request, moment))
        assert told(request).count(Notice.CONFIRM_REMINDER) == reminders
        assert drive.fresh(request.pk).state == State.CONFIRMING
    clock.sweep(since(request, settings.CONFIRM_WITHIN - timedelta(minutes=1)))
    assert drive.fresh(request.pk).state == State.CONFIRMING
    clock.sweep(since(request, settings.CONFIRM_WITHIN))
    waiting = drive.fresh(request.pk)
    assert (waiting.state, waiting.judgement) == (State.REVIEW, ["unanswered"])
    assert told(request).count(Notice.CONFIRM_REMINDER) == 2
    ended = decide.lapse(request.pk, "You did not confirm.", actor=route.approver)
    assert (ended.outcome, told(request)[-1]) == (Outcome.UNANSWERED, Notice.UNANSWERED)


def test_law_15_a_sweep_that_was_down_for_weeks_still_reminds_before_it_gives_up(route: Route) -> None:
    """Nobody counts as silent who was never reminded."""
    request = route.confirming()
    long_after = since(request, settings.CONFIRM_WITHIN * 3)
    first, second = settings.CONFIRM_REMINDERS
    silence = settings.CONFIRM_WITHIN - second
    for later, reminders, state in (
        (timedelta(0), 1, State.CONFIRMING), (timedelta(seconds=10), 1, State.CONFIRMING),
        (second - first, 2, State.CONFIRMING), (second - first + timedelta(seconds=10), 2, State.CONFIRMING),
        (second - first + silence - timedelta(seconds=10), 2, State.CONFIRMING),
        (second - first + silence, 2, State.REVIEW),
    ):  # fmt: skip
        clock.sweep(long_after + later)
        assert told(request).count(Notice.CONFIRM_REMINDER) == reminders
        assert drive.fresh(request.pk).state == state


def test_a_deletion_approved_again_is_reminded_anew(route: Route) -> None:
    request = route.review_unanswered()
    move(request.pk, "approve", actor=route.approver)
    assert drive.fresh(request.pk).reminders == 0
    clock.sweep(since(request, settings.CONFIRM_REMINDERS[0]))
    assert told(request).count(Notice.CONFIRM_REMINDER) == 1


def test_whoever_has_confirmed_is_reminded_of_nothing_and_loses_nothing(route: Route) -> None:
    for request in (route.releasing(), route.fulfilling()):
        state = request.state
        clock.sweep(timezone.now() + timedelta(days=20))
        assert drive.fresh(request.pk).state == state
        assert Notice.CONFIRM_REMINDER not in told(request)


# --- the target date --------------------------------------------------------------------------------------------------


def test_law_14_on_the_target_date_what_is_unsettled_gets_one_interim_answer(route: Route) -> None:
    requests = [route.review(), route.releasing(), route.fulfilling(), route.review(Right.ACCESS), route.confirming()]
    day = max(request.target_on for request in requests if request.target_on)
    clock.sweep(on(min(r.target_on for r in requests if r.target_on)) - timedelta(days=1))
    assert all(Notice.INTERIM not in told(request) for request in requests)
    for later in range(3):
        clock.sweep(on(day) + timedelta(days=later))
    for request in requests:
        assert told(request).count(Notice.INTERIM) == 1, request.state


def test_law_14_nothing_open_crosses_its_legal_date_without_a_word(route: Route) -> None:
    """Whatever state it hangs in: by its legal date the person has had an answer that says where it stands. What was said
    when it arrived does not count."""
    builds = [
        route.triage, route.verifying, route.locating, route.review, route.review_unproven, route.confirming,
        lambda: route.clarifying(route.review()), route.releasing, route.fulfilling, route.checking, route.extended,
        lambda: route.disputed(route.releasing()), lambda: route.carrying_out(Right.ACCESS),
        route.confirming_after_a_copy, lambda: route.locating(Right.OPT_OUT_SALE),
    ]  # fmt: skip
    requests = [build() for build in builds]
    assert not any(Notice.INTERIM in told(request) for request in requests)
    assert all(request.due_on for request in requests)
    clock.sweep(on(max(request.due_on for request in requests if request.due_on)))
    for request in requests:
        assert told(request).count(Notice.INTERIM) == 1, drive.fresh(request.pk).state


def test_law_14_after_an_extension_the_second_date_has_its_own_word(route: Route) -> None:
    request = route.review(Right.ACCESS)
    first = request.target_on
    assert first is not None
    clock.sweep(on(first))
    assert told(request).count(Notice.INTERIM) == 1
    extended = decide.extend(request.pk, "COMPLEXITY", "It is a lot.", actor=route.handler)
    assert extended.target_on is not None
    assert extended.target_on > first
    for day, count in ((extended.target_on - timedelta(days=1), 1), (extended.target_on, 2), (extended.due_on, 2)):
        clock.sweep(on(day))
        assert told(request).count(Notice.INTERIM) == count


def test_one_case_that_cannot_be_read_keeps_nobody_else_from_their_answer(route: Route) -> None:
    broken, well = route.review(), route.review()
    CaseKey.objects.filter(pk=broken.case.uid).delete()
    assert broken.target_on is not None
    for _ in range(2):
        clock.sweep(on(broken.target_on))
    assert told(well).count(Notice.INTERIM) == 1
    assert Notice.INTERIM not in told(broken)
    assert drive.fresh(broken.pk).attention == StepReason.ERROR


def test_a_part_of_the_sweep_that_fails_stops_no_other(route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    request = route.review()
    monkeypatch.setattr(holds, "settle_placing", lambda: 1 / 0)
    monkeypatch.setattr(purge, "due", lambda _moment: 1 / 0)
    assert request.target_on is not None
    assert clock.sweep(on(request.target_on)) == 1


def test_those_whom_no_letter_reaches_keep_nobody_waiting(route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "BATCH", 2)
    unreached = [drive.a_request("noreply@example.com", ""), drive.a_request(right="", machine=True)]
    request = route.review()
    assert request.target_on is not None
    clock.sweep(on(max(one.target_on for one in (*unreached, request) if one.target_on)))
    assert told(request).count(Notice.INTERIM) == 1


def test_what_has_ended_hears_nothing_more(route: Route) -> None:
    request = move(route.review().pk, "withdraw", actor=REQUESTER)
    before = told(request)
    clock.sweep(timezone.now() + timedelta(days=100))
    assert told(request) == before


# --- repeats ----------------------------------------------------------------------------------------------------------


def test_sweeping_again_and_again_at_one_moment_does_nothing_twice(route: Route) -> None:
    for build in (route.verifying, route.confirming, lambda: route.clarifying(route.review()), route.fulfilling):
        build()
    moment = timezone.now() + timedelta(days=45)
    # What one sweep moves can be due for something else in the next; after that everything is at rest.
    for _ in range(3):
        clock.sweep(moment)
    rest = Message.objects.count(), sorted(PrivacyRequest.objects.values_list("pk", "state", "reminders"))
    assert clock.sweep(moment) == 0
    assert (Message.objects.count(), sorted(PrivacyRequest.objects.values_list("pk", "state", "reminders"))) == rest
    assert audit.verify() == []


def test_parallel_sweeps_raise_everything_once(desk: None) -> None:
    requests = [drive.a_request() for _ in range(8)]
    moment = on(requests[0].target_on)
    results = drive.at_once(6, lambda _: clock.sweep(moment), threads=6)
    assert all(isinstance(one, int | Conflict) for one in results), results
    assert all(drive.fresh(request.pk).state == State.REVIEW for request in requests)
    assert audit.verify() == []
    assert Case.objects.count() == 8


# --- every end has its letter -----------------------------------------------------------------------------------------


def test_law_15_no_state_is_a_dead_end(route: Route) -> None:
    """From every state that is not final a verb leads on, by the clock or by staff, without the requester."""
    for build in (
        route.triage, route.verifying, route.review, route.review_unproven, route.review_unsorted,
        route.review_unanswered,
        route.confirming, lambda: route.clarifying(route.triage()), lambda: route.clarifying(route.review()),
    ):  # fmt: skip
        request = build()
        for day in (40, 60, 80, 100):
            clock.sweep(timezone.now() + timedelta(days=day))
            clock.sweep(timezone.now() + timedelta(days=day, seconds=10))
        found = drive.fresh(request.pk)
        assert found.state in (State.REVIEW, State.TRIAGE)
        ended = drive.refuse(request.pk, "NOT_OUR_CONTROLLER", "Somebody who can answer.", actor=route.approver)
        assert told(ended)[-1] == Notice.REFERRED
