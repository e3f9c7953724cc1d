"""Showing by hand who somebody is: by the list of the law, by two where it takes two, announced to the mailbox on file,
stopped by whoever reads it; and what follows where no account was named."""

from datetime import timedelta
from itertools import product

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Role
from dsar import audit
from dsar.demo.cast import CAST
from dsar.enums import CheckStatus, Outcome, Right, State
from dsar.fulfilment import locating
from dsar.intake import filing, submit, web
from dsar.models import Actor, AuditEvent, Case, IdentityCheck, Message, PrivacyRequest
from dsar.notices import MessageStatus, Notice
from dsar.notifications import compose, outbox
from dsar.review import corrections, decide
from dsar.verification import by_hand, confirmation, data_points
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive
from tests.desk import filed

SEEN = "The day and the sum of the payment of 3 May, the name of the second key."
SURE, SOME, JUDGED = "data_points_3_declared", "data_points_2", "staff_judgement"
pytestmark = pytest.mark.usefixtures("own_journal")


def a_letter(*rights: str, **given: object) -> PrivacyRequest:
    told = {**filed.typed(rights=list(rights or ("know",)), **given), "by_post": True}
    day, number = filing.today() - timedelta(days=3), web.one_time_number(told.pop("number"))
    intake = filing.file(number, told, day, b"", actor=drive.person_of_the_desk(Role.HANDLER))
    return drive.fresh(intake.case.requests.order_by("pk")[0].pk)


def passed_on(request: PrivacyRequest) -> bool:
    return Case.objects.get(pk=request.case_id).is_proven


def a_week_later() -> None:
    """Let what was announced have been announced a week ago."""
    for check in IdentityCheck.objects.filter(kind="by_hand", counts_from__isnull=False):
        IdentityCheck.objects.filter(pk=check.pk).update(counts_from=check.counts_from - timedelta(days=7, seconds=1))
    by_hand.sweep()


@pytest.mark.parametrize(
    ("account", "method", "first", "second"),
    list(
        product((True, False), (SURE, SOME, JUDGED), (Role.HANDLER, Role.APPROVER), (None, Role.HANDLER, Role.APPROVER))
    ),
)
def test_who_has_to_look_and_how_long_it_takes(desk, account, method, first, second):
    """Every account × method × first × second person. Two approvers where a mailbox is lost and tier 3 is not reached."""
    request = a_letter(email=CAST.plain if account else "")
    one, other = drive.person_of_the_desk(first, "one"), second and drive.person_of_the_desk(second, "other")
    two_approvers = account and method != SURE
    two = True
    enough = (not two or second is not None) and (
        not two_approvers or (first, second) == (Role.APPROVER, Role.APPROVER)
    )
    try:
        drive.compared(request.pk, method, SEEN, actor=one)
        if other and by_hand.awaits_second(drive.fresh(request.pk)):
            by_hand.judge(request.pk, True, actor=other)
    except Invalid:
        assert not enough
    assert passed_on(request) == (enough and not account)
    told = Message.objects.filter(notice=Notice.SHOWN_BY_HAND)
    assert told.exists() == (enough and account)
    a_week_later()
    assert passed_on(request) == enough
    assert drive.fresh(request.pk).state == (State.LOCATING if enough else State.VERIFYING)
    assert audit.verify() == []


def test_the_mailbox_on_file_is_told_without_a_word_about_an_account_and_stops_it(company):
    request = a_letter("know", "deletion")
    drive.shown_by_hand(request.pk, SURE, SEEN, actor=drive.person_of_the_desk(Role.HANDLER))
    message = Message.objects.get(notice=Notice.SHOWN_BY_HAND)
    made = compose.mail(message)
    assert made.to == [CAST.plain]
    for said in (str(made.body), str(made.alternatives[0].content)):
        assert "/l/" in said
        assert "This was not me" in said
        for some in ("your account", "Lindenweg", "Merefield", SEEN):
            assert some not in said
    confirmation.not_me(request.case)
    a_week_later()
    assert not passed_on(request)
    assert by_hand.pending(request.case) is None
    assert {(one.state, *one.judgement) for one in request.case.requests.all()} == {(State.REVIEW, "not_me")}


def test_it_is_stopped_by_telephone_too_where_the_mailbox_is_in_other_hands(route: drive.Route) -> None:
    doubted, bound, done = route.review(Right.ACCESS), route.releasing(), route.completed()
    choice = route.locating(Right.OPT_OUT_SALE)
    for request in (doubted, bound, done):
        assert by_hand.may_note_not_me(drive.fresh(request.pk)), request.state
        by_hand.note_not_me(request.pk, actor=route.handler)
        assert not by_hand.may_note_not_me(drive.fresh(request.pk)), "said once"
    assert "not_me" in drive.fresh(doubted.pk).judgement
    assert drive.fresh(bound.pk).disputed_at
    assert drive.fresh(done.pk).attention == "disputed"
    assert not by_hand.may_note_not_me(drive.fresh(choice.pk)), "a choice is stopped by nobody"


