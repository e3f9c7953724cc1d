"""The clock: what is due is raised again and again; nothing depends on a process having been up at one moment."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from dsar.enums import COPY_RIGHTS, UNVERIFIED_RIGHTS, State
from dsar.models import SYSTEM, IdentityCheck, Message, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.review import appeals, decide, fees, holds, purge
from dsar.workflow import Conflict, Inside, each, in_trouble, lock, move

log = structlog.get_logger(__name__)

BATCH = 200
# A choice is carried out within seconds; whoever waits longer hears that it holds all the same.
SLOW_CHOICE = timedelta(minutes=10)


def sweep(now: datetime | None = None) -> int:
    """Raise what is due: unproven by the target date, unanswered questions, reminders, interim answers, unanswered
    confirmations, holds that can become active, cases to purge. Returns how many were touched.

    One person's trouble keeps nobody else waiting: it is logged, and stands in the queue by name.
    """
    moment = now or timezone.now()
    today = timezone.localdate(moment)
    requests = PrivacyRequest.objects
    first_of_silence = moment - (settings.CONFIRM_WITHIN - settings.CONFIRM_REMINDERS[-1])
    silent = requests.awaiting_no_copy(today).filter(
        state=State.CONFIRMING, entered_at__lte=moment - settings.CONFIRM_WITHIN,
        reminders__gte=len(settings.CONFIRM_REMINDERS), reminded_at__lte=first_of_silence,
    )  # fmt: skip
    parts: list[Callable[[], int]] = [
        holds.settle_placing,
        lambda: _move(requests.filter(state=State.VERIFYING, target_on__lte=today), "not_proven"),
        lambda: fees.sweep(moment),
        lambda: _move(requests.filter(state=State.CLARIFYING, answer_by__lte=moment), "no_answer"),
        lambda: _remind(moment, today),
        lambda: _fall_back(today),
        lambda: _interim(today),
        lambda: _note_choices(moment),
        lambda: _move(silent, "unanswered"),
        lambda: appeals.sweep(moment),
        lambda: purge.sweep(moment),
    ]
    return sum(in_part(part) for part in parts)


def in_part(part: Callable[[], int]) -> int:
    """Do one part of a sweep; its failure is logged and keeps no other part from its turn."""
    try:
        return part()
    except Exception as error:
        log.error("a part of the sweep failed", error=type(error).__name__)
        return 0


def each_locked(found: QuerySet[PrivacyRequest], work: Callable[[PrivacyRequest], bool]) -> int:
    """Do `work` on each locked request, in a transaction of its own; returns for how many it was done."""

    def locked(pk: int) -> bool:
        try:
            with transaction.atomic():
                return work(lock(pk))
        except Conflict:
            return False

    keys = list(found.order_by("pk").values_list("pk", flat=True)[:BATCH])
    return each(keys, locked, "a request could not be swept", failed=in_trouble)


def _move(found: QuerySet[PrivacyRequest], verb: str) -> int:
    def work(request: PrivacyRequest) -> bool:
        move(request.pk, verb, actor=SYSTEM, inside=Inside(request))
        return True

    return each_locked(found, work)


def _untold(notice: Notice, since: Any = None) -> Q:
    """Whom nobody has written this notice to (since a day), and whom a letter can reach."""
    told = Message.objects.filter(request=OuterRef("pk"), notice=notice)
    silent = Q(case__machine_mail=True, case__email_proven_at__isnull=True)
    nowhere = Q(case__email_sealed__isnull=True, case__contact_sealed__isnull=True, case__by_post=False)
    return ~Exists(told if since is None else told.filter(created_at__date__gte=since)) & ~silent & ~nowhere


def _fall_back(today: date) -> int:
    """On the internal target date a copy that nobody has proven surely enough becomes what the proof does reach, where the
    law knows that (11 CCR 7024(a)): better categories in time than "not proven". Not while something that was shown waits
    to be compared or looked at; a question that nobody has answered is nothing shown."""
    shown = IdentityCheck.objects.shown().filter(case=OuterRef("case"))
    due = PrivacyRequest.objects.filter(
        ~Exists(shown), state=State.REVIEW, right__in=COPY_RIGHTS, target_on__lte=today,
        case__email_proven_at__isnull=False, tier_needed__gt=F("case__proven_tier"),
    )  # fmt: skip

    def work(request: PrivacyRequest) -> bool:
        # Looked at again under the lock: what has come meanwhile is looked at first.
        if request.case.checks.shown().exists():
            return False
        return bool(decide.fall_back(request.pk, actor=SYSTEM))

    return each_locked(due, work)


def _interim(today: date) -> int:
    """On the internal target date what is unsettled gets an interim answer, and again on a later one after an extension:
    no legal date passes in silence (law 14)."""
    waiting = PrivacyRequest.objects.open().filter(_untold(Notice.INTERIM, OuterRef("target_on")), target_on__lte=today)

    def work(request: PrivacyRequest) -> bool:
        if request.is_ended or request.target_on is None or request.target_on > today:
            return False
        return outbox.queue(request, Notice.INTERIM, dedupe=f"interim:{request.pk}:{request.target_on}") is not None

    return each_locked(waiting, work)


def _note_choices(moment: datetime) -> int:
    """Acknowledge choices that a source keeps waiting: they hold, and that system is still to be told."""
    waiting = PrivacyRequest.objects.filter(
        _untold(Notice.CHOICE_NOTED), state__in=[State.LOCATING, State.FULFILLING], right__in=UNVERIFIED_RIGHTS,
        entered_at__lte=moment - SLOW_CHOICE,
    )  # fmt: skip

    def work(request: PrivacyRequest) -> bool:
        if request.is_ended:
            return False
        return outbox.queue(request, Notice.CHOICE_NOTED, dedupe=f"choice:{request.pk}") is not None

    return each_locked(waiting, work)


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
        done += each_locked(due, partial(_remind_one, number, moment))
    return done


def _remind_one(number: int, moment: datetime, request: PrivacyRequest) -> bool:
    if request.state != State.CONFIRMING or request.reminders != number:
        return False
    PrivacyRequest.objects.filter(pk=request.pk).update(reminders=number + 1, reminded_at=moment)
    key = f"remind:{request.pk}:{number}:{request.entered_at:%Y%m%d%H%M%S}"
    outbox.queue(request, Notice.CONFIRM_REMINDER, dedupe=key)
    return True
