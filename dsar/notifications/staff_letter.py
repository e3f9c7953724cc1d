"""The mail of the day to a colleague at the desk: what is due, by reference and day. It names no person."""

from datetime import date
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from dsar import clock_events
from dsar.models import Appeal, Message, PrivacyRequest
from dsar.models.apart import apart_from
from dsar.models.appeal import AppealQuerySet
from dsar.models.request_queues import PrivacyRequestQuerySet

MOST: Final = 50


def reminded_of(colleague: User, today: date) -> PrivacyRequestQuerySet:
    """What a colleague is reminded of on a day; not what they are kept apart from."""
    found = PrivacyRequest.objects.due_for(colleague, today + settings.REMIND_BEFORE)
    return found.without(apart_from(colleague.pk))


def appeals_of(colleague: User, today: date) -> AppealQuerySet:
    """The same of what is looked at again."""
    found = Appeal.objects.due_for(colleague, today + settings.REMIND_BEFORE)
    return found.exclude(request__case__in=apart_from(colleague.pk))


def due(message: Message) -> dict[str, Any]:
    """`lines`: reference, legal_date (None while the law has none), target_on, days_left, reason and link of each request
    and appeal that is due for the colleague as whose mail it was queued; `more`: how many stand in the queue beside them."""
    if message.author is None:
        return {"lines": [], "more": 0}
    today = timezone.localdate()
    found = reminded_of(message.author, today).select_related("case")
    lines = [
        {
            "reference": one.case.reference,
            "legal_date": one.legal_date,
            "target_on": one.target_on,
            "days_left": (one.legal_date - clock_events.today(one)).days if one.legal_date else None,
            "reason": one.get_raised_display() if one.raised else "",
            "link": settings.BASE_URL + reverse("desk_request", args=[one.pk]),
        }
        for one in found[:MOST]
    ]
    again = appeals_of(message.author, today).select_related("request__case")
    appeals = [
        {
            "reference": one.request.case.reference,
            "legal_date": one.due_on,
            "target_on": one.target_on,
            "days_left": (one.due_on - one.day(timezone.now())).days,
            "reason": one.get_kind_display(),
            "link": settings.BASE_URL + reverse("desk_appeal", args=[one.pk]),
        }
        for one in again[:MOST]
    ]
    return {"lines": [*appeals, *lines], "more": max(0, found.count() - MOST) + max(0, again.count() - MOST)}
