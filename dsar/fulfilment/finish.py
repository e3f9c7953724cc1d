"""The end of the work: steps for a released request, settling it, tombstones, the journal's line."""

from django.conf import settings
from django.db.models import Q, prefetch_related_objects
from django.utils import timezone

from dsar import audit, bell, journal, keys, outcomes, proposals
from dsar.datamap import loader
from dsar.enums import (
    COPY_RIGHTS,
    CorrectionStatus,
    DecisionKind,
    Lane,
    Outcome,
    Right,
    State,
    StepKind,
    StepReason,
    StepStatus,
)  # fmt: skip
from dsar.fulfilment import by_hand, passing_on, remains
from dsar.fulfilment import plan as plans
from dsar.models import SYSTEM, PrivacyRequest, Restriction, Step, Tombstone
from dsar.workflow import Inside, move

SETTLE_POSITION, ERASE_POSITION, PACK_POSITION = 10, 20, 50
# What is still to be done for a request that has its outcome and its letter: recipients may be told after it, a
# restriction is lifted after it, and what was kept goes when its time comes.
AFTER_THE_END = (StepKind.NOTIFY, StepKind.LIFT, StepKind.LATER)
# However a confirmed deletion ended: its account is shut in every system (law 3).
STILL_OWED = (*AFTER_THE_END, StepKind.CLOSE)
# What doubted_too_late() says, for the database: no worker takes it off the queue before a person has looked (law 9).
DOUBTED_TOO_LATE = Q(attention=StepReason.DISPUTED) & (Q(ended_at__isnull=False) | Q(confirmed_at__isnull=True))


def queue_steps(request: PrivacyRequest, body: plans.Body) -> list[Step]:
    """The steps of a released deletion: settle what is owed where the source has money, then erase, per source.

    In the transaction of the release. Sources that hold nothing get none.
    """
    now = timezone.now()
    described = loader.current().sources
    steps = []
    for key, found in body["sources"].items():
        if found["status"] == "none":
            continue
        if key in described and described[key].money:
            steps.append(Step(request=request, source=key, kind=StepKind.SETTLE, position=SETTLE_POSITION, due_at=now))
        steps.append(Step(request=request, source=key, kind=StepKind.ERASE, position=ERASE_POSITION, due_at=now))
    return Step.objects.bulk_create(steps)


def doubted_too_late(request: PrivacyRequest) -> bool:
    """Whether "this was not me" came for something that could be stopped no more, and nobody has looked at it yet."""
    return request.attention == StepReason.DISPUTED and (request.is_ended or not request.is_bound)


def attention_of(request: PrivacyRequest) -> str:
    """Why a request is stuck, as its steps and its dispute say: what a person must settle before what is tried again by
    itself. Empty where nothing is; letters have a mark of their own (undelivered_at)."""
    if doubted_too_late(request) or (request.disputed_at is not None and not request.is_ended):
        return StepReason.DISPUTED.value
    waiting = request.steps.exclude(reason__in=["", StepReason.WITH_OWNER]).exclude(status=StepStatus.DONE)
    if request.is_ended:
        waiting = waiting.filter(kind__in=STILL_OWED)
    # "blocked" sorts before "leased" and "queued".
    return waiting.order_by("status", "pk").values_list("reason", flat=True).first() or ""


def clear_attention(request: PrivacyRequest) -> None:
    """Something of a request is settled: name the reason that is left, if any. The caller holds the request."""
    if request.attention:
        request.attention = attention_of(request)
        PrivacyRequest.objects.filter(pk=request.pk).update(attention=request.attention)


def looked_at(request: PrivacyRequest) -> None:
    """A person has looked at whatever the request is stuck by, a doubt that came too late among it: name what is left. The
    caller holds the request."""
    if request.attention:
        request.attention = ""
        request.attention = attention_of(request)
        PrivacyRequest.objects.filter(pk=request.pk).update(attention=request.attention)


def end_by_hand(request: PrivacyRequest, step_pk: int, entry: audit.Entry, *, found: bool = True) -> bool:
    """End a step that a person has done, note it, and settle the request where it was the last one. False, and nothing
    noted, where the step waits for nobody (any more). `found`: whether there was anything. The caller holds the request."""
    step = request.steps.filter(pk=step_pk).first()
    if step is None or not step.waits_for_hands:
        return False
    step.status, step.reason, step.finished_at, step.intent_sealed = StepStatus.DONE, "", timezone.now(), None
    plan = request.plans.frozen().newest()
    body = plan.body() if plan else {}
    step.tallies = [*step.tallies, *by_hand.marks(step, body, found=found)]
    step.save(update_fields=["status", "reason", "finished_at", "intent_sealed", "tallies"])
    if step.kind == StepKind.LATER:
        remains.forget(request, step.source)
    if step.kind == StepKind.LIFT:
        end_restriction(request)
    clear_attention(request)
    proposals.nothing_to_leave(request)
    settle_if_done(Inside(request, [entry]), body)
    return True


