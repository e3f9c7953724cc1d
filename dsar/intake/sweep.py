"""What was stored and has not become a case yet: opened here, again and again, until it has or a person sees why not."""

import structlog
from django.db.models import F
from django.utils import timezone

from dsar import bell
from dsar.enums import Channel, IntakeStatus
from dsar.intake import email, filing, web
from dsar.models import Intake

log = structlog.get_logger(__name__)

TRIES = 5
BATCH = 100


def drain(turn: bell.Turn | None = None) -> int:
    """Open what is stored, oldest first; returns how many were taken. One that fails is tried five times, then shown."""
    taken = 0
    for intake in Intake.objects.filter(status=IntakeStatus.STORED, received_at__lte=timezone.now()).order_by("pk")[
        :BATCH
    ]:
        taken += 1
        open_one(intake)
    if turn and taken == BATCH:
        turn.call_others()
    return taken


def open_one(intake: Intake) -> None:
    """Turn one stored item into a case (or a note, or a quarantined item with a named reason)."""
    try:
        if intake.channel == Channel.EMAIL:
            email.process(intake)
        elif intake.channel in filing.CHANNELS:
            filing.process(intake)
        else:
            web.process(intake)
    except Exception as error:
        # Whatever was wrong with one item, it stays stored, the next one is opened, and a person will see it.
        log.error("an incoming item could not be opened", intake=intake.pk, error=type(error).__name__)
        Intake.objects.filter(pk=intake.pk).update(attempts=F("attempts") + 1)
        Intake.objects.filter(pk=intake.pk, attempts__gte=TRIES, status=IntakeStatus.STORED).update(
            status=IntakeStatus.QUARANTINED, reason="could_not_be_opened"
        )