def test_what_was_compared_is_named_declared_and_looked_at_by_two(route: drive.Route) -> None:
    """11 CCR 7060(h), 7062(c): a colleague's word alone is staff judgement, whatever it is called."""
    clerk, other = route.handler, drive.person_of_the_desk(Role.HANDLER)
    copy = route.review_below_its_tier()
    case = copy.case
    wish = submit.add_request(case, Right.CORRECTION, "It is wrong.")
    signature = data_points.Signature("Ann Example", timezone.localdate())
    others = [key for key in by_hand.comparable(case) if key.startswith("other:")]
    assert list(by_hand.comparable(case)) == others, "nobody knows yet which field is to be corrected"
    corrections.propose(wish.pk, "phone", "+49 30 111111", actor=clerk)
    late = timezone.localdate() + timedelta(days=2)
    for fields, signed in (
        ((), signature),
        (("name", "other:use"), signature),
        (("name", "name", "other:use"), signature),
        (("name", "phone", "other:use"), signature),
        (("name", "shoe size", "other:use"), signature),
        (("name", "invoice_number", "other:use"), None),
        (("name", "invoice_number", "other:use"), data_points.Signature(" ", signature.on)),
        (("name", "invoice_number", "other:use"), data_points.Signature("Ann Example", late)),
    ):
        with pytest.raises(Invalid):
            by_hand.record(copy.pk, SURE, SEEN, actor=clerk, fields=fields, signature=signed)
    assert not case.checks.filter(kind="by_hand").exists()
    named = ("name", "invoice_number", "other:use")
    by_hand.record(copy.pk, SURE, SEEN, actor=clerk, fields=named, signature=signature)
    a_week_later()
    assert Case.objects.get(pk=case.pk).proven_tier == 2, "one colleague alone"
    with pytest.raises(Invalid, match="yourself"):
        by_hand.judge(copy.pk, True, actor=clerk)
    corrections.propose(wish.pk, "name", "Ann Other", actor=clerk)
    with pytest.raises(Invalid, match="to be corrected by now"):
        by_hand.judge(copy.pk, True, actor=other)
    by_hand.judge(copy.pk, False, actor=other)
    by_hand.record(copy.pk, SURE, SEEN, actor=clerk, fields=others[:3], signature=signature)
    by_hand.judge(copy.pk, True, actor=other)
    held = Case.objects.get(pk=case.pk)
    assert held.proven_tier == 3
    check = held.checks.filter(kind="by_hand").latest("pk")
    assert (check.status, check.asked, check.method) == (CheckStatus.PASSED, others[:3], SURE)
    assert "Ann Example" in check.declaration
    assert "penalty of perjury" in check.declaration
    assert "Ann Example" not in str(list(AuditEvent.objects.values()))


def test_law_12_what_a_colleague_compared_is_not_corrected_on_the_strength_of_that(route: drive.Route) -> None:
    copy = route.review_below_its_tier()
    drive.shown_by_hand(copy.pk, SURE, SEEN, actor=route.handler)
    case = Case.objects.get(pk=copy.case_id)
    assert case.checks.rests_on(3) == {*drive.COMPARED}
    wish = submit.add_request(case, Right.CORRECTION, "It is wrong.")
    PrivacyRequest.objects.filter(pk=wish.pk).update(tier_needed=3)
    with pytest.raises(Invalid, match="another way"):
        corrections.propose(wish.pk, "phone", "+49 30 111111", actor=route.handler)
    corrections.propose(wish.pk, "country", "FR", actor=route.handler)