def settle_if_done(inside: Inside, body: plans.Body) -> bool:
    """Complete a request whose every step has ended: outcome and letter, for a deletion tombstones and journal too; in
    one transaction. A copy is put together first, and then looked through. What is disputed waits for two people's
    finding (law 4), and is settled after it (begin.drain).

    What is noted is written to the audit trail in any case. True where it moved on.
    """
    request = inside.request
    waits = request.begun_at is None or request.state != State.FULFILLING or request.disputed_at is not None
    if waits or not _all_done(request):
        if inside.noted:
            audit.record(request.case, *inside.noted)
        return False
    if request.right in COPY_RIGHTS:
        return _copied(inside)
    if request.right == Right.DELETION:
        outcome = _erased(request, body)
        entomb(request, body)
        remains.write(request, body)
    else:
        outcome = Outcome.GRANTED_IN_PART if _in_part(request) else Outcome.GRANTED
        if _nothing_done(request):
            outcome = Outcome.DENIED
            Restriction.objects.in_force().filter(request=request).update(lifted_at=timezone.now())
    passing_on.queue(request, body)
    move(request.pk, "settle", actor=SYSTEM, inside=inside, outcome=outcome)
    return True


def _erased(request: PrivacyRequest, body: plans.Body) -> Outcome:
    """How a deletion has ended: where everything stays, whatever the plan was called, it is a denial."""
    if not any(item["action"] in ("keep", "refer") for item in body["items"]):
        return Outcome.GRANTED
    went = (tally for step in request.steps.all() if step.kind == StepKind.ERASE for tally in step.tallies)
    planned = any(item["action"] in ("erase", "mask") for item in body["items"])
    if planned or any(tally.get(name) for tally in went for name in outcomes.GONE):
        return Outcome.GRANTED_IN_PART
    return Outcome.DENIED


def end_restriction(request: PrivacyRequest) -> None:
    """Note that the restriction of a request is over once no step that lifts it is open. The caller holds the request."""
    lifting = request.steps.filter(kind=StepKind.LIFT).exclude(status=StepStatus.DONE)
    if not lifting.exists():
        Restriction.objects.in_force().filter(request=request).update(lifted_at=timezone.now())


def _copied(inside: Inside) -> bool:
    """Every source has been copied: put the copy together; put together, somebody looks through it."""
    request = inside.request
    packing = next((step for step in request.steps.all() if step.kind == StepKind.PACK), None)
    # Emptied where the copy was sent back: what was packed before is not what has been copied since.
    if packing and packing.finished_at:
        move(request.pk, "packed", actor=SYSTEM, inside=inside)
        return True
    if inside.noted:
        audit.record(request.case, *inside.noted)
    if packing:
        queue_packing(request)
    else:
        Step.objects.create(request=request, source="", kind=StepKind.PACK, position=PACK_POSITION)
    bell.ring(Lane.FULFIL)
    return False


def queue_packing(request: PrivacyRequest) -> None:
    """Put the copy together again, from now on; whoever does it right now is fenced out."""
    Step.objects.filter(request=request, kind=StepKind.PACK).anew()


def _in_part(request: PrivacyRequest) -> bool:
    """Whether any of the work failed, or was not done for a reason, or a lesser right was answered than was asked for."""
    if request.right == Right.KNOW and request.decisions.filter(kind=DecisionKind.FALL_BACK).exists():
        return True
    if request.corrections.filter(status=CorrectionStatus.REFUSED).exists():
        return True
    return any(tally.get("failed") or tally.get("kept") for step in request.steps.all() for tally in step.tallies)


def _nothing_done(request: PrivacyRequest) -> bool:
    """Whether the work was left undone in every source: of a choice our own list holds all the same, and what is held is told
    from the search."""
    if request.right not in (Right.CORRECTION, Right.RESTRICTION, Right.OBJECTION):
        return False
    steps = [step for step in request.steps.all() if step.kind in (StepKind.RECTIFY, StepKind.RESTRICT)]
    return bool(steps) and all(_left_undone(step) for step in steps)


def _left_undone(step: Step) -> bool:
    """Whether nothing of it was done before it was left: whoever restricted a part of the rows has done something."""
    marks = {
        name for tally in step.tallies for name, number in tally.items() if name not in ("category", "table") and number
    }
    return marks == {"failed"}


def _all_done(request: PrivacyRequest) -> bool:
    """Whether every step has ended. They are kept on the request: the letter counts what each of them did. Recipients
    may be told after the letter."""
    prefetch_related_objects([request], "steps")
    return all(step.status == StepStatus.DONE for step in request.steps.all() if step.kind not in AFTER_THE_END)


def entomb(request: PrivacyRequest, body: plans.Body) -> None:
    """Remember by keyed hash what must stay gone, up to the confirmation (law 16)."""
    if request.confirmed_at is None:
        raise ValueError("only a confirmed deletion leaves a tombstone")
    until = timezone.localdate() + settings.TOMBSTONE_PERIOD
    marks = [("email", keys.tombstone_index("email", request.case.email))]
    marks += [(key, keys.tombstone_index(key, ref)) for key, ref in remains.refs_of(request, body).items()]
    Tombstone.objects.bulk_create(
        [
            Tombstone(
                source=source, index=index, covers_until=request.confirmed_at, expires_on=until, request_id=request.pk
            )
            for source, index in marks
            if index
        ],
        ignore_conflicts=True,
    )
    journal.write(
        "erased", request=str(request.uid), covers_until=request.confirmed_at.isoformat(),
        marks=dict(marks),
    )  # fmt: skip
