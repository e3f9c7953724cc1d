"""What the clock raises: acknowledgements that never left, extensions whose notice did not leave in time, legal dates that
are near or have passed, answers that are written and have not left, and one mail a day to each colleague with something due.

All of it is read off the rows, again and again: nothing is missed because a process was down.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Role, User
from dsar import audit, clock_events, deadlines, records
from dsar.enums import ClockEventKind, LawChangeStatus, Raised, State
from dsar.law import regimes
from dsar.models import SYSTEM, ClockEvent, Message, PrivacyRequest
from dsar.models.law_days import TODAY, by_law
from dsar.notices import ANSWERS, TO_OTHERS, MessageStatus, Notice
from dsar.notifications import outbox, staff_letter, undelivered
from dsar.review.clock import each_locked, in_part
from dsar.workflow import each, in_trouble, lock

BATCH = 200
MOST = 25 * BATCH
DAY: Final = timedelta(days=1)
# So long an answer may take to leave before anybody is troubled: a mail is out within seconds.
LEAVES: Final = timedelta(hours=1)


def sweep(now: datetime | None = None) -> int:
    """Raise what is due, take back what is settled, and send the mails of the day. Returns how many were touched."""
    moment = now or timezone.now()
    parts: list[Callable[[], int]] = [
        _find_letters,
        _find_answers,
        lambda: _void(moment),
        lambda: _raise(moment),
        lambda: _settle(moment),
        lambda: _digests(moment),
    ]
    return sum(in_part(part) for part in parts)


def reason(request: PrivacyRequest, now: datetime) -> str:
    """What the clock says of an open request on a moment's day in its law's zone: an extension that was void, a date that
    has passed or is near, an acknowledgement that is still owed; of one that has ended that its answer is still here. Empty
    where nothing is."""
    if request.is_ended:
        return _of_an_answer(request, now)
    if request.raised == Raised.EXTENSION_VOID:
        return Raised.EXTENSION_VOID
    today = clock_events.today(request, now)
    legal = request.legal_date
    if legal is not None and legal - settings.ESCALATE_BEFORE <= today:
        return Raised.OVERDUE if legal < today else Raised.DUE_SOON
    if request.case.law_changes.filter(status=LawChangeStatus.ASKED).exists():
        return Raised.LAW_ASKED
    return Raised.ACK_MISSING if _is_unacknowledged(request, today) else ""


def _of_an_answer(request: PrivacyRequest, now: datetime) -> str:
    """What is decided and not said is not answered: a letter that nobody has posted, a mail that does not go out."""
    # Also where the law waited for something as it ended: a letter that lies here reaches nobody.
    legal = request.due_on
    if request.answered_on is not None or legal is None or request.case.purged_at is not None:
        return ""
    near = legal - settings.ESCALATE_BEFORE <= clock_events.today(request, now)
    return Raised.ANSWER_HERE if near and request.ended_at is not None and request.ended_at <= now - LEAVES else ""


def _is_unacknowledged(request: PrivacyRequest, today: date) -> bool:
    """Whether the law wants an acknowledgement within the next days, or wanted one, and no letter has left."""
    if request.case.machine_mail and not request.case.is_proven:
        return False
    due = deadlines.of_kind(request.case.law, request.right, "acknowledgement", request.received_at)
    if due is None or due.working_on - settings.REMIND_BEFORE > today:
        return False
    return clock_events.acknowledged_on(request) is None


def _find_letters() -> int:
    """Letters that have left and that the clock was not told of: whoever sent them died in between."""
    told = ClockEvent.objects.filter(message=OuterRef("pk"))
    asking = Q(notice=Notice.ASK, request__state=State.CLARIFYING, sent_at__gte=F("request__entered_at"))
    longer = Q(notice=Notice.EXTENDED, request__ended_at__isnull=True, sent_at__gte=F("request__extended_at"))
    found = Message.objects.filter(asking | longer, ~Exists(told), status=MessageStatus.SENT)
    keys = list(found.order_by("pk").values_list("pk", flat=True)[:BATCH])
    return each(keys, _find_letter, "a letter could not be told to the clock")


def _find_letter(pk: int) -> bool:
    with transaction.atomic():
        message = Message.objects.select_related("decision").get(pk=pk)
        request = lock(message.request_id or 0)
        return clock_events.sent(request, message, clock_events.today(request, message.sent_at)) is not None


def _find_answers() -> int:
    """Answers that have left and whose day was not noted: whoever sent them died in between, or could not write."""
    left = Message.objects.filter(request=OuterRef("pk"), notice__in=ANSWERS, status=MessageStatus.SENT)
    found = PrivacyRequest.objects.answers_here().filter(Exists(left)).order_by("pk").values_list("pk", flat=True)
    return each(list(found[:BATCH]), _find_answer, "the day of an answer could not be noted")


def _find_answer(pk: int) -> bool:
    with transaction.atomic():
        request = lock(pk)
        left = request.messages.filter(notice__in=ANSWERS, status=MessageStatus.SENT, sent_at__isnull=False)
        first = left.order_by("sent_at").values_list("sent_at", flat=True).first()
        return first is not None and records.answer_left(request, first)


def _void(now: datetime) -> int:
    """Extensions whose first date has passed while their notice was still here; and those whose notice came after the date
    that is the first by now, since another law applies."""
    told = ClockEvent.objects.filter(
        request=OuterRef("pk"), kind=ClockEventKind.EXTENSION_NOTICE_SENT, noted_at__gte=OuterRef("extended_at")
    )
    untold = ~Exists(told) & by_law(now, "case__regime", original_due_on__lt=TODAY)
    late = Exists(told.filter(on__gt=OuterRef("original_due_on")))
    found = PrivacyRequest.objects.open().filter(untold | late, extended_at__isnull=False, paused_reason="")

    def work(request: PrivacyRequest) -> bool:
        notice_on = clock_events.announced_on(request) or clock_events.today(request, now)
        if request.is_ended or not clock_events.is_void(request, notice_on):
            return False
        clock_events.void(request)
        # What it says is not true any more.
        undelivered.call_off(request, Notice.EXTENDED)
        return True

    return each_locked(found, work)


def _raise(now: datetime) -> int:
    """Open requests whose legal date is near or has passed, and those that nobody has acknowledged."""
    not_yet = Q(raised__in=["", Raised.ACK_MISSING, Raised.LAW_ASKED])
    passed = Q(raised=Raised.DUE_SOON) & by_law(now, "case__regime", due_on__lt=TODAY)
    near = by_law(now, "case__regime", due_on__lte=settings.ESCALATE_BEFORE) & (not_yet | passed) & Q(paused_reason="")
    letters = Message.objects.filter(
        case=OuterRef("case"), status=MessageStatus.SENT, sent_at__gte=OuterRef("received_at")
    ).exclude(notice__in=TO_OTHERS)
    acknowledging = [
        regime for regime in regimes.all_ids()
        if any(clock.kind == "acknowledgement" for clock in regimes.load(regime).clocks)
    ]  # fmt: skip
    silent = Q(case__machine_mail=True, case__email_proven_at__isnull=True)
    waiting = Q(~Exists(letters), ~silent, raised="", received_at__lte=now - DAY)
    found = PrivacyRequest.objects.filter(ended_at__isnull=True)
    here = PrivacyRequest.objects.answers_here().filter(
        by_law(now, "case__regime", due_on__lte=settings.ESCALATE_BEFORE),
        raised="", ended_at__lte=now - LEAVES, case__purged_at__isnull=True,
    )  # fmt: skip
    # Law by law: within one, what came first is due first.
    return sum(_look_at(one, now) for one in (found.filter(near), here)) + sum(
        _look_at(found.filter(waiting, case__regime=law), now, "received_at") for law in acknowledging
    )


def _settle(now: datetime) -> int:
    """What was raised and holds no longer: the date has moved, or a letter has left."""
    moved = Q(raised__in=[Raised.DUE_SOON, Raised.OVERDUE]) & (
        ~Q(paused_reason="")
        | by_law(now, "case__regime", due_on__gt=settings.ESCALATE_BEFORE)
        | (Q(raised=Raised.OVERDUE) & by_law(now, "case__regime", due_on__gte=TODAY))
    )
    answered = Q(raised__in=[Raised.ACK_MISSING, Raised.LAW_ASKED])
    found = PrivacyRequest.objects.filter(ended_at__isnull=True)
    return sum(_look_at(found.filter(one), now) for one in (moved, answered))


def _look_at(found: QuerySet[PrivacyRequest], now: datetime, order: str = "due_on") -> int:
    """Say of each what holds now, the soonest first, page after page until none is left (or MOST were looked at: the next
    sweep goes on with them). Only what changes is locked."""
    keys = list(found.order_by(order, "pk").values_list("pk", flat=True)[:MOST])
    done = 0
    for start in range(0, len(keys), BATCH):
        page = keys[start : start + BATCH]
        rows = PrivacyRequest.objects.select_related("case").in_bulk(page)
        still = [pk for pk in page if pk in rows]
        done += each(still, partial(_look, rows, now), "a date could not be raised", failed=in_trouble)
    return done


def _look(rows: Mapping[int, PrivacyRequest], now: datetime, pk: int) -> bool:
    if reason(rows[pk], now) == rows[pk].raised:
        return False
    with transaction.atomic():
        return _say(lock(pk), now)


def _say(request: PrivacyRequest, now: datetime) -> bool:
    found = reason(request, now)
    if found == request.raised:
        return False
    PrivacyRequest.objects.filter(pk=request.pk).update(raised=found)
    if found:
        audit.record(request.case, audit.Entry("raised", SYSTEM, request.pk, details={"raised": found}))
    return True


# --- the mail of the day ----------------------------------------------------------------------------------------------


def _digests(now: datetime) -> int:
    """One mail a day to each handler and approver with something due: their own, and for approvers what nobody has taken
    and what the clock has raised."""
    local = timezone.localtime(now)
    if local.hour < settings.STAFF_DIGEST_HOUR:
        return 0
    today = local.date()
    staff = User.objects.filter(role__in=[Role.HANDLER, Role.APPROVER], is_active=True)
    had = Message.objects.filter(notice=Notice.STAFF_DIGEST, author=OuterRef("pk"), dedupe__endswith=f":{today}")
    found = staff.exclude(Exists(had)).order_by("pk").values_list("pk", flat=True)
    return each(list(found), lambda pk: _digest(pk, today), "a digest could not be queued")


def _digest(user_pk: int, today: date) -> bool:
    user = User.objects.get(pk=user_pk)
    first = staff_letter.reminded_of(user, today).select_related("case").first()
    if first is None:
        appeal = staff_letter.appeals_of(user, today).select_related("request__case").first()
        first = appeal.request if appeal else None
    if first is None:
        return False
    with transaction.atomic():
        # It hangs on the case of one of them, and names no person of any.
        made = outbox.queue_for_case(
            first.case, Notice.STAFF_DIGEST, to=user.email, author_id=user.pk, dedupe=f"digest:{user.pk}:{today}"
        )
    return made is not None
