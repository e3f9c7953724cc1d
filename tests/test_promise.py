"""What the company promises beyond the law is worked to and named; late, overdue and void are judged by the law alone."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from django.utils.formats import date_format

from dsar import clock_book, clock_events, records
from dsar.enums import ClockEventKind as K
from dsar.enums import Raised, Right, State
from dsar.models import REQUESTER, Message, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.review import dates, decide, laws
from dsar.workflow import move
from tests import drive
from tests.drive import Route
from tests.test_clock_events import note, under

pytestmark = pytest.mark.usefixtures("own_journal")


@pytest.fixture(autouse=True)
def promises(settings: Any, tmp_path: Path) -> None:
    settings.PROMISES = tmp_path / "promises.toml"
    settings.PROMISES.write_text("[all]\nresponse_days = 20\nacknowledgement_days = 3\n")


def days_after(request: PrivacyRequest, days: int) -> date:
    return clock_events.today(request, request.received_at) + timedelta(days=days)


def test_a_promise_that_has_passed_is_neither_overdue_nor_late_and_voids_no_extension(route: Route) -> None:
    """GDPR Art 12(3): the month is the law's, and the notice of an extension has until its end."""
    request = route.review(Right.ACCESS)
    received = timezone.now() - timedelta(days=24)
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=received)
    note(request.pk, K.FEE_REQUESTED, clock_events.today(request))  # counts the dates anew
    request = drive.fresh(request.pk)
    promised = days_after(request, 20)
    assert request.due_on is not None and request.due_on > promised >= (request.target_on or date.max)
    dates.sweep()
    assert drive.fresh(request.pk).raised not in (Raised.OVERDUE, Raised.DUE_SOON)
    book = clock_book.of(request)
    assert [entry.date for entry in book.entries if entry.kind == "promised"] == [promised]
    assert book.answer.date == request.due_on and book.answer.state != clock_book.LATE
    # What is over is not named any more.
    assert clock_book.told(request).date == clock_events.told_on(request) == request.due_on
    decide.extend(request.pk, "COMPLEXITY", "It is a lot.", actor=route.handler)
    outbox.drain()
    longer = drive.fresh(request.pk)
    assert longer.extended_at is not None and longer.original_due_on == request.due_on and longer.raised == ""
    letter = Message.objects.get(request=request, notice=Notice.EXTENDED)
    assert letter.status == "sent"
    assert f"We were going to answer you by {date_format(promised)}" in str(mail.outbox[-1].body).replace("\n", " ")
    ended = move(request.pk, "withdraw", actor=REQUESTER)
    assert not records.record_of(ended).late


def test_the_person_is_told_the_promise_and_keeps_it_where_their_law_is_corrected(route: Route) -> None:
    request = drive.a_request(right=Right.ACCESS, country="US-CA")
    outbox.drain()
    promised = days_after(request, 20)
    assert clock_events.told_on(request) == clock_book.told(request).date == promised
    assert request.due_on == days_after(request, 45)
    assert f"Our answer is due by: {date_format(promised)}" in str(mail.outbox[-1].body)
    laws.change(request.pk, "us_va_vcdpa", "They live in Virginia.", actor=route.handler)
    assert drive.fresh(request.pk).promised_on == promised


def test_a_promise_begins_with_the_time_of_the_law(db: None) -> None:
    """UK GDPR Art 12A: the time runs from the proof that was asked for."""
    request = under("uk_gdpr", days_ago=30)
    today = clock_events.today(request)
    note(request.pk, K.IDENTITY_REQUESTED, today - timedelta(days=30))
    request = note(request.pk, K.IDENTITY_RECEIVED, today - timedelta(days=2))
    assert clock_events.told_on(request) == today + timedelta(days=18)
    assert request.due_on is not None and request.due_on > today + timedelta(days=25)
    assert clock_events.dates(request).promised_on == today + timedelta(days=18)


def test_an_acknowledgement_is_owed_by_the_day_that_was_promised(db: None) -> None:
    """11 CCR 7021(a) gives ten business days; we promise three."""
    request = under("us_ca_ccpa")
    PrivacyRequest.objects.filter(pk=request.pk).update(state=State.TRIAGE)
    entry = next(entry for entry in clock_book.of(request).entries if entry.kind == "acknowledgement")
    assert entry.date == days_after(request, 3)
    assert dates.reason(drive.fresh(request.pk), timezone.now()) == Raised.ACK_MISSING
