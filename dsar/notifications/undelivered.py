"""Letters that could not be delivered: they stand in the queue by name until they are out (law 9)."""

from django.db.models import F, Min
from django.utils import timezone

from dsar import bell
from dsar.enums import Lane
from dsar.models import Message, PrivacyRequest
from dsar.models.message import TELL_AFTER
from dsar.notices import MessageStatus


def note(request_id: int) -> None:
    """Keep a request's mark in step with its letters: since when one of them cannot be delivered. The caller holds the
    request."""
    since = Message.objects.undelivered().filter(request_id=request_id).aggregate(since=Min("created_at"))["since"]
    PrivacyRequest.objects.filter(pk=request_id).update(undelivered_at=since)


def call_off(request: PrivacyRequest, notice: str) -> None:
    """Send a notice about a request no more, where it is not out yet: it is not true any longer. The caller holds the
    request."""
    waiting = request.messages.filter(notice=notice).exclude(status=MessageStatus.SENT)
    waiting.update(status=MessageStatus.FAILED, reason="decided", token=F("token") + 1)
    note(request.pk)


def send_again(request: PrivacyRequest) -> int:
    """Try now what could not be delivered, and for three more days; the mark stays until it is out. What is being sent at
    this moment is left alone. Returns how many. The caller holds the request."""
    stuck = Message.objects.undelivered().filter(request=request).exclude(status=MessageStatus.CLAIMED)
    number = stuck.update(status=MessageStatus.QUEUED, attempts=TELL_AFTER, due_at=timezone.now(), token=F("token") + 1)
    bell.ring(Lane.MAIL)
    return number
