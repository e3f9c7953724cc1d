"""Erasing what was kept, once its reason has gone, and what a restore of a source brought back (laws 6, 16).

The same chunks as any erasure (erasure.py), under the retention of the day: what the plan kept until its date is kept by
no rule any more. What nobody promised to keep, and what has no date, waits for an approver by name.
"""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, bell, keys
from dsar.connectors.base import NotSupported, Outcome
from dsar.connectors.registry import connector, source_map
from dsar.datamap.orders import TableOrder
from dsar.enums import DecisionKind, Lane, StepKind, StepReason, StepStatus
from dsar.fulfilment import erasure, finish, held_step, lookout, remains
from dsar.fulfilment import plan as plans
from dsar.fulfilment.tallies import counts, merged
from dsar.law import codes
from dsar.models import SYSTEM, Actor, Decision, Kept, PrivacyRequest, Step
from dsar.notices import Notice
from dsar.notifications import outbox, undisclosed
from dsar.retention import Hold, held
from dsar.workflow import Conflict, Forbidden, Invalid, lock

TOLD = ("removed", "anonymised", "kept", "failed")
WAITING = (StepStatus.QUEUED, StepStatus.BLOCKED)


@dataclass
class Later(held_step.Held):
    """A claimed LATER step: its orders are those of today, and what it writes is sealed by the house."""

    # Beside what stands in our rows: the address of an account that is there again, for the holds on it.
    indexes: set[str] = field(default_factory=set)

    @cached_property
    def orders(self) -> tuple[TableOrder, ...]:
        """What law, data map, holds and approvers say today."""
        return orders_now(self.request, self.step.source, self.indexes)

    def look(self) -> None:
        """The fresh look before each chunk (law 5). Raises lookout.Stop."""
        request = remains.look(self.request.pk, self.step.source)
        if orders_now(request, self.step.source, self.indexes) != self.orders:
            # A hold, a decision or a rule came in between: the next claim works by it.
            raise lookout.Stop(StepReason.PLAN_CHANGED)

    def seal(self, text: str) -> bytes | None:
        """Under the house's key: the case's may be gone."""
        return remains.seal(self.request, text, f"{self.step.source}:intent")

    def unseal(self, sealed: bytes | memoryview | None) -> str:
        """What seal() made."""
        return remains.unseal(self.request, sealed, f"{self.step.source}:intent")


def orders_now(request: PrivacyRequest, source: str, indexes: set[str]) -> tuple[TableOrder, ...]:
    """The orders of one source for what a deletion left: by the retention of this day, with what an approver let go, and
    without what a hold covers or what waits for an approver."""
    regime = request.case.regime
    weighed = plans.weighed_in(plans.weighed_of(request), source)
    orders, _doubts = plans.orders_for(source_map(source), regime, timezone.localdate(), weighed)
    for line in Kept.objects.filter(request=request, source=source).order_by("pk"):
        orders = tuple(_under(order, line, regime) for order in orders)
    for hold in remains.holds_on(request, source, indexes):
        orders = tuple(plans.hold_order(order, hold, regime) for order in orders)
    return orders


def _under(order: TableOrder, line: Kept, regime: str) -> TableOrder:
    if order.category != line.category:
        return order
    if line.lapses:
        left = tuple(rule for rule in order.keeps if rule.code != line.code)
        disposal = "erase" if order.disposal == "keep" and not left else order.disposal
        return TableOrder(order.table, order.category, disposal, left, order.columns_to_mask)
    if line.chosen or remains.is_due(line):
        found = codes.valid(line.code, regime)
        return held(order, Hold(line.code, found.citation if found else "", review_on=line.review_on))
    return order


