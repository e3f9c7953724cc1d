"""Both ends of "this was not me" have a letter of their own; an objection's end says that the use goes on; the end of a
restriction is told before it comes, and can be taken back."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Role
from dsar.enums import DecisionKind, Outcome, Right, State, StepStatus
from dsar.fulfilment import begin, restricting
from dsar.models import REQUESTER, SYSTEM, Actor, Case, Message, PrivacyRequest, Restriction, Step
from dsar.notices import MessageStatus, Notice
from dsar.notifications import compose, outbox
from dsar.review import decide
from dsar.verification import confirmation
from dsar.workflow import Conflict, Forbidden, move
from tests import drive
from tests.drive import Route
from tests.notifications.test_letters import PLAN as TOLD

pytestmark = pytest.mark.usefixtures("own_journal")


PLAN = {
    **TOLD,
    "sources": {"platform": {**TOLD["sources"]["platform"], "rotation_days": 0, "closes": False}},  # type: ignore[index]
}


@pytest.fixture
def route(db: None) -> Route:
    return Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER))


@pytest.fixture
def second(db: None) -> Actor:
    return drive.person_of_the_desk(Role.APPROVER)


def letter(request: PrivacyRequest, notice: Notice) -> str:
    """The text of the first letter of this kind."""
    message = Message.objects.filter(request=request, notice=notice).order_by("pk")[0]
    message.request = drive.fresh(request.pk)
    return " ".join(str(compose.mail(message).body).split())


def told(request: PrivacyRequest) -> list[str]:
    return list(Message.objects.filter(request=request).order_by("pk").values_list("notice", flat=True))


def judged(request: PrivacyRequest, founded: bool, *approvers: Actor) -> PrivacyRequest:
    for number, one in enumerate(approvers):
        request = decide.judge_dispute(request.pk, founded, f"Finding {number}.", actor=one)
    return request


def work_has_begun(route: Route) -> PrivacyRequest:
    """Released; a part of it is gone."""
    request = route.confirming()
    drive.freeze(request, PLAN)
    move(request.pk, "confirm", actor=REQUESTER, quiet=timedelta(0))
    request = move(request.pk, "release", actor=route.approver)
    Step.objects.create(
        request=request, source="platform", kind="erase", status=StepStatus.DONE,
        tallies=[{"category": "prompts", "table": "prompts", "removed": 3}],
    )  # fmt: skip
    return request


def test_law_15_a_founded_dispute_is_told_with_what_had_gone_and_what_was_closed(route: Route, second: Actor) -> None:
    request = route.confirming()
    drive.freeze(request, PLAN)
    correction = route.review(Right.CORRECTION)
    Case.objects.filter(pk=correction.case_id).update(subject=drive.fresh(request.pk).case.subject)
    plan = confirmation.current_plan(drive.fresh(request.pk))
    assert plan is not None
    confirmation.confirm(request.pk, plan.digest)
    assert drive.fresh(correction.pk).outcome == Outcome.OVERTAKEN
    move(request.pk, "dispute", actor=REQUESTER)
    ended = judged(request, True, route.approver, second)
    assert (ended.state, ended.outcome) == (State.COMPLETED, Outcome.DENIED)
    assert told(request).count(Notice.DISPUTE_FOUNDED) == 1
    assert Notice.REFUSED not in told(request)
    said = letter(request, Notice.DISPUTE_FOUNDED)
    assert "Finding 0. Finding 1." in said
    assert "Nothing had been deleted" in said
    assert "It stays closed" in said
    assert "set up a new one with the same address" in said
    assert correction.case.reference in said
    for untrue in ("decline", "Still to come", "Kept", "Invoices"):
        assert untrue not in said


def test_law_15_what_had_gone_before_a_founded_dispute_is_listed(route: Route, second: Actor) -> None:
    request = route.disputed(work_has_begun(route))
    judged(request, True, route.approver, second)
    said = letter(request, Notice.DISPUTE_FOUNDED)
    assert "Prompts and outputs: Deleted (3 records)" in said
    assert "Invoices" not in said


def test_law_15_an_unfounded_dispute_is_told_and_the_second_one_too(route: Route, second: Actor) -> None:
    request = work_has_begun(route)
    for number in (1, 2):
        route.disputed(request)
        judged(request, False, route.approver)
        assert told(request).count(Notice.DISPUTE_UNFOUNDED) == number - 1
        judged(request, False, second)
        assert told(request).count(Notice.DISPUTE_UNFOUNDED) == number
    said = letter(request, Notice.DISPUTE_UNFOUNDED)
    assert "it goes on" in said
    assert said.count("Finding 0.") == 2
    assert "If you do not agree" in said


def test_narrowed_to_nothing_the_letter_lists_what_had_gone(route: Route) -> None:
    request = work_has_begun(route)
    drive.proposed(request, DecisionKind.NARROW)
    drive.confirmed_by(request.pk, route.approver, "narrow", nothing_left=True)
    said = letter(request, Notice.REFUSED)
    assert "Prompts and outputs: Deleted (3 records)" in said
    assert "Invoices: Kept" in said


# --- objections -------------------------------------------------------------------------------------------------------


def never_answered(route: Route, pk: int) -> PrivacyRequest:
    """Asked, and no answer came."""
    move(route.clarifying(drive.fresh(pk)).pk, "no_answer", actor=SYSTEM)
    return decide.lapse(pk, "No answer.", actor=route.approver)


ENDS = {
    Notice.WITHDRAWN: lambda route, pk: move(pk, "withdraw", actor=REQUESTER),
    Notice.REFERRED: lambda route, pk: drive.refuse(pk, "NOT_OUR_CONTROLLER", "Them.", actor=route.approver),
    Notice.UNANSWERED: never_answered,
    Notice.REFUSED: lambda route, pk: drive.refuse(
        pk, "COMPELLING_GROUNDS", "Fraud.", facts="Cards.", actor=route.approver
    ),
}


@pytest.mark.parametrize("stopped", [True, False])
@pytest.mark.parametrize("notice", ENDS)
def test_every_end_of_an_objection_says_that_the_use_goes_on(route: Route, notice: Notice, stopped: bool) -> None:
    request = route.review(Right.OBJECTION)
    drive.freeze(request, PLAN)
    if stopped:
        begin.drain()
        assert Restriction.objects.in_force().filter(request=request).exists()
    ENDS[notice](route, request.pk)
    said = letter(request, notice)
    assert ("With this letter that ends." in said) == stopped
    if stopped:
        assert "nothing was" not in said.lower()


# --- the end of a restriction -----------------------------------------------------------------------------------------


def restricted(route: Route) -> PrivacyRequest:
    """In force in one source."""
    request = move(route.review(Right.RESTRICTION).pk, "approve", actor=route.approver)
    drive.freeze(request, PLAN)
    begin.begin(request.pk)
    Step.objects.filter(request=request).update(status=StepStatus.DONE, finished_at=timezone.now())
    return move(request.pk, "settle", actor=SYSTEM, outcome="granted")


def lifts(request: PrivacyRequest) -> int:
    begin.drain()
    return Step.objects.filter(request=request, kind="lift").count()


def sent(request: PrivacyRequest, ago: timedelta) -> None:
    """The announcement went out then."""
    newest = Message.objects.filter(request=request, notice=Notice.RESTRICTION_LIFTING).order_by("-pk")[:1]
    Message.objects.filter(pk__in=list(newest.values_list("pk", flat=True))).update(
        status=MessageStatus.SENT, sent_at=timezone.now() - ago
    )


def test_the_notice_runs_from_the_sending_of_the_letter(route: Route) -> None:
    request = restricted(route)
    restricting.lift(request.pk, "The claim is settled.", actor=route.approver)
    # Long after the announcement, the letter still lies in the outbox.
    Restriction.objects.filter(request=request).update(lifts_at=timezone.now() - timedelta(days=1))
    assert lifts(request) == 0
    day = timezone.localtime(timezone.now() + settings.RESTRICTION_NOTICE)
    assert f"{day.day} {day:%B %Y}" in letter(request, Notice.RESTRICTION_LIFTING)
    sent(request, settings.RESTRICTION_NOTICE - timedelta(hours=1))
    assert lifts(request) == 0
    sent(request, settings.RESTRICTION_NOTICE)
    assert lifts(request) == 1


def test_a_restriction_can_be_kept_until_its_end_has_come(route: Route) -> None:
    request = restricted(route)
    with pytest.raises(Conflict):
        restricting.keep(request.pk, "Nothing is announced.", actor=route.approver)
    restricting.lift(request.pk, "The claim is settled.", actor=route.approver)
    with pytest.raises(Forbidden):
        restricting.keep(request.pk, "Not mine to say.", actor=route.handler)
    restricting.keep(request.pk, "You are right, the claim goes on.", actor=route.approver)
    # The announcement had not gone out: it never does.
    assert outbox.claim() == [] or Notice.RESTRICTION_LIFTING not in {one.message.notice for one in outbox.claim()}
    assert Message.objects.get(notice=Notice.RESTRICTION_LIFTING).status == MessageStatus.FAILED
    assert drive.fresh(request.pk).undelivered_at is None
    assert "the claim goes on" in letter(request, Notice.RESTRICTION_KEPT)
    assert lifts(request) == 0
    # Announced again it counts from the new letter, whatever became of the old one.
    Message.objects.filter(notice=Notice.RESTRICTION_LIFTING).update(
        status=MessageStatus.SENT, sent_at=timezone.now() - 2 * settings.RESTRICTION_NOTICE
    )
    restricting.lift(request.pk, "Now it is settled.", actor=route.approver)
    assert lifts(request) == 0
    sent(request, settings.RESTRICTION_NOTICE)
    assert lifts(request) == 1
    with pytest.raises(Conflict):
        restricting.keep(request.pk, "Too late.", actor=route.approver)
