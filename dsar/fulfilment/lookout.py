"""The fresh look before each destructive chunk: kill switch, source, dispute, plan, holds, retention (law 5)."""

from typing import Any

from django.db import connection
from django.utils import timezone

from dsar.connectors.base import SourceBroken
from dsar.connectors.registry import source_map
from dsar.enums import HoldStatus, ProposalStatus, State, StepReason
from dsar.fulfilment import plan as plans
from dsar.models import Plan, PrivacyRequest, Source

# Holds in force are those that are being placed, too.
NOW = f"""
    SELECT request.state, request.disputed_at, request.confirmed_at, request.released_at,
           plan.id AS plan, plan.digest,
           EXISTS (SELECT 1 FROM dsar_house WHERE kill_switch) AS kill_switch,
           EXISTS (SELECT 1 FROM dsar_source WHERE key = %s AND NOT enabled) AS source_off,
           EXISTS (
               SELECT 1 FROM dsar_proposal proposal
               WHERE proposal.request_id = request.id AND proposal.status = '{ProposalStatus.STANDING}') AS proposed,
           EXISTS (
               SELECT 1 FROM dsar_legalhold hold
               WHERE hold.email_index = person.email_index AND hold.email_index <> ''
                 AND hold.status IN ('{HoldStatus.PLACING}', '{HoldStatus.ACTIVE}')) AS on_hold
    FROM dsar_privacyrequest request
    JOIN dsar_case person ON person.id = request.case_id
    LEFT JOIN dsar_plan plan ON plan.id = (
        SELECT newest.id FROM dsar_plan newest
        WHERE newest.request_id = request.id AND newest.frozen_at IS NOT NULL ORDER BY newest.version DESC LIMIT 1)
    WHERE request.id = %s
"""


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
    if fresh["proposed"]:
        raise Stop(StepReason.TO_CONFIRM)
    if fresh["state"] != State.FULFILLING or fresh["confirmed_at"] is None or fresh["released_at"] is None:
        raise Stop(StepReason.PLAN_CHANGED, block=True)
    if (fresh["plan"], fresh["digest"]) != (plan.pk, plans.digest(body)) or plan.frozen_at is None:
        # A narrowed plan came in between: the next claim loads it.
        raise Stop(StepReason.PLAN_CHANGED, block=fresh["plan"] in (None, plan.pk))
    if fresh["on_hold"]:
        _holds(request, body, source)
    _retention(body, source)


def switched_on(source: str) -> None:
    """Raise Stop where somebody switched this source off at the desk."""
    if Source.objects.filter(key=source, enabled=False).exists():
        raise Stop(StepReason.SOURCE_OFF)


def _fresh(request: PrivacyRequest, source: str) -> dict[str, Any]:
    """How everything stands at this moment, in one statement: it is asked before every chunk."""
    with connection.cursor() as cursor:
        cursor.execute(NOW, [source, request.pk])
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


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
    weighed = plans.weighed_in(plans.frozen_weighed(body), source)
    fresh, _doubts = plans.orders_for(described, body["regime"], timezone.localdate(), weighed)
    narrowed = {order.table for order in plans.frozen_orders(body, source) if order.disposal == "keep"}
    wanted = [order for order in fresh if order.table not in narrowed]
    frozen = [order for order in plans.frozen_orders(body, source) if order.table not in narrowed]
    if plans.shape(wanted) != plans.shape(frozen):
        raise Stop(StepReason.PLAN_CHANGED, block=True)
