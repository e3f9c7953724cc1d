"""Looking again: by somebody else, with reasons, in time; what was right begins anew, and the old answer never changes."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from email.message import EmailMessage

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Role, User
from dsar import deadlines
from dsar.desk.appeal_verbs import VERBS
from dsar.enums import (
    AppealOutcome,
    Channel,
    CheckKind,
    CorrectionStatus,
    DecisionKind,
    Outcome,
    Right,
    SilenceKind,
    State,
)
from dsar.intake import email, submit
from dsar.models import (
    REQUESTER,
    SYSTEM,
    Actor,
    Appeal,
    AuditEvent,
    Correction,
    Decision,
    IdentityCheck,
    Message,
    NonDisclosure,
    PrivacyRequest,
    Representation,
)
from dsar.notices import MessageStatus, Notice
from dsar.notifications import compose, outbox
from dsar.review import appeal_decisions, appeals, clock, dates, decide, deciders, refusals
from dsar.verification import by_hand, papers
from dsar.workflow import Conflict, Forbidden, Invalid, move
from tests import drive
from tests.drive import Route
from tests.remedies import BRITAIN, COLORADO, under

pytestmark = pytest.mark.usefixtures("own_journal")
WORDS = "You never looked into the second account."
HELD = {
    **drive.PLAN_BODY,
    "sources": {"platform": {"label": "Platform database", "status": "one", "ref": "7", "failure": ""}},
    "items": [
        {"source": "platform", "category": "prompts", "label": "Prompts", "action": "erase", "count": 3, "code": "",
         "citation": "", "until": None, "review_on": None},
    ],
}  # fmt: skip
FOUND = "The second account was overlooked."


@pytest.fixture
def other(db: None) -> Actor:
    """An approver who had nothing to do with it."""
    return drive.person_of_the_desk(Role.APPROVER, "other")


def refused(route: Route, law: str = COLORADO) -> PrivacyRequest:
    return under(
        drive.refuse(
            route.review().pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=route.approver
        ),
        law,
    )


def day_of(moment: datetime) -> date:
    return deadlines.received_on(COLORADO, moment)


def appealed(request: PrivacyRequest) -> Appeal:
    appeal = appeals.take(request.pk, WORDS)
    assert appeal is not None
    return appeal


def answer(appeal: Appeal, outcome: str, actor: Actor, **more: bool) -> Appeal:
    appeal_decisions.decide(appeal.pk, outcome, FOUND, actor=actor, anew=submit.begin_anew, **more)
    return Appeal.objects.select_related("request__case", "opened").get(pk=appeal.pk)


def told(case_id: int, notice: Notice) -> list[Message]:
    return list(Message.objects.filter(case=case_id, notice=notice).order_by("pk"))


def words_of(message: Message) -> str:
    message.refresh_from_db()
    return str(compose.mail(message).body)


def test_who_decided_it_the_first_time_decides_it_never_again(route: Route, other: Actor) -> None:
    request = route.review()
    decide.ask(request.pk, "Which account?", actor=other)
    move(request.pk, "answer", actor=REQUESTER)
    request = under(
        drive.refuse(request.pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=route.approver)
    )
    appeal = appealed(request)
    for actor in (route.approver, route.handler, REQUESTER, SYSTEM, drive.person_of_the_desk(Role.AUDITOR)):
        with pytest.raises(Forbidden):
            answer(appeal, AppealOutcome.DISMISSED, actor)
    assert not deciders.look(appeal, route.approver).counts
    with pytest.raises(Invalid):
        appeal_decisions.decide(appeal.pk, "dismissed", "  ", actor=other, anew=submit.begin_anew)
    with pytest.raises(Invalid):
        answer(appeal, "withdrawn", other)
    # Nor does whoever confirmed it as the second of two; who only asked a question has decided nothing.
    second = drive.person_of_the_desk(Role.APPROVER, "second")
    Decision.objects.create(
        request=request, kind="narrow", decided_by_id=route.handler.user_id, second_by_id=second.user_id,
        second_at=timezone.now(),
    )  # fmt: skip
    with pytest.raises(Forbidden):
        answer(appeal, AppealOutcome.DISMISSED, second)
    done = answer(appeal, AppealOutcome.DISMISSED, other)
    assert (done.outcome, done.decided_by_id, done.reasons, done.opened) == ("dismissed", other.user_id, FOUND, None)
    with pytest.raises(Conflict):
        answer(appeal, AppealOutcome.UPHELD, drive.person_of_the_desk(Role.APPROVER, "third"))
    # A second look at the same answer needs a third person: whoever looked before has decided it too.
    assert appeals.take(request.pk, "Once more.") is None, "they have their answer: this is a message"
    again = appeals.file(request.pk, "Once more.", timezone.now(), Channel.POST, actor=route.handler)
    assert not deciders.look(again, other).counts


def test_who_found_that_it_was_not_shown_looks_at_it_never_again_nor_notes_that_nobody_need(route: Route) -> None:
    """Whoever found papers not enough, an identity not shown, no authority, or that something may not be told: they took
    part in the answer, whoever pressed the last button."""
    request = route.review_below_its_tier()
    clerk, *deciders = (
        drive.person_of_the_desk(Role.APPROVER, name)
        for name in ("clerk", "paper", "judge", "authority", "first", "silent")
    )
    papers.ask(request.pk, "The address was changed twice.", "Your passport, please.", actor=clerk)
    papers.decline(request.pk, actor=deciders[0])
    IdentityCheck.objects.create(
        case=request.case, kind=CheckKind.BY_HAND, method="staff_judgement", needs_second=True,
        recorded_by_id=clerk.user_id, expires_at=drive.later(30),
    )  # fmt: skip
    by_hand.judge(request.pk, False, actor=deciders[1])
    request = drive.refuse(request.pk, "IDENTITY_NOT_PROVEN", "We could not see who asks.", actor=route.approver)
    assert request.outcome == Outcome.NOT_PROVEN
    now = timezone.now()
    Representation.objects.create(
        case=request.case, kind="attorney", refused_by_id=deciders[2].user_id, refused_at=now
    )  # fmt: skip
    NonDisclosure.objects.create(
        request=request, kind=SilenceKind.KEPT, source="platform", category="checks", code="X", citation="Some Act",
        first_by_id=deciders[3].user_id or 0,
        second_by_id=deciders[4].user_id, second_at=now, since=timezone.localdate(now),
        review_on=timezone.localdate(now) + timedelta(days=30),
    )  # fmt: skip
    appeal = appealed(under(request))
    for one in (*deciders, route.approver):
        with pytest.raises(Forbidden):
            answer(appeal, AppealOutcome.DISMISSED, one)
        with pytest.raises(Forbidden):
            appeals.withdraw(appeal.pk, actor=one)
    assert answer(appeal, AppealOutcome.DISMISSED, clerk).outcome == AppealOutcome.DISMISSED
    elsewhere = appealed(refused(route))
    appeals.withdraw(elsewhere.pk, actor=deciders[0])
    assert Appeal.objects.get(pk=elsewhere.pk).outcome == AppealOutcome.WITHDRAWN


def test_law_15_a_team_of_two_notes_what_the_person_wrote_and_nothing_that_was_only_said(route: Route) -> None:
    """Both took part in the refusal: on their own word neither ends what the person asked for; on the person's they do."""
    one, other = (drive.person_of_the_desk(Role.APPROVER, name) for name in ("one", "other"))
    request = route.review()
    made = refusals.propose(request.pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=one)
    request = under(refusals.confirm(request.pk, actor=other, seen=made.pk))
    appeal = appealed(request)
    for actor in (one, other):
        with pytest.raises(Forbidden):
            appeals.withdraw(appeal.pk, actor=actor)
        assert VERBS["withdraw"].bar(appeal, actor) is not None
    appeals.take(request.pk, "Leave it, please.")
    assert VERBS["withdraw"].bar(appeal, other) is None
    assert VERBS["decide"].bar(appeal, other) is not None
    assert appeals.withdraw(appeal.pk, actor=other).outcome == AppealOutcome.WITHDRAWN
    again = appealed(under(refused(route)))
    assert not deciders.wrote_since(again), "words of another appeal count for nothing here"


