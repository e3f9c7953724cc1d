"""A colleague's calendar address: made anew, and ended."""

from django.db import transaction

from dsar import audit
from dsar.models import Actor, CalendarFeed
from dsar.workflow import Forbidden


def renew(*, actor: Actor) -> str:
    """Make a new token for the colleague who asks, and return it: it is shown once. An older one ends. Raises Forbidden."""
    if not actor.is_handler or actor.user_id is None:
        raise Forbidden("calendar")
    with transaction.atomic():
        token = CalendarFeed.renew(actor.user_id)
        audit.record_house(audit.Entry("calendar_made", actor))
    return token


def end(*, actor: Actor) -> None:
    """End it; nothing happens where there is none."""
    if actor.user_id is None:
        return
    with transaction.atomic():
        if CalendarFeed.objects.of(actor.user_id).delete()[0]:
            audit.record_house(audit.Entry("calendar_ended", actor))