def test_it_never_counts_before_its_day(desk):
    request = a_letter()
    drive.shown_by_hand(request.pk, SURE, SEEN, actor=drive.person_of_the_desk(Role.HANDLER))
    IdentityCheck.objects.filter(kind="by_hand").update(counts_from=timezone.now() + timedelta(seconds=30))
    assert by_hand.sweep() == 0
    assert not passed_on(request)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": CheckStatus.PASSED, "decided_at": timezone.now()},
        {"status": CheckStatus.PASSED, "decided_at": timezone.now() + timedelta(days=30), "needs_second": True},
        {"status": CheckStatus.PASSED, "decided_at": timezone.now() + timedelta(days=30), "recorded_by": None},
        {"confirmed_by": "recorder"},
    ],
)
def test_the_database_holds_the_rules_too(desk, changes):
    request = a_letter()
    check = drive.compared(request.pk, SURE, SEEN, actor=drive.person_of_the_desk(Role.HANDLER))
    given = {name: check.recorded_by_id if value == "recorder" else value for name, value in changes.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        IdentityCheck.objects.filter(pk=check.pk).update(**given)


def test_nobody_agrees_with_themselves_and_no_is_no(desk):
    request = a_letter(email="")
    one, other = drive.person_of_the_desk(Role.APPROVER), drive.person_of_the_desk(Role.HANDLER)
    drive.compared(request.pk, JUDGED, SEEN, actor=one)
    with pytest.raises(Invalid):
        by_hand.judge(request.pk, True, actor=one)
    with pytest.raises(Conflict):
        drive.compared(request.pk, SURE, SEEN, actor=other)
    by_hand.judge(request.pk, False, actor=other)
    assert not passed_on(request)
    assert drive.shown_by_hand(request.pk, SOME, SEEN, actor=other).status == CheckStatus.PASSED
    assert passed_on(request)


def test_only_what_the_law_lists_for_this_right_is_enough(desk):
    clerk = drive.person_of_the_desk(Role.HANDLER)
    copy = a_letter("access", country="US-CA", email="")
    assert by_hand.methods(copy.case) == [SURE]
    for method in (SOME, "mfa", "email_link", "agent_authority", "quiz", ""):
        with pytest.raises(Invalid):
            drive.compared(copy.pk, method, SEEN, actor=clerk)
    with pytest.raises(Invalid):
        drive.compared(copy.pk, SURE, "  ", actor=clerk)
    for role in (Role.AUDITOR, Role.ADMIN, Role.NONE):
        with pytest.raises(Forbidden):
            drive.compared(copy.pk, SURE, SEEN, actor=drive.person_of_the_desk(role))
    reader = drive.a_request("somebody@example.com")
    with pytest.raises(Conflict):
        # Who has a mailbox proves it.
        drive.compared(reader.pk, SURE, SEEN, actor=clerk)


def test_both_rights_move_on_once_and_what_was_seen_stays_sealed(company):
    request = a_letter("know", "access")
    drive.shown_by_hand(request.pk, SURE, SEEN, actor=drive.person_of_the_desk(Role.HANDLER))
    a_week_later()
    assert by_hand.sweep() == 0
    assert {one.state for one in request.case.requests.all()} == {State.LOCATING}
    case = Case.objects.get(pk=request.case_id)
    assert (case.proven_tier, case.subject.index) == (3, case.email_index)
    assert "payment" not in str(list(AuditEvent.objects.values()))
    assert case.checks.get(kind="by_hand").seen == SEEN
    locating.drain()
    for one in case.requests.all():
        assert one.state == State.REVIEW
        assert "no_account" not in one.judgement


# --- no account named -------------------------------------------------------------------------------------------------


def without_account(*rights: str) -> tuple[PrivacyRequest, Actor]:
    clerk = drive.person_of_the_desk(Role.HANDLER)
    return a_letter(*rights, email=""), clerk


def test_a_person_says_that_nothing_is_held_where_no_machine_looked(company):
    request, clerk = without_account("know")
    drive.shown_by_hand(request.pk, SOME, SEEN, actor=clerk)
    locating.drain()
    request = drive.fresh(request.pk)
    assert (request.state, request.outcome) == (State.REVIEW, Outcome.OPEN)
    assert "no_account" in request.judgement
    lead = drive.person_of_the_desk(Role.APPROVER)
    with pytest.raises(Conflict):
        decide.approve(request.pk, actor=lead)
    with pytest.raises(Forbidden):
        decide.nothing_found(request.pk, "In the archive.", actor=clerk)
    assert decide.nothing_found(request.pk, "In the archive.", actor=lead).outcome == Outcome.NOTHING_HELD
    letter = Message.objects.get(request=request, notice=Notice.NOTHING_HELD)
    assert letter.status == MessageStatus.TO_POST
    assert Case.objects.get(pk=request.case_id).subject is None


def test_two_people_without_an_account_are_not_one(company):
    for _ in range(2):
        request, clerk = without_account("know")
        drive.shown_by_hand(request.pk, SOME, SEEN, actor=clerk)
    assert decide.twin_of(drive.fresh(request.pk)) is None
    assert set(Case.objects.values_list("subject", flat=True)) == {None}


@pytest.mark.parametrize(("right", "state"), [("know", State.VERIFYING), ("marketing_opt_out", State.FULFILLING)])
def test_an_account_that_is_named_later_is_looked_for(company, right, state):
    request, clerk = without_account(right)
    locating.drain()
    with pytest.raises(Invalid):
        filing.name_account(request.pk, "nobody", actor=clerk)
    filing.name_account(request.pk, CAST.plain, actor=clerk)
    locating.drain()
    found = drive.fresh(request.pk)
    assert (found.state, found.case.email, found.case.contact) == (state, CAST.plain, "")
    assert "no_account" not in found.judgement
    assert found.plans.order_by("-version")[0].body()["sources"]["platform"]["status"] == "one"
    with pytest.raises(Conflict):
        filing.name_account(request.pk, CAST.neighbour, actor=clerk)


def test_whoever_was_shown_without_an_account_names_none_afterwards(company):
    request, clerk = without_account("know")
    drive.shown_by_hand(request.pk, SOME, SEEN, actor=clerk)
    with pytest.raises(Conflict):
        # What was seen said nothing about that account.
        filing.name_account(request.pk, CAST.plain, actor=clerk)


def test_the_notice_is_mailed_and_never_printed(desk):
    request = a_letter(Right.KNOW)
    drive.shown_by_hand(request.pk, SURE, SEEN, actor=drive.person_of_the_desk(Role.HANDLER))
    assert Message.objects.get(notice=Notice.SHOWN_BY_HAND).status == MessageStatus.QUEUED
    assert outbox.drain() == 1
