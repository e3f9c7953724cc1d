"""What the clock does with the tasks of data owners: it reminds, raises what is late, takes away what somebody must not have,
and clears away."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from dsar import audit
from dsar.datamap import loader
from dsar.enums import WITH_OWNERS, OwnerTaskStatus, StepReason, StepStatus
from dsar.fulfilment import finish, owners
from dsar.models import SYSTEM, Message, OwnerTask, PrivacyRequest
from dsar.models.apart import apart_from_address, is_apart
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.workflow import each, in_trouble

BATCH = 100
REMIND_BEFORE = 2


def sweep(now: datetime | None = None) -> int:
    """Raise what is due: tasks that nobody needs any more, those of an owner who is kept apart from the person since,
    overdue ones, and once a day the mail of each owner."""
    moment = now or timezone.now()
    return _clear_away(moment) + _take_away(moment) + _escalate(moment) + _digests(moment)


def _clear_away(now: datetime) -> int:
    """A task whose step or request has ended by other means is no longer needed."""
    ended = Q(step__request__ended_at__isnull=False) & ~Q(step__kind__in=finish.STILL_OWED)
    gone = Q(step__status=StepStatus.DONE) | ended
    found = list(OwnerTask.objects.open().filter(gone).order_by("pk").values_list("pk", flat=True)[:BATCH])
    return OwnerTask.objects.open().filter(pk__in=found).update(status=OwnerTaskStatus.NOT_NEEDED, answered_at=now)


def _take_away(now: datetime) -> int:
    """Somebody was named as close to the person after they had got the task: whoever stands in for them has it now, or the
    desk."""
    known = OwnerTask.objects.open().exclude(owner="").order_by().values_list("owner", flat=True).distinct()
    found: list[int] = []
    for owner in known:
        if cases := apart_from_address(owner):
            theirs = OwnerTask.objects.open().filter(owner=owner, step__request__case__in=cases)
            found += theirs.order_by("pk").values_list("pk", flat=True)[:BATCH]
    return each(found, lambda pk: _take_one_away(pk, now), "a task could not be taken away", failed=_in_trouble)


def _take_one_away(pk: int, now: datetime) -> bool:
    with transaction.atomic():
        request, task = owners.held(pk)
        if not task.is_open or not is_apart(request.case, task.owner):
            return False
        instead = owners.owner_of(loader.current().sources.get(task.step.source), request)
        if instead:
            owners.pass_on(task, instead, SYSTEM, now)
            return True
        OwnerTask.objects.filter(pk=pk).update(status=OwnerTaskStatus.NOT_NEEDED, answered_at=now)
        back = request.steps.filter(pk=task.step_id, status=StepStatus.BLOCKED, reason__in=WITH_OWNERS)
        if back.update(reason=StepReason.NOT_SUPPORTED):
            PrivacyRequest.objects.filter(pk=request.pk).update(attention=StepReason.NOT_SUPPORTED)
        audit.record(request.case, owners.entry_of("owner_kept_apart", SYSTEM, task))
    return True


def _escalate(now: datetime) -> int:
    """Overdue: the request comes into the queue by name, and whoever stands in for the owner gets the task."""
    late = OwnerTask.objects.late(timezone.localdate(now)).filter(escalated_at__isnull=True)
    found = list(late.order_by("due_on", "pk").values_list("pk", flat=True)[:BATCH])
    return each(found, lambda pk: _escalate_one(pk, now), "an overdue task could not be raised", failed=_in_trouble)


def _escalate_one(pk: int, now: datetime) -> bool:
    with transaction.atomic():
        request, task = owners.held(pk)
        if not task.is_open or task.escalated_at or owners.is_over(task.step):
            return False
        task.escalated_at = now
        task.save(update_fields=["escalated_at"])
        marked = request.steps.filter(pk=task.step_id, status=StepStatus.BLOCKED, reason=StepReason.WITH_OWNER)
        if marked.update(reason=StepReason.OWNER_LATE):
            PrivacyRequest.objects.filter(pk=request.pk).update(attention=StepReason.OWNER_LATE)
        audit.record(request.case, owners.entry_of("owner_late", SYSTEM, task))
        source = loader.current().sources.get(task.step.source)
        backup = source.backup_address if source else ""
        if backup and backup != task.owner and not is_apart(request.case, backup):
            owners.pass_on(task, backup, SYSTEM, now)
    return True


def _in_trouble(task_pk: int) -> None:
    in_trouble(OwnerTask.objects.values_list("step__request_id", flat=True).get(pk=task_pk))


def stage(task: OwnerTask, today: date) -> int:
    """How many reminders are due by a day: one two days before, one on the day, one for each day after it."""
    left = (task.due_on - today).days
    return 0 if left > REMIND_BEFORE else 1 if left > 0 else 2 - left


def _digests(now: datetime) -> int:
    """One mail a day to each owner with something new to say, over everything that is open there."""
    local = timezone.localtime(now)
    morning, today = local.replace(hour=settings.OWNER_DIGEST_HOUR, minute=0, second=0, microsecond=0), local.date()
    if local < morning:
        return 0
    soon = today + timedelta(days=REMIND_BEFORE)
    # What _has_news says, in SQL: whoever has nothing new must not stand before those who have.
    news = Q(mailed_at__isnull=True) | Q(due_on__lte=today) | Q(due_on__lte=soon, reminders=0)
    had = Message.objects.filter(notice=Notice.OWNER_DIGEST, created_at__gte=morning).values("to_index")
    due = OwnerTask.objects.open().filter(news, created_at__lt=morning).exclude(owner_index__in=had)
    # By the first task of each: an index of an address is nothing for a log.
    found = due.order_by().values("owner_index").annotate(first=Min("pk")).values_list("first", flat=True)
    return each(sorted(found), lambda pk: _digest(pk, now, today), "a digest could not be queued", failed=_in_trouble)


def _has_news(task: OwnerTask, today: date) -> bool:
    return task.mailed_at is None or stage(task, today) > task.reminders


def _digest(task_pk: int, now: datetime, today: date) -> bool:
    """The mail of one owner, known by a task. No row of a task is locked before the cases are (law 2: an answer locks its
    case, then its task); of two sweeps at once the one that comes second to the tasks undoes what it queued."""
    with transaction.atomic():
        owner = OwnerTask.objects.filter(pk=task_pk).values("owner_index")
        open_tasks = OwnerTask.objects.open().filter(owner_index__in=owner).select_related("step__request__case")
        tasks = list(open_tasks.order_by("due_on", "pk"))
        if not any(_has_news(task, today) for task in tasks):
            return False
        for task in tasks:
            owners.link_of(task, now)
        # It hangs on the case of one of them, and names no person of any.
        outbox.queue_for_case(tasks[0].step.request.case, Notice.OWNER_DIGEST, to=tasks[0].owner)
        noted = sum(
            OwnerTask.objects.filter(pk=task.pk, reminders=task.reminders, mailed_at=task.mailed_at).update(
                reminders=max(task.reminders, stage(task, today)), mailed_at=task.mailed_at or now
            )
            for task in tasks
        )
        if not noted:
            transaction.set_rollback(True)
    return bool(noted)