def test_law_15_the_letter_says_why_and_where_to_complain(route: Route, other: Actor) -> None:
    appeal = appealed(refused(route))
    answer(appeal, AppealOutcome.DISMISSED, other)
    (letter,) = told(appeal.request.case_id, Notice.APPEAL_DISMISSED)
    said = words_of(letter)
    assert FOUND in said
    assert "Attorney General of Colorado" in said
    assert WORDS not in said


def test_upheld_it_begins_anew_and_the_old_record_never_changes(route: Route, other: Actor) -> None:
    old = refused(route)
    before = PrivacyRequest.objects.filter(pk=old.pk).values().get()
    done = answer(appealed(old), AppealOutcome.UPHELD, other)
    new = done.opened
    assert new is not None
    assert (new.case_id, new.right, new.state) == (old.case_id, old.right, State.LOCATING), "no second proof"
    assert new.received_at > old.received_at
    assert new.due_on is not None
    assert new.due_on >= timezone.localdate() + timedelta(days=28)
    assert new.target_on == timezone.localdate() + settings.APPEAL_REDO
    assert PrivacyRequest.objects.filter(pk=old.pk).values().get() == before
    # One letter says it all: that it was right, what begins, and that nothing goes before it is confirmed.
    assert told(old.case_id, Notice.RECEIVED) == []
    (letter,) = told(old.case_id, Notice.APPEAL_UPHELD)
    said = words_of(letter)
    assert FOUND in said
    assert "You need not ask again." in said
    assert "ask you to confirm it" in said
    # The irreversible stays the person's: nobody watches a page, so they are written to.
    drive.freeze(new, HELD)
    PrivacyRequest.objects.filter(pk=new.pk).update(located_at=timezone.now())
    drive.locating.settle(new.pk)
    assert drive.fresh(new.pk).state == State.CONFIRMING
    assert len(told(old.case_id, Notice.CONFIRM_READY)) == 1


