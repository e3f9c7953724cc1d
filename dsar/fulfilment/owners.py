"""Data owners: what no machine reaches becomes a colleague's task, with a day, reminders, and an end.

A step that blocks because its source has no way to do it is found here (drain) however it came to be so: nothing
depends on the worker that blocked it. The clock (owner_clock.py) reminds, escalates and clears away.
"""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit
from dsar.datamap import loader
from dsar.datamap.schema import SourceMap, address_in
from dsar.enums import WITH_OWNERS, CheckKind, OwnerTaskStatus, StepKind, StepReason, StepStatus
from dsar.fulfilment import finish, lookout, remains
from dsar.models import OWNER, SYSTEM, Actor, IdentityCheck, Message, OwnerTask, PrivacyRequest, Step
from dsar.models.apart import is_apart
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.workflow import Conflict, Forbidden, Invalid, each, lock

BATCH = 100
DESTRUCTIVE = (StepKind.SETTLE, StepKind.ERASE)
# Nobody need do any more what a request asked for that has ended; what comes after the end is another thing.
WANTED = Q(request__ended_at__isnull=True) | Q(kind__in=finish.STILL_OWED)
ANSWERS = (OwnerTaskStatus.DONE, OwnerTaskStatus.NOTHING_FOUND, OwnerTaskStatus.EXCEPTION)


def _described() -> dict[str, SourceMap]:
    return {key: source for key, source in loader.current().sources.items() if source.owner_address}


def drain() -> int:
    """Ask the owners of what blocked for want of a machine; returns how many were asked. Repeatable."""
    waiting = Step.objects.filter(
        status=StepStatus.BLOCKED, reason=StepReason.NOT_SUPPORTED, source__in=list(_described()),
        due_at__lte=timezone.now() + settings.RETRY_AFTER,
        # A purged case has no key for an owner's answer: what is left there is for the desk's own hands.
        request__case__purged_at__isnull=True,
    ).filter(WANTED)  # fmt: skip
    requests = dict(waiting.order_by("due_at", "pk").values_list("pk", "request_id")[:BATCH])
    # What fails stays blocked, in the queue, by its name.
    return each(requests, lambda pk: ask(requests[pk], pk), "a data owner could not be asked", failed=_later)


def _later(step_pk: int) -> None:
    Step.objects.filter(pk=step_pk, reason=StepReason.NOT_SUPPORTED).update(
        due_at=timezone.now() + 2 * settings.RETRY_AFTER
    )


def ask(request_pk: int, step_pk: int) -> bool:
    """Make the task of one blocked step and mail its owner, in one transaction. False where it is not to be asked (now).

    What destroys is asked only where a worker would be let (law 5): kill switch, holds, disputes and plan are looked at.
    """
    with transaction.atomic():
        request = lock(request_pk)
        step = request.steps.filter(
            pk=step_pk, status=StepStatus.BLOCKED, reason=StepReason.NOT_SUPPORTED
        ).first()  # fmt: skip
        source = _described().get(step.source) if step else None
        if step is None or source is None:
            return False
        step.request = request
        if is_over(step):
            return False
        if stopped(step):
            _later(step.pk)
            return False
        now = timezone.now()
        asked = owner_of(source, request)
        if not asked:
            # Nobody looks up their own data, or those of somebody close to them: it stays with the desk.
            _later(step.pk)
            return False
        task = _make(step, asked, day_for(request), now)
        Step.objects.filter(pk=step.pk).update(reason=StepReason.WITH_OWNER)
        finish.clear_attention(request)
        audit.record(request.case, entry_of("owner_asked", SYSTEM, task))
        mails_of_today = Message.objects.filter(
            notice=Notice.OWNER_TASK, to_index=task.owner_index, created_at__gt=now - timedelta(days=1)
        )
        if task.due_on <= timezone.localdate(now) + timedelta(days=1) or not mails_of_today.exists():
            _mail(task, now)
    return True


def owner_of(source: SourceMap | None, request: PrivacyRequest) -> str:
    """Whoever looks after a source, else who stands in for them, but for who is kept apart from the person; empty for
    nobody."""
    owners = (source.owner_address, source.backup_address) if source else ()
    return next((one for one in owners if one and not is_apart(request.case, one)), "")


def is_over(step: Step) -> bool:
    return step.request.is_ended and step.kind not in finish.STILL_OWED


