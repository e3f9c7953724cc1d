"""The fresh look before each destructive chunk: kill switch, source, dispute, plan, holds, retention (law 5)."""

from typing import Any

from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from dsar.connectors.base import SourceBroken
from dsar.connectors.registry import source_map
from dsar.enums import State, StepReason
from dsar.fulfilment import plan as plans
from dsar.models import House, LegalHold, Plan, PrivacyRequest, Source


class Stop(Exception):
    """Not now. `block`: a person must act; otherwise it goes on by itself once the reason is gone."""

    def __init__(self, reason: StepReason, *, block: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.block = block


def look(request: PrivacyRequest, plan: Plan, body: plans.Body, source: str) -> None:
    """Raise Stop with the named reason where anything speaks against going on."""
    fresh = _fresh(request, source)
    if fresh["kill_switch"]:
        raise Stop(StepReason.KILL_SWITCH)
    if fresh["source_off"]:
        raise Stop(StepReason.SOURCE_OFF)
    if fresh["disputed_at"] is not None:
        raise Stop(StepReason.DISPUTED)
    if fresh["state"] != State.FULFILLING or fresh["confirmed_at"] is None or fresh["released_at"] is None:
        raise Stop(StepReason.PLAN_CHANGED, block=True)
    if (fresh["plan"], fresh["digest"]) != (plan.pk, plans.digest(body)) or plan.frozen_at is None:
        # A narrowed plan came in between: the next claim loads it.
        raise Stop(StepReason.PLAN_CHANGED, block=fresh["plan"] in (None, plan.pk))
    if fresh["on_hold"]:
        _holds(request, body, source)
    _retention(body, source)


def _fresh(request: PrivacyRequest, source: str) -> dict[str, Any]:
    """How everything stands at this moment, in one statement: it is asked before every chunk."""
    newest = Plan.objects.filter(request_id=OuterRef("pk"), frozen_at__isnull=False).order_by("-version")
    holds = LegalHold.objects.in_force().filter(email_index=OuterRef("case__email_index")).exclude(email_index="")
    return (
        PrivacyRequest.objects.filter(pk=request.pk)
        .annotate(
            kill_switch=Exists(House.objects.filter(kill_switch=True)),
            source_off=Exists(Source.objects.filter(key=source, enabled=False)),
            plan=Subquery(newest.values("pk")[:1]),
            digest=Subquery(newest.values("digest")[:1]),
            on_hold=Exists(holds),
        )
        .values(
            "state", "disputed_at", "confirmed_at", "released_at", "kill_switch", "source_off", "plan", "digest", "on_hold"
        )
        .get()
    )


def _holds(request: PrivacyRequest, body: plans.Body, source: str) -> None:
    for hold in plans.active_holds(request.case.email_index):
        if hold.covers(source) and not _planned(body, source, hold.code):
            raise Stop(StepReason.HOLD, block=True)


def _planned(body: plans.Body, source: str, code: str) -> bool:
    """Whether the frozen plan already keeps everything of this source by the hold's own basis."""
    orders = plans.frozen_orders(body, source)
    return bool(orders) and all(
        order.disposal == "keep" and any(rule.code == code for rule in order.keeps) for order in orders
    )


def _retention(body: plans.Body, source: str) -> None:
    """A rule that the data map or the law has changed since the plan was frozen sends the step to a person."""
    try:
        described = source_map(source)
    except SourceBroken:
        raise Stop(StepReason.PLAN_CHANGED, block=True) from None
    fresh, _doubts = plans.orders_for(described, body["regime"], timezone.localdate())
    narrowed = {order.table for order in plans.frozen_orders(body, source) if order.disposal == "keep"}
    wanted = [order for order in fresh if order.table not in narrowed]
    frozen = [order for order in plans.frozen_orders(body, source) if order.table not in narrowed]
    if plans.shape(wanted) != plans.shape(frozen):
        raise Stop(StepReason.PLAN_CHANGED, block=True)