def test_law_03_what_was_narrowed_is_widened_only_by_what_the_person_confirms(route: Route, other: Actor) -> None:
    old = drive.proposed(route.releasing(), DecisionKind.NARROW)
    old = drive.confirmed_by(old.pk, route.approver, "narrow", nothing_left=True)
    assert (old.outcome, old.is_bound) == (Outcome.DENIED, True)
    appeal = appealed(under(old))
    with pytest.raises(Forbidden):
        answer(appeal, AppealOutcome.UPHELD, route.approver)
    new = answer(appeal, AppealOutcome.UPHELD_IN_PART, other).opened
    assert new is not None
    assert (new.confirmed_at, new.state) == (None, State.LOCATING)
    assert "In part our answer was wrong." in words_of(told(old.case_id, Notice.APPEAL_UPHELD)[0])
    bound = drive.fresh(old.pk)
    assert (bound.state, bound.outcome, bound.confirmed_at) == (old.state, old.outcome, old.confirmed_at)


def test_law_12_what_was_never_proven_is_proven_before_anything_is_shown(route: Route, other: Actor) -> None:
    old = under(route.lapsed())
    new = answer(appealed(old), AppealOutcome.UPHELD, other).opened
    assert new is not None
    assert new.state == State.VERIFYING
    assert len(told(old.case_id, Notice.RECEIVED_VERIFY)) == 2


def test_a_correction_that_was_refused_is_proposed_again_without_typing(route: Route, other: Actor) -> None:
    request = route.review(Right.CORRECTION)
    Correction.objects.create(
        request=request, field="name", new_sealed=request.case.seal("Ada", "correction-new"), status="refused",
        code="ACCURATE_AS_HELD", decided_at=timezone.now(), decided_by_id=other.user_id,
    )  # fmt: skip
    appeal = appealed(under(drive.refuse(request.pk, "ACCURATE_AS_HELD", "Right.", actor=route.approver)))
    with pytest.raises(Forbidden):
        answer(appeal, AppealOutcome.UPHELD, other)
    third = drive.person_of_the_desk(Role.APPROVER, "third")
    new = answer(appeal, AppealOutcome.UPHELD, third).opened
    assert new is not None
    again = Correction.objects.select_related("request__case").get(request=new)
    assert (again.field, again.new, again.status) == ("name", "Ada", CorrectionStatus.PROPOSED)


