"""When data are restricted and when that ends: what the workers have to do for it (GDPR Art 18, 21(1))."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.utils import timezone

from dsar import audit, bell
from dsar.enums import (
    FINAL_STATES,
    DecisionKind,
    Lane,
    Outcome,
    RestrictionGround,
    Right,
    State,
    StepKind,
    StepReason,
    StepStatus,
)
from dsar.fulfilment import finish
from dsar.fulfilment import plan as plans
from dsar.law import articles
from dsar.models import SYSTEM, Actor, Message, Plan, PrivacyRequest, Restriction, Step
from dsar.models.once import once
from dsar.notices import MessageStatus, Notice
from dsar.notifications import outbox, restriction_letter, undelivered
from dsar.workflow import Because, Conflict, Forbidden, decide, each, in_trouble, lock

BATCH = 100
LIFT_POSITION = 10
BEGUN = (StepStatus.DONE, StepStatus.LEASED)
GRANTED = (Outcome.GRANTED, Outcome.GRANTED_IN_PART)
RESTRICTING = (Right.RESTRICTION, Right.OBJECTION)


def layout(request: PrivacyRequest, body: plans.Body) -> list[Step]:
    """A step for each source that holds something; what was restricted while an objection was weighed stays so."""
    there = set(request.steps.filter(kind=StepKind.RESTRICT).values_list("source", flat=True))
    _note(request)
    return [
        Step(request=request, source=key, kind=StepKind.RESTRICT)
        for key, found in body["sources"].items()
        if found["status"] != "none" and not found["rotation_days"] and key not in there
    ]


def _note(request: PrivacyRequest) -> None:
    decision = request.decisions.filter(kind=DecisionKind.APPROVE, code__in=RestrictionGround.values).last()
    ground = decision.code if decision else RestrictionGround.CONTESTED
    if request.right == Right.OBJECTION:
        ground = RestrictionGround.OBJECTION
    Restriction.objects.update_or_create(
        request=request,
        defaults={"ground": ground},
        create_defaults={"email_index": request.case.email_index, "ground": ground},
    )


def drain() -> int:
    """Restrict what an objection is about while it is weighed, and lift what ended otherwise; returns how many."""
    weighed = each(_to_weigh(), _weigh, "the use could not be stopped", failed=in_trouble)
    ended = each(_to_lift(), _end, "a restriction could not be ended", failed=in_trouble)
    return weighed + ended + each(_noticed(), _end_noticed, "a restriction could not be ended", failed=in_trouble)


def _to_weigh() -> list[int]:
    waiting = PrivacyRequest.objects.filter(
        right=Right.OBJECTION, state__in=[State.REVIEW, State.CLARIFYING], located_at__isnull=False,
        case__email_proven_at__isnull=False, restriction__isnull=True,
    )  # fmt: skip
    return list(waiting.order_by("pk").values_list("pk", flat=True)[:BATCH])


def _weigh(pk: int) -> bool:
    """Proven and in review: the use stops while it is weighed (GDPR Art 18(1)(d), 21(1))."""
    with transaction.atomic():
        request = lock(pk)
        plan = request.plans.newest()
        if request.state not in (State.REVIEW, State.CLARIFYING) or plan is None:
            return False
        Plan.objects.filter(pk=plan.pk, frozen_at__isnull=True).update(frozen_at=timezone.now())
        Step.objects.bulk_create(layout(request, plan.body()))
        audit.record(request.case, audit.Entry("restricted_while_weighed", SYSTEM, pk))
        bell.ring(Lane.FULFIL)
    return True


def _to_lift() -> list[int]:
    """What was restricted and ended without being granted, its letter being out (Art 18(3): before it is lifted): objections,
    and restrictions that were stopped in the middle ("this was not me"). Not what a deletion has overtaken: that is settled
    there."""
    told = Message.objects.filter(
        request=OuterRef("pk"), status=MessageStatus.SENT, notice__in=restriction_letter.ENDINGS
    )
    queued = Step.objects.filter(request=OuterRef("pk"), kind=StepKind.LIFT)
    ended = PrivacyRequest.objects.filter(
        right__in=RESTRICTING, state__in=FINAL_STATES, restriction__isnull=False, restriction__lifted_at__isnull=True
    ).exclude(Q(outcome__in=GRANTED) | Q(right=Right.RESTRICTION, outcome=Outcome.OVERTAKEN))
    return list(ended.filter(Exists(told), ~Exists(queued)).order_by("pk").values_list("pk", flat=True)[:BATCH])


def _end(pk: int) -> bool:
    with transaction.atomic():
        request = lock(pk)
        _queue_lifts(request, timezone.now())
        bell.ring(Lane.FULFIL)
    return True


def _noticed() -> list[int]:
    """Restrictions whose announced end has come: the notice runs from the day on which its letter really went."""
    letters = Message.objects.filter(request=OuterRef("pk"), notice=Notice.RESTRICTION_LIFTING).order_by("-pk")
    queued = Step.objects.filter(request=OuterRef("pk"), kind=StepKind.LIFT)
    waiting = PrivacyRequest.objects.filter(
        right=Right.RESTRICTION, restriction__lifts_at__isnull=False, restriction__lifted_at__isnull=True
    ).annotate(told_at=Subquery(letters.values("sent_at")[:1]))
    ended = waiting.filter(~Exists(queued), told_at__lte=timezone.now() - settings.RESTRICTION_NOTICE)
    return list(ended.order_by("pk").values_list("pk", flat=True)[:BATCH])


def _end_noticed(pk: int) -> bool:
    with transaction.atomic():
        request = lock(pk)
        if not Restriction.objects.in_force().filter(request=request, lifts_at__isnull=False).exists():
            return False
        _queue_lifts(request, timezone.now())
        bell.ring(Lane.FULFIL)
    return True


def _queue_lifts(request: PrivacyRequest, due_at: datetime) -> None:
    """A LIFT for every source that was, or may have been, marked. What was never begun is called off."""
    steps = request.steps.filter(kind=StepKind.RESTRICT)
    never = steps.filter(Q(token=0) | Q(reason=StepReason.NOT_SUPPORTED)).exclude(status__in=BEGUN)
    untouched = set(never.values_list("source", flat=True))
    _call_off(request)
    # One that a worker took this very moment is lifted after it.
    marked = steps.exclude(source__in=untouched) | steps.filter(status=StepStatus.LEASED)
    Step.objects.bulk_create(
        [
            Step(request=request, source=key, kind=StepKind.LIFT, position=LIFT_POSITION, due_at=due_at)
            for key in sorted(marked.values_list("source", flat=True))
        ],
        ignore_conflicts=True,
    )
    if not marked.exists():
        Restriction.objects.filter(request=request, lifted_at__isnull=True).update(lifted_at=due_at)


def _call_off(request: PrivacyRequest) -> None:
    """What was not marked yet need not be any more. No step is ever deleted (law 1): it ends, and the trail says how. One
    that a worker has right now stays: that worker sees that it is not wanted, or its mark is lifted after it."""
    waiting = request.steps.filter(kind=StepKind.RESTRICT).exclude(status__in=BEGUN)
    sources = sorted(waiting.values_list("source", flat=True))
    if sources:
        waiting.update(status=StepStatus.DONE, reason="", token=F("token") + 1, finished_at=timezone.now())
        audit.record(
            request.case, audit.Entry("restricting_called_off", SYSTEM, request.pk, details={"sources": sources})
        )
    finish.clear_attention(request)


def may_lift(request: PrivacyRequest) -> bool:
    """Whether a restriction that was granted is in force and nobody has announced its end. One that a deletion had overtaken
    is in force again where that deletion was founded to be a stranger's (decide.judge_dispute)."""
    held = _in_force(request) if request.outcome in (*GRANTED, Outcome.OVERTAKEN) else None
    return held is not None and held.lifts_at is None