def stopped(step: Step) -> StepReason | None:
    """Why what destroys must not be done now; None where it may be, and for work that destroys nothing."""
    if step.kind == StepKind.LATER:
        return _kept_back(step)
    if step.kind not in DESTRUCTIVE:
        return None
    plan = step.request.plans.frozen().newest()
    if plan is None:
        return StepReason.PLAN_CHANGED
    try:
        lookout.look(step.request, plan, plan.body(), step.source)
    except lookout.Stop as stop:
        return stop.reason
    return None


def _kept_back(step: Step) -> StepReason | None:
    try:
        remains.look(step.request_id, step.source)
    except lookout.Stop as stop:
        return stop.reason
    return StepReason.HOLD if remains.holds_on(step.request, step.source, set()) else None


def day_for(request: PrivacyRequest) -> date:
    """By when: OWNER_DAYS from now, or OWNER_MARGIN_DAYS before our own target where that is earlier; never in the past."""
    today = timezone.localdate()
    day = today + timedelta(days=settings.OWNER_DAYS)
    if request.target_on and not request.is_ended:
        day = min(day, request.target_on - timedelta(days=settings.OWNER_MARGIN_DAYS))
    return max(day, today)


def _make(step: Step, address: str, due_on: date, now: datetime, escalated_at: datetime | None = None) -> OwnerTask:
    task = OwnerTask(step=step, due_on=due_on, created_at=now, escalated_at=escalated_at)
    task.give_to(address)
    task.save(force_insert=True)
    outbox.make_check(step.request.case, CheckKind.OWNER_LINK, now, task)
    return task


def _mail(task: OwnerTask, now: datetime) -> None:
    """The mail about one task, with its link: the one that stands, or a new one where that is too old."""
    request = task.step.request
    link = link_of(task, now)
    outbox.queue_for_case(request.case, Notice.OWNER_TASK, request=request, to=task.owner, check=link)
    OwnerTask.objects.filter(pk=task.pk).update(mailed_at=now)


def link_of(task: OwnerTask, now: datetime) -> IdentityCheck:
    link = task.newest(CheckKind.OWNER_LINK)
    if link is None or not link.is_open(now):
        link = outbox.make_check(task.step.request.case, CheckKind.OWNER_LINK, now, task)
    return link


def entry_of(what: str, actor: Actor, task: OwnerTask) -> audit.Entry:
    # Neither the owner's address nor the person's: the trail outlives both.
    details = {"source": task.step.source, "kind": task.step.kind, "task": task.pk}
    return audit.Entry(what, actor, task.step.request_id, details=details)


def held(pk: int) -> tuple[PrivacyRequest, OwnerTask]:
    """Lock the request of a task (the order of the house) and read the task afresh. Raises OwnerTask.DoesNotExist."""
    request_pk = OwnerTask.objects.values_list("step__request_id", flat=True).get(pk=pk)
    request = lock(request_pk)
    task = OwnerTask.objects.select_related("step").get(pk=pk)
    task.step.request = request
    return request, task


def answer(
    pk: int,
    status: OwnerTaskStatus,
    *,
    note: str = "",
    file: bytes = b"",
    file_name: str = "",
    actor: Actor = OWNER,
) -> None:
    """End a task as its owner says. Done and nothing found end the step; an exception brings it back to the desk, where
    an approver decides. Of fifty at once one counts.

    Harmless where the step has ended by other means. Raises Conflict (it has ended, or its owner is kept apart from the
    person), Invalid (an exception without a note, a file above FILE_BYTES).
    """
    note = note.strip()[:4000]
    if status not in ANSWERS:
        raise ValueError("status")
    if status == OwnerTaskStatus.EXCEPTION and not note:
        raise Invalid(_("Please write why it cannot be done: an approver reads it and decides."))
    if status == OwnerTaskStatus.DONE and not file and _is_copy(pk):
        raise Invalid(_("Please attach the copy: it goes to the person with the rest."))
    if len(file) > settings.FILE_BYTES:
        raise Invalid(_("This file is too large. Please send it in a smaller form."))
    now = timezone.now()
    with transaction.atomic():
        request, task = held(pk)
        _must_be_theirs(task)
        case = request.case
        changed = OwnerTask.objects.filter(pk=pk, status=OwnerTaskStatus.OPEN).update(
            status=status, answered_at=now, note_sealed=case.seal(note, "owner-note"), file_size=len(file),
            file_sealed=case.seal(file, "owner-file"), file_name_sealed=case.seal(file_name[-200:], "owner-file-name"),
        )  # fmt: skip
        if not changed:
            raise Conflict("the task has ended")
        entry = entry_of(f"owner_{status}", actor, task)
        if status == OwnerTaskStatus.EXCEPTION:
            back = request.steps.filter(pk=task.step_id, status=StepStatus.BLOCKED, reason__in=WITH_OWNERS)
            if back.update(reason=StepReason.OWNER_EXCEPTION):
                PrivacyRequest.objects.filter(pk=request.pk).update(attention=StepReason.OWNER_EXCEPTION)
            audit.record(case, entry)
        elif not finish.end_by_hand(request, task.step_id, entry, found=status == OwnerTaskStatus.DONE):
            audit.record(case, entry)