def test_a_complaint_may_be_right_without_anything_to_begin(route: Route, other: Actor) -> None:
    about_open = appealed(under(route.verifying(), BRITAIN))
    assert answer(about_open, AppealOutcome.UPHELD, other, begin=True).opened is None
    (letter,) = told(about_open.request.case_id, Notice.APPEAL_UPHELD)
    assert "has looked into your complaint. You were right." in words_of(letter)
    about_ended = appealed(refused(route, BRITAIN))
    assert answer(about_ended, AppealOutcome.UPHELD, other, begin=False).opened is None
    again = appealed(refused(route, BRITAIN))
    assert answer(again, AppealOutcome.UPHELD, other, begin=True).opened is not None


def test_a_team_of_one_looks_again_on_a_later_day_and_says_so(
    route: Route, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = refused(route)
    settings.TEAM_OF_ONE = True  # type: ignore[attr-defined]
    appeal = appealed(request)
    (ack,) = told(request.case_id, Notice.APPEAL_RECEIVED)
    assert "Somebody who did not decide" not in words_of(ack)
    fresh = replace(route.approver, fresh_at=timezone.now())
    for today in (route.approver, fresh):
        with pytest.raises(Forbidden):
            answer(appeal, AppealOutcome.DISMISSED, today)
    tomorrow = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)
    done = answer(appeal, AppealOutcome.DISMISSED, replace(route.approver, fresh_at=tomorrow))
    assert done.same_person
    (letter,) = told(request.case_id, Notice.APPEAL_DISMISSED)
    assert "We have looked at everything anew, on another day." in words_of(letter)
    assert AuditEvent.objects.filter(what="appeal_decided", details__same_person=True).exists()


def test_law_14_more_time_once_where_the_law_knows_it_and_told_in_time(
    route: Route,
) -> None:
    request = refused(route)
    appeal = appealed(request)
    day = day_of(appeal.received_at)
    with pytest.raises(Forbidden):
        appeal_decisions.extend(appeal.pk, "Many accounts.", actor=REQUESTER)
    longer = appeal_decisions.extend(appeal.pk, "Many accounts.", actor=route.handler)
    assert (longer.due_on, longer.original_due_on) == (day + timedelta(days=105), day + timedelta(days=45))
    said = words_of(told(request.case_id, Notice.APPEAL_EXTENDED)[0])
    assert "Many accounts." in said
    assert not appeal_decisions.may_extend(longer)
    with pytest.raises(Invalid):
        appeal_decisions.extend(appeal.pk, "Once more.", actor=route.handler)
    late = appeals.file(
        _long_ago(route).pk, WORDS, timezone.now() - timedelta(days=46), Channel.POST, actor=route.handler
    )
    with pytest.raises(Invalid, match="would be void"):
        appeal_decisions.extend(late.pk, "Too late.", actor=route.handler)


def _long_ago(route: Route) -> PrivacyRequest:
    request = route.review()
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=timezone.now() - timedelta(days=60))
    return under(
        drive.refuse(request.pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=route.approver)
    )


def test_a_notice_of_more_time_that_leaves_too_late_is_void(route: Route) -> None:
    appeal = appealed(refused(route))
    longer = appeal_decisions.extend(appeal.pk, "Many accounts.", actor=route.handler)
    first = longer.original_due_on
    assert first is not None
    clock.sweep(_moment_of(first))
    assert Appeal.objects.get(pk=appeal.pk).extended_at is not None
    clock.sweep(_moment_of(first + timedelta(days=1)))
    stored = Appeal.objects.get(pk=appeal.pk)
    assert (stored.due_on, stored.extended_at, stored.original_due_on) == (first, None, None)
    assert outbox.drain()
    assert told(appeal.request.case_id, Notice.APPEAL_EXTENDED)[0].status == MessageStatus.FAILED


# --- the clock --------------------------------------------------------------------------------------------------------


