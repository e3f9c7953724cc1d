"""The clock: what is due is raised again and again; nothing depends on a process having been up at one moment."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from dsar.enums import UNVERIFIED_RIGHTS, Notice, State
from dsar.models import SYSTEM, Message, PrivacyRequest
from dsar.notifications import outbox
from dsar.review import holds, purge
from dsar.workflow import Conflict, lock, move

BATCH = 200
# A choice is carried out within seconds; whoever waits longer hears that it holds all the same.
SLOW_CHOICE = timedelta(minutes=10)


def sweep(now: datetime | None = None) -> int:
    """Raise what is due: unproven by the target date, unanswered questions, reminders, unanswered confirmations,
    holds that can become active. Returns how many requests were touched."""
    moment = now or timezone.now()
    today = timezone.localdate(moment)
    done = holds.settle_placing() + purge.sweep(moment)
    done += _move(PrivacyRequest.objects.filter(state=State.VERIFYING, target_on__lte=today), "not_proven")
    done += _move(PrivacyRequest.objects.filter(state=State.CLARIFYING, answer_by__lte=moment), "no_answer")
    done += _remind(moment, today) + _interim(today) + _note_choices(moment)
    first_of_silence = moment - (settings.CONFIRM_WITHIN - settings.CONFIRM_REMINDERS[-1])
    overdue = PrivacyRequest.objects.awaiting_no_copy(today).filter(
        state=State.CONFIRMING, entered_at__lte=moment - settings.CONFIRM_WITHIN
    )
    silent = overdue.filter(reminders__gte=len(settings.CONFIRM_REMINDERS), reminded_at__lte=first_of_silence)
    return done + _move(silent, "unanswered")


def _move(found: QuerySet[PrivacyRequest], verb: str) -> int:
    done = 0
    for pk in list(found.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        try:
            move(pk, verb, actor=SYSTEM)
            done += 1
        except Conflict:
            continue
    return done


def _interim(today: date) -> int:
    """On the internal target date what is unsettled gets an interim answer: no legal date passes in silence (law 14)."""
    done = 0
    waiting = PrivacyRequest.objects.open().filter(target_on__lte=today)
    told = Message.objects.filter(request=OuterRef("pk"), notice=Notice.INTERIM)
    for pk in list(waiting.filter(~Exists(told)).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            request = lock(pk)
            if not request.is_ended:
                done += outbox.queue(request, Notice.INTERIM, dedupe=f"interim:{pk}") is not None
    return done


def _note_choices(moment: datetime) -> int:
    """Acknowledge choices that a source keeps waiting: they hold, and that system is still to be told."""
    done = 0
    waiting = PrivacyRequest.objects.filter(
        state__in=[State.LOCATING, State.FULFILLING], right__in=UNVERIFIED_RIGHTS, entered_at__lte=moment - SLOW_CHOICE
    )
    told = Message.objects.filter(request=OuterRef("pk"), notice=Notice.CHOICE_NOTED)
    for pk in list(waiting.filter(~Exists(told)).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            request = lock(pk)
            if not request.is_ended:
                done += outbox.queue(request, Notice.CHOICE_NOTED, dedupe=f"choice:{pk}") is not None
    return done


def _remind(moment: datetime, today: date) -> int:
    """Remind those who have not confirmed. After an outage too the reminders keep their distance: who is reminded has
    the time between two of them."""
    done = 0
    before = timedelta(0)
    for number, after in enumerate(settings.CONFIRM_REMINDERS):
        waiting = PrivacyRequest.objects.awaiting_no_copy(today)
        due = waiting.filter(state=State.CONFIRMING, reminders=number, entered_at__lte=moment - after)
        due = due.filter(Q(reminded_at__isnull=True) | Q(reminded_at__lte=moment - (after - before)))
        before = after
        for pk in list(due.order_by("pk").values_list("pk", flat=True)[:BATCH]):
            with transaction.atomic():
                request = lock(pk)
                if request.state != State.CONFIRMING or request.reminders != number:
                    continue
                PrivacyRequest.objects.filter(pk=pk).update(reminders=number + 1, reminded_at=moment)
                key = f"remind:{pk}:{number}:{request.entered_at:%Y%m%d%H%M%S}"
                outbox.queue(request, Notice.CONFIRM_REMINDER, dedupe=key)
                done += 1
    return done
