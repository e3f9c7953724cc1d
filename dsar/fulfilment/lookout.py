"""The fresh look before each destructive chunk: kill switch, source, dispute, plan, holds, retention (law 5)."""

from django.utils import timezone

from dsar.connectors.base import SourceBroken
from dsar.connectors.registry import source_map
from dsar.enums import State, StepReason
from dsar.fulfilment import plan as plans
from dsar.models import House, Plan, PrivacyRequest, Source


class Stop(Exception):
    """Not now. `block`: a person must act; otherwise it goes on by itself once the reason is gone."""

    def __init__(self, reason: StepReason, *, block: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.block = block


def look(request: PrivacyRequest, plan: Plan, body: plans.Body, source: str) -> None:
    """Raise Stop with the named reason where anything speaks against going on."""
    if House.objects.filter(kill_switch=True).exists():
        raise Stop(StepReason.KILL_SWITCH)
    if Source.objects.filter(key=source, enabled=False).exists():
        raise Stop(StepReason.SOURCE_OFF)
    fresh = PrivacyRequest.objects.filter(pk=request.pk).values("state", "disputed_at", "confirmed_at", "released_at").get()
    if fresh["disputed_at"] is not None:
        raise Stop(StepReason.DISPUTED)
    if fresh["state"] != State.FULFILLING or fresh["confirmed_at"] is None or fresh["released_at"] is None:
        raise Stop(StepReason.PLAN_CHANGED, block=True)
    newest = Plan.objects.filter(request_id=request.pk, frozen_at__isnull=False).order_by("-version").values_list(
        "pk", "digest"
    ).first()
    if newest != (plan.pk, plans.digest(body)) or plan.frozen_at is None:
        # A narrowed plan came in between: the next claim loads it.
        raise Stop(StepReason.PLAN_CHANGED, block=newest is None or newest[0] == plan.pk)
    _holds(request, body, source)
    _retention(body, source)


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
