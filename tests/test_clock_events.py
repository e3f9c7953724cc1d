"""What stops the clock of a request: each question and answer by its day and its evidence, and the dates counted anew."""

from datetime import date, timedelta

import pytest
from django.db import transaction

from dsar import audit, clock_events, workflow
from dsar.enums import ClockEventKind as K
from dsar.models import ClockEvent, PrivacyRequest
from tests import drive

pytestmark = pytest.mark.usefixtures("own_journal")


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
