"""Laying out the work of an approved request: its plan is frozen and its steps are queued, by the right it is.

A deletion's work is laid out by its release (control.py).
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from dsar import audit, bell
from dsar.datamap import loader
from dsar.enums import COPY_RIGHTS, UNVERIFIED_RIGHTS, DecisionKind, Lane, Right, State, StepKind, StepStatus
from dsar.fulfilment import corrected, finish, restricting
from dsar.fulfilment import plan as plans
from dsar.models import SYSTEM, Choice, Decision, Plan, PrivacyRequest, Step
from dsar.workflow import Inside, each, in_trouble, lock

BATCH = 100
Layout = Callable[[PrivacyRequest, plans.Body], list[Step]]


def drain() -> int:
    """Lay out what was approved; returns how many. One person's trouble keeps nobody else waiting."""
    approved = PrivacyRequest.objects.to_begin().order_by("due_on", "pk").values_list("pk", flat=True)[:BATCH]
    begun = each(list(approved), begin, "the work could not be laid out", failed=in_trouble)
    return restricting.drain() + begun + each(_undisputed(), settle, "it could not be settled", failed=in_trouble)


def _undisputed() -> list[int]:
    """Disputes found unfounded after the last step had ended: nothing else would settle them."""
    left = Step.objects.filter(request=OuterRef("request")).exclude(kind__in=finish.AFTER_THE_END)
    found = Decision.objects.filter(
        ~Exists(left.exclude(status=StepStatus.DONE)),
        kind=DecisionKind.DISPUTE_UNFOUNDED, request__state=State.FULFILLING, request__disputed_at__isnull=True,
    )  # fmt: skip
    return sorted(set(found.values_list("request_id", flat=True)[:BATCH]))


def settle(pk: int) -> bool:
    """Complete a request whose every step has ended. False where somebody else was faster."""
    with transaction.atomic():
        request = lock(pk)
        plan = request.plans.frozen().newest()
        return plan is not None and finish.settle_if_done(Inside(request), plan.body())


def begin(pk: int) -> bool:
    """Freeze the newest plan and queue the steps, in one transaction. What has none is settled at once."""
    now = timezone.now()
    with transaction.atomic():
        request = lock(pk)
        if request.state != State.FULFILLING or request.begun_at is not None:
            return False
        plan = request.plans.newest()
        if plan is None:
            return False
        Plan.objects.filter(pk=plan.pk, frozen_at__isnull=True).update(frozen_at=now)
        body = plan.body()
        steps = LAYOUTS[request.right](request, body)
        _queue(request, steps)
        request.begun_at = now
        PrivacyRequest.objects.filter(pk=pk).update(begun_at=now, attention="")
        noted = []
        if request.right in UNVERIFIED_RIGHTS and _follow(request, now):
            noted = [audit.Entry("choice_unlisted" if request.take_back else "choice_listed", SYSTEM, pk)]
        if not steps:
            finish.settle_if_done(Inside(request, noted), body)
        elif noted:
            audit.record(request.case, *noted)
        bell.ring(Lane.FULFIL)
    return True


def _follow(request: PrivacyRequest, now: datetime) -> bool:
    """Put the address of a request on the list, or take it off; True where that changed anything.

    In the transaction that queues the steps which tell the sources: the choice holds at once, whether or not a source
    can be reached and whether or not we know the address.
    """
    index = request.case.email_index
    if request.take_back:
        standing = Choice.objects.of(index).standing().filter(kind=request.right)
        return bool(standing.update(taken_back_at=now))
    if not index:
        return False
    _choice, fresh = Choice.objects.get_or_create(
        email_index=index, kind=request.right, taken_back_at=None,
        defaults={"since": now, "case": request.case, "request": request},
    )  # fmt: skip
    return fresh


def _queue(request: PrivacyRequest, steps: list[Step]) -> None:
    """Queue the steps; one that is there already (a copy was sent back) begins anew, and who still has it is fenced out."""
    known = {(step.source, step.kind): step.pk for step in request.steps.all()}
    Step.objects.bulk_create([step for step in steps if (step.source, step.kind) not in known])
    again = [known[step.source, step.kind] for step in steps if (step.source, step.kind) in known]
    if again:
        Step.objects.filter(pk__in=again).anew()


def _of_every_source(kind: StepKind) -> Layout:
    """One step for each source that holds something, or could not say. Backups are not searched."""

    def layout(request: PrivacyRequest, body: plans.Body) -> list[Step]:
        return [
            Step(request=request, source=key, kind=kind)
            for key, found in body["sources"].items()
            if found["status"] != "none" and not found["rotation_days"]
        ]

    return layout


def _of_sources_that_choose(request: PrivacyRequest, body: plans.Body) -> list[Step]:
    """A choice concerns the sources whose data map says how it is carried out there."""
    described = loader.current().sources
    return [
        Step(request=request, source=key, kind=StepKind.APPLY)
        for key, found in body["sources"].items()
        if found["status"] != "none" and key in described and request.right in described[key].choices
    ]


def _of_sources_that_could_not_say(request: PrivacyRequest, body: plans.Body) -> list[Step]:
    """A look into each source that was down at the search, or that only a person can look into: a person who asks is told
    whether data are held or not (GDPR Art 15(1)). Backups are not searched: what lies there lay elsewhere."""
    return [
        Step(request=request, source=key, kind=StepKind.LOOK)
        for key, found in body["sources"].items()
        if found["status"] == "unknown" and not found.get("rotation_days")
    ]


def _nothing(request: PrivacyRequest, body: plans.Body) -> list[Step]:
    """The decision, and the letter that says it, is all there is to do."""
    return []


LAYOUTS: dict[str, Layout] = {
    **dict.fromkeys(COPY_RIGHTS, _of_every_source(StepKind.EXPORT)),
    **dict.fromkeys(UNVERIFIED_RIGHTS, _of_sources_that_choose),
    Right.CORRECTION: corrected.layout,
    Right.OBJECTION: restricting.layout,
    Right.RESTRICTION: restricting.layout,
    Right.KNOW: _of_sources_that_could_not_say,
    Right.HUMAN_REVIEW: _nothing,
}