def erase(claimed: held_step.Held) -> None:
    """Carry a LATER step out: look, erase what no reason keeps, note what is left and when to look again.

    An account of a later day under the same key is somebody's new one (law 16): then only a person can tell them apart.
    """
    work = Later(
        claimed.step, claimed.token, claimed.request, claimed.plan, {}, letters=claimed.letters,
        occupied_until=claimed.occupied_until,
    )  # fmt: skip
    step, request = work.step, work.request
    ref = remains.unseal(request, step.ref_sealed, f"{step.source}:ref")
    source = connector(step.source)
    account = source.account(ref) if ref else None
    if account:
        work.indexes = {keys.email_index(account.email)}
    work.look()
    if remains.holds_on(request, step.source, work.indexes):
        # It stays for now, whatever else would keep it; lifting the hold rings for it.
        _put_back(work, None)
        return
    if not ref:
        lines = Kept.objects.filter(request=request, source=step.source)
        if any(line.lapses or (line.until and line.until < timezone.localdate()) for line in lines):
            raise NotSupported("Erase by hand what was kept.")
        _put_back(work, None)
        return
    if account:
        covers = request.confirmed_at
        if account.created_at is None or covers is None or account.created_at > covers:
            raise NotSupported("An account stands under this key again. Erase by hand what was there before.")
        if any(order.disposal != "keep" for order in work.orders):
            # Brought back by a restore, it would let somebody in.
            source.close(ref)
    _intent, outcome = erasure.erase_all(work, source, ref)
    _put_back(work, outcome)


def _put_back(work: Later, outcome: Outcome | None) -> None:
    """The end of one look, in one transaction: what has gone and what is left is noted, the next look is set, the person
    is told. Without an outcome nothing was looked at."""
    step = work.step
    with transaction.atomic():
        request = lock(work.request.pk)
        lines = {(one.category, one.code): one for one in Kept.objects.filter(request=request, source=step.source)}
        tallies = [line | {"kept": 0} for line in step.tallies]
        gone: set[str] = set()
        done: dict[str, int] = {}
        before = set(lines)
        hidden = undisclosed.places(request)
        if outcome:
            tallies = merged(tallies, outcome)
            gone = _compare(request, step.source, lines, outcome)
            done = {name: number for name, number in counts(outcome).items() if name != "kept"}
        due = any(remains.is_due(one) for one in lines.values())
        tallies = [line for line in tallies if any(line.get(name) for name in TOLD)]
        changed = Step.objects.filter(pk=step.pk, token=work.token, status=StepStatus.LEASED).update(
            status=StepStatus.QUEUED if lines else StepStatus.DONE, reason=StepReason.REVIEW if due else "",
            due_at=remains.next_look(lines.values()), lease_until=None, intent_sealed=None, cursor="", claims=0, retries=0,
            tallies=tallies, finished_at=timezone.now(), **({} if lines else {"ref_sealed": None}),
        )  # fmt: skip
        if not changed:
            raise held_step.Fenced
        if gone or done:
            details = {"source": step.source, "ended": sorted(gone), **done}
            audit.record(request.case, audit.Entry("later_done", SYSTEM, request.pk, details=details))
        held_step.vacate(work)
        finish.clear_attention(request)
        if due:
            PrivacyRequest.objects.filter(pk=request.pk).update(attention=StepReason.REVIEW)
        went = {line["category"] for line in tallies if line.get("removed") or line.get("anonymised")}
        told = {category for category, code in before - set(lines) if (step.source, category, code) not in hidden}
        if went & gone & told and request.case.purged_at is None:
            outbox.queue(request, Notice.KEPT_ERASED)


