"""What the queue shows of a request, made from rows that were fetched together: a fixed number of queries per page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils import timezone

from dsar import clock_events, keys
from dsar.desk import words
from dsar.models import Case, PrivacyRequest, Proposal
from dsar.models.case import with_keys
from dsar.review import appeals

SOON_DAYS = 5


@dataclass(frozen=True)
class Line:
    """One row of the queue, in words. Nothing personal but a masked address."""

    url: str
    reference: str
    deadline: dict[str, Any] | None
    ended: str
    right: str
    state: str
    ball: str
    flags: tuple[str, ...]
    stuck: str
    channel: str
    law: str
    assignee: str
    requester: str
    proven: bool


def deadline(request: PrivacyRequest, today: date) -> dict[str, Any] | None:
    """What the deadline chip needs on a day of the request's law; None once the answer has left."""
    if request.answered_on is not None or request.due_on is None:
        return None
    left = (request.due_on - today).days
    if request.paused_reason:
        state = "paused"
    elif left < 0:
        state = "late"
    else:
        state = "soon" if left <= SOON_DAYS else "ok"
    return {"date": request.due_on, "days_left": left, "state": state}


def masked(case: Case) -> str:
    """The requester's address, masked; empty after a purge."""
    try:
        return case.email_masked
    except keys.Unreadable:
        return ""


def lines(requests: Sequence[PrivacyRequest]) -> list[Line]:
    """The rows of a page; `requests` come with their case and assignee. Two queries."""
    with_keys(request.case for request in requests)
    now = timezone.now()
    waiting = set(Proposal.objects.standing().filter(request__in=requests).values_list("request_id", flat=True))
    return [_line(request, clock_events.today(request, now), proposed=request.pk in waiting) for request in requests]


def _flags(request: PrivacyRequest, *, proposed: bool) -> tuple[str, ...]:
    if proposed:
        return (str(words.TO_CONFIRM), *_flags(request, proposed=False))
    unread = (str(words.UNREAD),) if request.unread_at else ()
    if unread and request.is_ended and appeals.kind_for(request):
        unread = (str(words.PERHAPS_APPEAL),)
    return unread if request.is_ended else (*unread, *(str(words.flag(code)[0]) for code in request.judgement))


def _line(request: PrivacyRequest, today: date, *, proposed: bool) -> Line:
    case, assignee = request.case, request.assignee
    return Line(
        url=reverse("desk_request", args=[request.pk]),
        reference=case.reference,
        deadline=deadline(request, today),
        ended=str(request.get_outcome_display()) if request.is_ended else "",
        right=request.title,
        state=str(request.get_state_display()),
        ball=str(words.ball(request)),
        flags=_flags(request, proposed=proposed),
        stuck=str(words.attention(request.named_reason)) if request.named_reason else "",
        channel=str(case.get_channel_display()),
        law=str(case.law.text("short")),
        assignee=(assignee.full_name or assignee.email) if assignee else "",
        requester=masked(case),
        proven=case.is_proven,
    )
