"""What a person writes about a request stands in the queue until somebody has read it, whatever has become of the request."""

from email.message import EmailMessage

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from dsar.enums import State
from dsar.intake import email
from dsar.models import REQUESTER, SYSTEM, Case, Message, PrivacyRequest
from dsar.notices import MessageStatus, Notice
from dsar.review import corrections, decide, purge
from dsar.workflow import Conflict, Forbidden, move
from tests import drive
from tests.drive import Route
from tests.locks import TABLES, locked

pytestmark = pytest.mark.usefixtures("desk", "own_journal")


@pytest.fixture
def route(desk: None) -> Route:
    return Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER))


def writes(case: Case, text: str) -> None:
    """The person answers one of our mails."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = case.email, case.reply_address(), "Re: your letter"
    mail.set_content(text)
    intake, _ = email.receive(mail.as_bytes())
    email.process(intake)


def in_queue(request: PrivacyRequest) -> bool:
    return request in PrivacyRequest.objects.needing_staff()


def refused(route: Route) -> PrivacyRequest:
    return drive.refuse(
        route.review().pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=route.approver
    )


def withdrawn(route: Route) -> PrivacyRequest:
    return move(route.review().pk, "withdraw", actor=REQUESTER)


@pytest.mark.parametrize("end", [refused, withdrawn, Route.completed, Route.fulfilling, Route.confirming])
def test_law_15_an_answer_stands_in_the_queue_until_it_is_read_or_answered(route: Route, end: object) -> None:
    request = end(route)  # type: ignore[operator]
    assert not in_queue(request)
    writes(request.case, "I do not agree, here is my proof.")
    assert in_queue(request)
    assert drive.fresh(request.pk).state == request.state
    decide.read(request.pk, actor=route.handler)
    assert not in_queue(request)
    with pytest.raises(Conflict):
        decide.read(request.pk, actor=route.handler)
    writes(request.case, "Why does nobody answer?")
    assert in_queue(request)
    decide.reply(request.pk, "We have looked at it again.", actor=route.handler)
    assert not in_queue(request)
    assert Message.objects.get(notice=Notice.REPLY).request == request


def test_law_02_an_answer_by_mail_locks_the_person_before_the_case(route: Route) -> None:
    request = route.clarifying(route.review())
    with CaptureQueriesContext(connection) as queries:
        writes(request.case, "It is the other address.")
    assert drive.fresh(request.pk).state == State.REVIEW
    order = [table for table in locked(queries) if table in TABLES[:3]]
    if connection.vendor == "postgresql":
        assert order == ["dsar_subject", "dsar_case", "dsar_privacyrequest"]


def test_what_came_after_the_page_was_made_stays_unread(route: Route) -> None:
    request = refused(route)
    writes(request.case, "The first.")
    seen = decide.newest_received(request)
    writes(request.case, "The second.")
    decide.reply(request.pk, "About the first.", actor=route.handler, seen=seen)
    assert in_queue(request)
    decide.read(request.pk, actor=route.handler, seen=decide.newest_received(request))
    assert not in_queue(request)


def test_no_end_and_no_work_hides_an_answer(route: Route) -> None:
    request = route.fulfilling()
    writes(request.case, "Please wait.")
    done = move(request.pk, "settle", actor=SYSTEM, outcome="granted")
    assert in_queue(done)
    # What nobody has read is not destroyed either (law 1).
    long_after = timezone.now() + drive.BEYOND_THE_LOG
    assert request.case_id not in purge.due(long_after)
    decide.read(request.pk, actor=route.handler)
    assert request.case_id in purge.due(long_after)


def test_an_answer_to_a_question_is_its_answer_and_one_to_a_case_goes_to_what_is_open_there(route: Route) -> None:
    asked = route.clarifying(route.review())
    writes(asked.case, "The second account.")
    assert (drive.fresh(asked.pk).state, drive.fresh(asked.pk).unread_at) == (State.REVIEW, None)
    ended = move(asked.pk, "withdraw", actor=REQUESTER)
    open_one = PrivacyRequest.objects.get(pk=drive.a_request(asked.case.email).pk)
    assert open_one.case != ended.case
    writes(ended.case, "And one thing more.")
    assert (in_queue(ended), in_queue(open_one)) == (True, False)


def test_a_statement_after_a_correction_is_read(route: Route) -> None:
    request = drive.refuse(route.review("correction").pk, "ACCURATE_AS_HELD", "It is right.", actor=route.approver)
    corrections.state(request.pk, "It is wrong all the same.", actor=REQUESTER)
    assert in_queue(request)
    auditor = drive.person_of_the_desk(Role.AUDITOR)
    with pytest.raises(Forbidden):
        decide.read(request.pk, actor=auditor)
    assert Message.objects.filter(status=MessageStatus.RECEIVED).get().text == "It is wrong all the same."