def test_law_14_no_date_of_an_appeal_passes_in_silence(route: Route) -> None:
    request = refused(route)
    appeal = appealed(request)
    case = request.case_id
    assert appeal.acknowledged_at is None
    outbox.drain()
    clock.sweep()
    appeal.refresh_from_db()
    assert appeal.acknowledged_at is not None, "once the mail is out, and not before"
    assert told(case, Notice.APPEAL_INTERIM) == []
    at_target = _moment_of(appeal.target_on)
    clock.sweep(at_target)
    clock.sweep(at_target + timedelta(hours=1))
    (interim,) = told(case, Notice.APPEAL_INTERIM)
    assert "have not finished" in words_of(interim)
    Message.objects.filter(pk=interim.pk).update(created_at=at_target)
    past = _moment_of(appeal.due_on + timedelta(days=1))
    clock.sweep(past)
    clock.sweep(past + timedelta(hours=1))
    assert len(told(case, Notice.APPEAL_INTERIM)) == 2
    Appeal.objects.filter(pk=appeal.pk).update(due_on=appeal.day(timezone.now()) - timedelta(days=1))
    assert "Our answer is late." in words_of(told(case, Notice.APPEAL_INTERIM)[-1])


def _moment_of(day):  # type: ignore[no-untyped-def]
    return timezone.make_aware(timezone.datetime.combine(day, timezone.datetime.min.time())) + timedelta(hours=12)


def test_law_09_who_could_not_be_told_that_it_came_stands_in_the_queue_by_name(route: Route) -> None:
    request = refused(route, BRITAIN)
    type(request.case).objects.filter(pk=request.case_id).update(machine_mail=True, email_proven_at=None)
    silent = appeals.file(request.pk, WORDS, timezone.now(), Channel.TELEPHONE, actor=route.handler)
    assert Appeal.objects.get(pk=silent.pk).attention == "mail_failed"
    waiting = appealed(refused(route, BRITAIN))
    clock.sweep()
    assert Appeal.objects.get(pk=waiting.pk).attention == ""
    near = _moment_of(waiting.acknowledge_by) - timedelta(days=2)
    clock.sweep(near)
    assert Appeal.objects.get(pk=waiting.pk).attention == "mail_failed"
    outbox.drain()
    clock.sweep(near)
    waiting.refresh_from_db()
    assert (waiting.attention, waiting.acknowledged_at is not None) == ("", True)


def test_a_mail_goes_to_what_is_looked_at_again_and_counts_from_when_it_came(
    route: Route, django_capture_on_commit_callbacks: object
) -> None:
    request = refused(route)
    appealed(request)
    submit.add_request(drive.fresh(request.pk).case, Right.ACCESS, "And a copy.")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = request.case.email, request.case.reply_address(), "Re: your letter"
    mail.set_content("One thing more.")
    intake = drive.arrived(Channel.EMAIL)
    came = timezone.now() - timedelta(hours=7)
    type(intake).objects.filter(pk=intake.pk).update(received_at=came)
    read = email.parse(mail.as_bytes(), own_authserv_id="", own_addresses=(settings.PRIVACY_EMAIL,))
    email._attach(intake, request.case, read)
    message = Message.objects.get(status=MessageStatus.RECEIVED)
    assert message.created_at == came
    assert drive.fresh(request.pk).unread_at is not None


def test_the_mail_of_the_day_names_what_is_looked_at_again(route: Route) -> None:
    appeal = appealed(refused(route))
    approver = User.objects.get(pk=route.approver.user_id)
    soon = appeal.target_on
    assert list(Appeal.objects.due_for(approver, soon - timedelta(days=1))) == []
    assert list(Appeal.objects.due_for(approver, soon)) == [appeal]
    appeal_decisions.assign(appeal.pk, actor=route.handler)
    assert list(Appeal.objects.due_for(approver, soon)) == []
    assert list(Appeal.objects.due_for(User.objects.get(pk=route.handler.user_id), soon)) == [appeal]
    dates.sweep(_moment_of(soon))
    digest = Message.objects.get(notice=Notice.STAFF_DIGEST, author_id=route.handler.user_id)
    Appeal.objects.filter(pk=appeal.pk).update(target_on=timezone.localdate())
    said = words_of(digest)
    assert f"/desk/appeals/{appeal.pk}/" in said
    assert WORDS not in said
