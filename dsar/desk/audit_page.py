"""The audit trail of the house, page by page, each page checked as it is shown; and the latest signed checkpoint."""

from itertools import pairwise
from typing import Any

from django.http import HttpRequest, HttpResponse

from dsar import audit
from dsar.desk import frame, paging, story
from dsar.models import AuditEvent, Checkpoint


def trail(request: HttpRequest) -> HttpResponse:
    """Newest first. What belongs to a case stands on its request's page."""
    page = paging.page(AuditEvent.objects.filter(chain="house"), request.GET, "number", descending=True)
    known = story.names(page.rows)
    checkpoint = Checkpoint.objects.order_by("-pk").first()
    context: dict[str, Any] = {
        "events": [{**story.told(event, known), "hash": event.hash[:12]} for event in page.rows],
        "faults": faults(page.rows),
        "page": page,
        "checkpoint": checkpoint,
        "signed": checkpoint is not None and audit.is_signed(checkpoint),
    }
    return frame.page(request, "desk/audit.html", "audit", context)


def faults(events: list[AuditEvent]) -> list[int]:
    """The numbers of events that were changed or do not follow the one before (`events` newest first)."""
    found = [event.number for event in events if event.hash != audit.fingerprint(event)]
    for later, earlier in pairwise(events):
        if later.previous != earlier.hash or later.number != earlier.number + 1:
            found.append(later.number)
    return sorted(set(found))
