"""What an approver does with the work: release it, narrow it, retry a step, switch sources and everything off."""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, bell
from dsar.enums import DecisionKind, Lane, Notice, State, StepReason, StepStatus
from dsar.fulfilment import finish, locating
from dsar.fulfilment import plan as plans
from dsar.law import codes
from dsar.models import Actor, House, PrivacyRequest, Source, Step
from dsar.notifications import outbox
from dsar.workflow import Because, Conflict, Forbidden, Inside, lock, move


class Invalid(Exception):
    """Cannot be done like this; the text says what to do."""


def release(pk: int, *, actor: Actor) -> PrivacyRequest:
    """Let the workers erase what was confirmed. The steps are queued in the same transaction."""
    with transaction.atomic():
        request = move(pk, "release", actor=actor, because=Because(DecisionKind.RELEASE))
        plan = request.plans.filter(frozen_at__isnull=False).order_by("-version").first()
        if plan is None:
            raise Conflict("no frozen plan")
        plan.request = request
        body = plan.body()
        finish.queue_steps(request, body)
        bell.ring(Lane.FULFIL)
    return request


def narrow(pk: int, keep: set[tuple[str, str]], code: str, text: str, *, actor: Actor) -> PrivacyRequest:
    """Keep some (source, category) pairs after all, for a lawful reason that is new; the person is told.

    A new frozen plan, never larger than the last. Narrowed to nothing it is a denial. Raises Invalid.
    """
    if not text.strip():
        raise Invalid(_("Please write the reason: the requester reads it."))
    with transaction.atomic():
        request = lock(pk)
        plan = request.plans.filter(frozen_at__isnull=False).order_by("-version").first()
        found = codes.valid(code, request.case.regime)
        if found is None:
            raise Invalid(_("This reason for keeping is not valid under this law."))
        if plan is None:
            raise Conflict("no frozen plan")
        plan.request = request
        body = plan.body()
        erasing = {(item["source"], item["category"]) for item in body["items"] if item["action"] in plans.ERASING}
        if not keep or not keep <= erasing:
            raise Invalid(_("Please choose at least one category that would be erased."))
        made = plans.narrowed(
            body, keep, code=code, citation=found.citation, review_on=timezone.localdate() + timedelta(days=180)
        )
        nothing_left = not plans.erases_anything(made)
        because = Because(DecisionKind.NARROW, found.code, found.citation, text.strip()[:8000])
        moved = move(pk, "narrow", actor=actor, because=because, nothing_left=nothing_left)
        locating.store(moved, made, frozen_at=timezone.now())
        if not nothing_left:
            decision = moved.decisions.filter(kind=DecisionKind.NARROW).order_by("-pk").first()
            outbox.queue(moved, Notice.NARROWED, decision=decision)
            _retry(moved.steps.filter(status=StepStatus.BLOCKED, reason__in=[StepReason.HOLD, StepReason.PLAN_CHANGED]))
            bell.ring(Lane.FULFIL)
    return moved


def _retry(steps: QuerySet[Step]) -> int:
    return steps.update(status=StepStatus.QUEUED, reason="", due_at=timezone.now(), retries=0, claims=0)


def retry(pk: int, *, actor: Actor) -> int:
    """Try a request's blocked or waiting steps again now; returns how many."""
    if not actor.is_handler:
        raise Forbidden("retry")
    with transaction.atomic():
        request = lock(pk)
        tried = _retry(request.steps.filter(status__in=[StepStatus.BLOCKED, StepStatus.QUEUED]).exclude(reason=""))
        PrivacyRequest.objects.filter(pk=pk, disputed_at__isnull=True).update(attention="")
        if request.state == State.LOCATING:
            PrivacyRequest.objects.filter(pk=pk).update(attention="")
        audit.record(request.case, audit.Entry("retried", actor, pk, details={"steps": tried}))
        bell.ring(Lane.CLOSE, Lane.FULFIL, Lane.LOCATE)
    return tried


def done_by_hand(pk: int, step_pk: int, *, actor: Actor) -> PrivacyRequest:
    """A person did what a source has no way to do; who and when stays in the audit trail."""
    if not actor.is_handler:
        raise Forbidden("done_by_hand")
    with transaction.atomic():
        request = lock(pk)
        ended = request.steps.filter(pk=step_pk, status=StepStatus.BLOCKED, reason=StepReason.NOT_SUPPORTED).update(
            status=StepStatus.DONE, reason="", finished_at=timezone.now()
        )
        if not ended:
            raise Invalid(_("This step is not waiting for a person."))
        step = Step.objects.get(pk=step_pk)
        audit.record(
            request.case, audit.Entry("done_by_hand", actor, pk, details={"source": step.source, "kind": step.kind})
        )
        finish.clear_attention(request)
        plan = request.plans.filter(frozen_at__isnull=False).order_by("-version").get()
        plan.request = request
        finish.settle_if_done(Inside(request), plan.body())
    return PrivacyRequest.objects.get(pk=pk)


def _may_switch(actor: Actor) -> None:
    if not (actor.is_approver or actor.is_admin):
        raise Forbidden("switch")


def kill_switch(on: bool, *, actor: Actor) -> None:
    """Stop (or resume) all erasing, before the next chunk of every step. Admins and approvers."""
    _may_switch(actor)
    with transaction.atomic():
        audit.record_house(audit.Entry("kill_switch_on" if on else "kill_switch_off", actor))
        House.objects.filter(pk=1).update(kill_switch=on)
        if not on:
            _retry(Step.objects.filter(reason=StepReason.KILL_SWITCH, status=StepStatus.QUEUED))
            PrivacyRequest.objects.filter(attention=StepReason.KILL_SWITCH).update(attention="")
            bell.ring(Lane.FULFIL)


def switch_source(key: str, on: bool, *, actor: Actor) -> None:
    """Switch one source off (its steps wait, by name) or on again. Admins and approvers."""
    _may_switch(actor)
    with transaction.atomic():
        Source.objects.update_or_create(key=key, defaults={"enabled": on})
        audit.record_house(audit.Entry("source_on" if on else "source_off", actor, details={"source": key}))
        if on:
            _retry(Step.objects.filter(source=key, reason=StepReason.SOURCE_OFF, status=StepStatus.QUEUED))
            PrivacyRequest.objects.filter(attention=StepReason.SOURCE_OFF).update(attention="")
            bell.ring(Lane.FULFIL)