def _in_force(request: PrivacyRequest) -> Restriction | None:
    if request.right != Right.RESTRICTION:
        return None
    return once(request, "restriction", Restriction.objects.in_force().filter(request=request).first)


def lift(pk: int, text: str, *, actor: Actor) -> None:
    """Tell the person that the restriction ends and when; RESTRICTION_NOTICE after that letter has gone, and not
    earlier, the workers lift it (Art 18(3)).

    Raises Forbidden (approvers alone), Conflict (not in force).
    """
    if not actor.is_approver:
        raise Forbidden("lift")
    with transaction.atomic():
        request = lock(pk)
        if not may_lift(request):
            raise Conflict("lift")
        Restriction.objects.filter(request=request).update(lifts_at=timezone.now() + settings.RESTRICTION_NOTICE)
        decision = decide(request, actor, Because(DecisionKind.LIFT, citation=_end_article(request), text=text))
        outbox.queue(request, Notice.RESTRICTION_LIFTING, decision=decision)
        audit.record(request.case, audit.Entry("lift_announced", actor, pk))


def _end_article(request: PrivacyRequest) -> str:
    return articles.of(articles.RESTRICTION_END, request.case.law)


def may_keep(request: PrivacyRequest) -> bool:
    """Whether the end of a restriction is announced and has not come."""
    held = _in_force(request)
    begun = any(one.kind == StepKind.LIFT for one in request.steps.all())
    return held is not None and held.lifts_at is not None and not begun


def keep(pk: int, text: str, *, actor: Actor) -> None:
    """Keep a restriction whose end was announced, since the person does not agree or the reason is gone; they are told.
    A letter about its end that has not gone out yet is not sent.

    Raises Forbidden (approvers alone), Conflict (nothing announced, or its end has come).
    """
    if not actor.is_approver:
        raise Forbidden("keep")
    with transaction.atomic():
        request = lock(pk)
        if not may_keep(request):
            raise Conflict("keep")
        Restriction.objects.filter(request=request).update(lifts_at=None)
        decision = decide(request, actor, Because(DecisionKind.KEEP, citation=_end_article(request), text=text))
        undelivered.call_off(request, Notice.RESTRICTION_LIFTING)
        outbox.queue(request, Notice.RESTRICTION_KEPT, decision=decision)
        audit.record(request.case, audit.Entry("restriction_kept", actor, pk))
