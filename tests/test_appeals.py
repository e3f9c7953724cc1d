"""Looking again: taken up whatever the law calls it, acknowledged, held by the database once it is decided."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from dsar import audit, deadlines, guards
from dsar.enums import AppealKind, AppealOutcome, Channel
from dsar.law import calendars, regimes, remedies
from dsar.models import REQUESTER, Appeal, AuditEvent, Message, PrivacyRequest
from dsar.notices import MessageStatus, Notice
from dsar.review import appeals, decide, purge
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive
from tests.drive import Route
from tests.remedies import BRITAIN, COLORADO, INDIA, under

pytestmark = pytest.mark.usefixtures("own_journal")
WORDS = "You never looked into the second account."


def refused(route: Route, law: str = COLORADO) -> PrivacyRequest:
    return under(
        drive.refuse(
            route.review().pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=route.approver
        ),
        law,
    )


def day_of(moment: datetime, law: str = COLORADO) -> date:
    return deadlines.received_on(law, moment)


def told(request: PrivacyRequest, notice: Notice) -> list[Message]:
    return list(Message.objects.filter(request=request, notice=notice).order_by("pk"))


def test_what_the_person_writes_is_taken_up_once_and_acknowledged_in_the_same_moment(route: Route) -> None:
    request = refused(route)
    before = drive.fresh(request.pk).__dict__ | {"_state": None}
    appeal = appeals.take(request.pk, f"  {WORDS} ")
    assert appeal is not None
    stored = Appeal.objects.get()
    assert (stored.kind, stored.channel, stored.outcome) == (AppealKind.APPEAL, Channel.WEB, AppealOutcome.OPEN)
    assert (stored.words, bytes(stored.words_sealed or b"").find(WORDS.encode())) == (WORDS, -1)
    assert stored.due_on == day_of(stored.received_at) + timedelta(days=45)
    assert stored.target_on < stored.due_on
    (ack,) = told(request, Notice.APPEAL_RECEIVED)
    assert ack.appeal == stored
    event = AuditEvent.objects.filter(chain=request.case.chain).latest("number")
    assert (event.what, event.details["appeal"], event.request_id) == ("appeal_received", stored.pk, request.pk)
    # Said twice it is one; what is added to it is read by somebody, and moves no date.
    assert appeals.take(request.pk, WORDS) == stored
    assert not told(request, Notice.NOT_CONTENT)
    assert drive.fresh(request.pk).__dict__ | {"_state": None} == before
    appeals.take(request.pk, "And the third one.")
    assert Message.objects.get(status=MessageStatus.RECEIVED).text == "And the third one."
    assert drive.fresh(request.pk).unread_at is not None
    assert len(told(request, Notice.APPEAL_RECEIVED)) == 1
    assert audit.verify() == []


def test_where_the_law_knows_no_appeal_the_words_are_a_message_that_somebody_reads(route: Route) -> None:
    request = refused(route, "eu_gdpr")
    assert appeals.take(request.pk, WORDS) is None
    assert appeals.take(request.pk, WORDS) is None
    assert not Appeal.objects.exists()
    assert Message.objects.get(status=MessageStatus.RECEIVED).text == WORDS
    assert request in PrivacyRequest.objects.needing_staff()
    assert len(told(request, Notice.NOT_CONTENT)) == 1
    with pytest.raises(Conflict):
        appeals.file(request.pk, WORDS, timezone.now(), Channel.POST, actor=route.handler)
    with pytest.raises(Invalid):
        appeals.take(request.pk, " \n ")


def test_what_comes_after_the_reasonable_period_is_read_and_a_person_may_take_it_up(
    route: Route, settings: object
) -> None:
    request = refused(route)
    settings.APPEAL_WITHIN = timedelta(days=-1)  # type: ignore[attr-defined]
    assert appeals.take(request.pk, WORDS) is None
    message = Message.objects.get(status=MessageStatus.RECEIVED)
    appeal = appeals.file(request.pk, "", timezone.now(), Channel.POST, actor=route.handler, message=message.pk)
    assert (appeal.words, appeal.channel, appeal.message) == (WORDS, Channel.EMAIL, message)
    assert (appeal.received_at, appeal.filed_by_id) == (message.created_at, route.handler.user_id)
    assert drive.fresh(request.pk).unread_at is None, "it was read by taking it up"
    assert AuditEvent.objects.filter(what="appeal_received", details__late=True).exists()


def test_law_14_what_came_on_paper_is_counted_from_the_day_on_which_it_came(route: Route) -> None:
    request = route.review()
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=timezone.now() - timedelta(days=30))
    request = under(
        drive.refuse(request.pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=route.approver)
    )
    came = timezone.now() - timedelta(days=9)
    with pytest.raises(Invalid, match="not come yet"):
        appeals.file(request.pk, WORDS, timezone.now() + timedelta(days=1), Channel.POST, actor=route.handler)
    with pytest.raises(Invalid, match="before the request"):
        appeals.file(request.pk, WORDS, timezone.now() - timedelta(days=40), Channel.POST, actor=route.handler)
    with pytest.raises(Forbidden):
        appeals.file(request.pk, WORDS, came, Channel.POST, actor=REQUESTER)
    appeal = appeals.file(request.pk, WORDS, came, Channel.POST, actor=route.handler)
    assert appeal.due_on == day_of(came) + timedelta(days=45)
    with pytest.raises(Conflict):
        appeals.file(request.pk, "Once more.", came, Channel.POST, actor=route.handler)


def test_a_complaint_is_about_anything_and_its_receipt_has_a_date_of_its_own(route: Route) -> None:
    waiting = appeals.take(under(route.verifying(), BRITAIN).pk, "Why does nobody answer?")
    assert waiting is not None
    today = day_of(waiting.received_at, BRITAIN)
    # The law counts thirty days to the acknowledgement, and names none for the outcome.
    thirtieth = calendars.roll(today + timedelta(days=30), "next_working_day", regimes.load(BRITAIN).calendar)
    assert (waiting.kind, waiting.acknowledge_by) == (AppealKind.COMPLAINT, thirtieth)
    assert waiting.due_on > waiting.target_on >= today
    grievance = appeals.take(under(route.verifying(), INDIA).pk, "Why does nobody answer?")
    assert grievance is not None
    assert grievance.due_on == day_of(grievance.received_at, INDIA) + timedelta(days=90)


def test_an_appeal_is_against_a_decision(route: Route) -> None:
    for request in (route.verifying(), decide.withdraw_for(route.review().pk, actor=route.handler)):
        assert appeals.kind_for(under(request)) is None
        assert appeals.take(request.pk, WORDS) is None


def test_it_is_called_off_once_and_can_be_asked_for_again(route: Route) -> None:
    request = refused(route)
    first = appeals.take(request.pk, WORDS)
    assert first is not None
    appeals.withdraw(first.pk, actor=REQUESTER)
    with pytest.raises(Conflict):
        appeals.withdraw(first.pk, actor=REQUESTER)
    assert len(told(request, Notice.APPEAL_WITHDRAWN)) == 1
    second = appeals.take(request.pk, WORDS)
    assert second is not None
    assert second.pk != first.pk


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "dismissed"},
        {"outcome": "upheld", "decided_at": timezone.now(), "reasons_sealed": b"x"},
        {"outcome": "dismissed", "decided_at": timezone.now(), "decided_by": True},
        {"outcome": "upheld", "decided_at": timezone.now(), "reasons_sealed": b"x", "decided_by": True},
        {"decided_at": timezone.now()},
        {"outcome": "whatever"},
        {"kind": "whatever"},
        {"extended_at": timezone.now()},
    ],
)
def test_the_database_knows_no_decision_without_who_when_why_and_what_follows(
    route: Route, change: dict[str, object]
) -> None:
    appeal = appeals.take(refused(route).pk, WORDS)
    assert appeal is not None
    who = {"decided_by": route.handler.user_id} if change.get("decided_by") else {}
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        Appeal.objects.filter(pk=appeal.pk).update(**{**change, **who})


def test_law_03_what_was_decided_about_a_decision_stays_and_none_is_ever_deleted(route: Route) -> None:
    appeal = appeals.take(refused(route).pk, WORDS)
    assert appeal is not None
    appeals.withdraw(appeal.pk, actor=REQUESTER)
    for change in (
        {"outcome": ""},
        {"decided_at": None, "outcome": ""},
        {"words_sealed": b"other words"},
        {"kind": "grievance"},
    ):
        with pytest.raises((IntegrityError, DatabaseError), match=guards.REFUSAL), transaction.atomic():
            Appeal.objects.filter(pk=appeal.pk).update(**change)
    with pytest.raises((IntegrityError, DatabaseError), match=guards.REFUSAL), transaction.atomic():
        Appeal.objects.filter(pk=appeal.pk)._raw_delete("default")


def test_law_13_a_case_is_not_purged_while_something_is_looked_at_again(route: Route) -> None:
    request = refused(route)
    appeal = appeals.take(request.pk, WORDS)
    assert appeal is not None
    later = timezone.now() + drive.BEYOND_THE_LOG
    assert request.case_id not in purge.due(later)
    appeals.withdraw(appeal.pk, actor=REQUESTER)
    assert request.case_id in purge.due(later)
    assert request.case_id not in purge.due(later - timedelta(days=2)), "what ended lately is a record too"
    assert purge.purge(request.case_id)
    stored = Appeal.objects.select_related("request__case").get()
    assert (stored.words, stored.outcome) == ("", AppealOutcome.WITHDRAWN)


KNOWN = {
    "uk_gdpr": AppealKind.COMPLAINT, "in_dpdp": AppealKind.GRIEVANCE, "kr_pipa": AppealKind.APPEAL,
    "default": AppealKind.APPEAL,
}  # fmt: skip
NO_APPEAL = {"us_ca_ccpa", "us_ut_ucpa"}


@pytest.mark.parametrize("law", regimes.all_ids())
def test_every_law_says_whether_it_knows_a_way_back_and_by_when_we_answer(law: str) -> None:
    """All states of the US but California and Utah; Korea and the default; the UK and India by another name."""
    known = AppealKind.APPEAL if law.startswith("us_") and law not in NO_APPEAL else KNOWN.get(law)
    regime = regimes.load(law)
    assert remedies.kind_of(regime) == known
    if known:
        came = datetime(2027, 6, 1, 12, tzinfo=UTC)
        found = deadlines.appeal_dates(regime, known, came)
        assert found.due_on > found.target_on >= date(2027, 6, 1)
        assert found.due.explain()
        assert found.due.citation