def _must_be_theirs(task: OwnerTask) -> None:
    """Raise Conflict where the owner was named as close to the person since: the next sweep takes the task away."""
    if is_apart(task.step.request.case, task.owner):
        raise Conflict("the owner is kept apart")


def _is_copy(pk: int) -> bool:
    return OwnerTask.objects.filter(pk=pk, step__kind=StepKind.EXPORT).exists()


def hand_over(pk: int, address: str, *, actor: Actor = OWNER) -> OwnerTask:
    """Give a task to a colleague: it ends, and theirs begins with a link of its own and the same day.

    Raises Conflict (it has ended), Invalid (no address, a foreign domain, the same person), Forbidden (a role that may not).
    """
    if actor.user_id is not None and not actor.is_handler:
        raise Forbidden("hand_over")
    found = address_in(address)
    if not found:
        raise Invalid(_("Please enter a whole e-mail address, such as name@example.com."))
    if found.rpartition("@")[2] not in settings.OWNER_DOMAINS:
        raise Invalid(_("This must be a colleague's work address."))
    with transaction.atomic():
        request, task = held(pk)
        if found == task.owner:
            raise Invalid(_("This is the address that has the task now."))
        if is_apart(request.case, found):
            raise Invalid(_("That colleague handles nothing of this person. Please choose another one."))
        return pass_on(task, found, actor, timezone.now())


def pass_on(task: OwnerTask, address: str, actor: Actor, now: datetime) -> OwnerTask:
    """In the caller's transaction, which holds the request. Raises Conflict."""
    ended = OwnerTask.objects.filter(pk=task.pk, status=OwnerTaskStatus.OPEN).update(
        status=OwnerTaskStatus.HANDED_OVER, answered_at=now
    )
    if not ended:
        raise Conflict("the task has ended")
    made = _make(task.step, address, task.due_on, now, task.escalated_at)
    audit.record(task.step.request.case, entry_of("owner_handed_over", actor, made))
    _mail(made, now)
    return made


def open_file(pk: int, *, actor: Actor) -> OwnerTask:
    """The task whose owner sent a file, for a handler who opens it; who did stands in the trail, once a day.

    Raises OwnerTask.DoesNotExist, Conflict (there is no file, or not any more), Forbidden.
    """
    if not actor.is_handler:
        raise Forbidden("open_file")
    with transaction.atomic():
        request, task = held(pk)
        if not task.file_size or request.case.purged_at:
            raise Conflict("no file")
        audit.note_opening(request.case, "owner_file_opened", actor, request.pk, task.pk)
    return task


def resend(pk: int, *, actor: Actor = OWNER) -> bool:
    """Mail the link of an open task again, to its owner and nobody else. False beyond
    LINK_MAILS_PER_DAY for this task. Raises Conflict."""
    if actor.user_id is not None and not actor.is_handler:
        raise Forbidden("resend")
    now = timezone.now()
    with transaction.atomic():
        request, task = held(pk)
        if not task.is_open:
            raise Conflict("the task has ended")
        _must_be_theirs(task)
        # A limit of its own: whoever holds an old link that was passed on shuts nobody out of the code.
        mails = Message.objects.filter(
            check_ref__task=task, notice=Notice.OWNER_TASK, created_at__gt=now - timedelta(days=1)
        )  # fmt: skip
        if mails.count() >= settings.LINK_MAILS_PER_DAY:
            return False
        _mail(task, now)
        audit.record(request.case, entry_of("owner_link_sent", actor, task))
    return True


def send_code(pk: int) -> bool:
    """Mail a one-time code for the page of a task to its owner. False over the daily limit. Raises Conflict."""
    now = timezone.now()
    with transaction.atomic():
        request, task = held(pk)
        if not task.is_open:
            raise Conflict("the task has ended")
        _must_be_theirs(task)
        if not outbox.within_limit(task.owner_index, now, (Notice.OWNER_CODE,), settings.OWNER_CODES_PER_DAY):
            return False
        code = outbox.make_check(request.case, CheckKind.OWNER_CODE, now, task)
        outbox.queue_for_case(request.case, Notice.OWNER_CODE, request=request, to=task.owner, check=code)
    return True
