"""The mail of the day to a colleague at the desk: what is due, by reference and day. It names no person."""

from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from dsar.models import Message, PrivacyRequest

MOST: Final = 50


def due(message: Message) -> dict[str, Any]:
    """`lines`: reference, legal_date (None while the law has none), target_on, days_left, reason and link of each request
    that is due for the colleague as whose mail it was queued; `more`: how many stand in the queue beside them."""
    if message.author is None:
        return {"lines": [], "more": 0}
    today = timezone.localdate()
    found = PrivacyRequest.objects.due_for(message.author, today + settings.REMIND_BEFORE).select_related("case")
    lines = [
        {
            "reference": one.case.reference,
            "legal_date": one.legal_date,
            "target_on": one.target_on,
            "days_left": (one.legal_date - today).days if one.legal_date else None,
            "reason": one.get_raised_display() if one.raised else "",
            "link": settings.BASE_URL + reverse("desk_request", args=[one.pk]),
        }
        for one in found[:MOST]
    ]
    return {"lines": lines, "more": max(0, found.count() - MOST)}