def _compare(request: PrivacyRequest, source: str, lines: dict[tuple[str, str], Kept], outcome: Outcome) -> set[str]:
    """Bring the rows of one source, `lines`, to what the look has found; returns the categories that ended for a reason."""
    today = timezone.localdate()
    found = remains.found_in(tally.as_json() for tally in outcome.tallies)
    there = {category for category, _code in found}
    # A whole category waits for an approver: which rule keeps which row of it is not asked meanwhile.
    waiting = {one.category for one in lines.values() if one.chosen or remains.is_due(one)} & there
    gone = [place for place in lines if place not in found and place[0] not in waiting]
    Kept.objects.filter(pk__in=[lines.pop(place).pk for place in gone]).delete()
    for (category, code), (until, _review_on) in found.items():
        known = lines.get((category, code))
        if known is not None:
            _date(known, until, today)
        elif category not in waiting:
            # Nobody was told of this reason: a person looks at it now.
            new = remains.line(request, source, category, code, None, today)
            new.found_later = True
            new.email_index = new.email_index or next((one.email_index for one in lines.values()), "")
            new.save(force_insert=True)
            lines[category, code] = new
    return {category for category, _code in gone}


def _date(known: Kept, until: date | None, today: date) -> None:
    """A last day may come nearer, as rows go; one that moves away, or is none, is not what was promised."""
    if known.chosen or known.review_on:
        return
    if until and (known.until is None or until <= known.until):
        if until != known.until:
            Kept.objects.filter(pk=known.pk).update(until=until)
            known.until = until
        return
    if known.until is None or known.until < today or until is not None:
        known.review_on = today
        Kept.objects.filter(pk=known.pk).update(review_on=today)


def to_review(request: PrivacyRequest) -> list[Kept]:
    """What was kept after this deletion and waits for an approver's look, oldest first."""
    return sorted((one for one in request.kept.all() if remains.is_due(one)), key=lambda one: one.pk)


def let_go(pk: int, kept_pk: int, text: str, *, actor: Actor) -> None:
    """An approver finds that the reason for keeping has gone: it is erased. Raises Conflict, Forbidden, Invalid."""
    _decide(pk, kept_pk, DecisionKind.KEPT_GOES, text, actor, lapses=True, review_on=None)


def keep_on(pk: int, kept_pk: int, review_on: date, text: str, *, actor: Actor) -> None:
    """An approver finds that the reason still stands: somebody looks again on `review_on`, within a year. The person is
    told. Raises Conflict, Forbidden, Invalid."""
    today = timezone.localdate()
    if not 0 < (review_on - today).days <= 366:
        raise Invalid(_("Please choose a day within the next year."))
    _decide(pk, kept_pk, DecisionKind.KEPT_ON, text, actor, review_on=review_on, until=None)


def _decide(pk: int, kept_pk: int, kind: DecisionKind, text: str, actor: Actor, **change: object) -> None:
    if not actor.is_approver:
        raise Forbidden(kind)
    if not text.strip():
        raise Invalid(_("Please write the reason."))
    with transaction.atomic():
        request = lock(pk)
        one = next((one for one in to_review(request) if one.pk == kept_pk), None)
        if one is None:
            raise Conflict("nothing to look at")
        if kind == DecisionKind.KEPT_GOES and one.until and one.until >= timezone.localdate():
            raise Invalid(_("A rule of the law keeps it until its date. Say that it stays, and until when."))
        Kept.objects.filter(pk=kept_pk).update(**change)
        case = request.case
        found = codes.valid(one.code, case.law)
        decision = Decision.objects.create(
            request=request, kind=kind, code=one.code, citation=found.citation if found else "",
            decided_by_id=actor.user_id,
            text_sealed=None if case.purged_at else case.seal(text.strip()[:8000], "decision"),
        )  # fmt: skip
        details = {"source": one.source, "code": one.code}
        audit.record(case, audit.Entry(str(kind), actor, pk, details=details))
        request.steps.filter(kind=StepKind.LATER, source=one.source, status__in=WAITING).update(
            status=StepStatus.QUEUED, reason="", due_at=timezone.now()
        )
        finish.clear_attention(request)
        silent = (one.source, one.category, one.code) in undisclosed.places(request)
        if kind == DecisionKind.KEPT_ON and case.purged_at is None and not silent:
            outbox.queue(request, Notice.KEPT_ON, decision=decision)
        bell.ring(Lane.FULFIL)
