"""Frozen plans, audit trail, decisions, tombstones: neither changed, deleted nor replaced."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import models
from django.utils import timezone

from dsar import audit, records
from dsar.models import (
    AuditEvent,
    Decision,
    Plan,
    RequestRecord,
    Tombstone,
)  # fmt: skip
from dsar.review import purge
from tests import drive
from tests.drive import Route
from tests.guards.attacks import PLAN, copied, everything, refused, run

# --- frozen plans -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("both_ways")
def test_law_03_a_frozen_plan_neither_changes_nor_goes(route: Route) -> None:
    request = route.releasing()
    plan = Plan.objects.get(request=request)
    other = route.verifying()
    for sql in (
        "digest = 'x'", "body_sealed = NULL", "frozen_at = NULL", "version = 9", f"request_id = {other.pk}",
        "id = 987654",
    ):  # fmt: skip
        refused("rightsdesk guard plan_update", f"UPDATE {PLAN} SET {sql} WHERE id = %s", plan.pk)
    refused("rightsdesk guard plan_delete", f"DELETE FROM {PLAN} WHERE id = %s", plan.pk)
    refused("rightsdesk guard plan_", copied(Plan, plan.pk, "INSERT", "ON CONFLICT (id) DO UPDATE SET digest = 'x'"))
    refused("rightsdesk guard plan_replace", copied(Plan, plan.pk, "INSERT OR REPLACE", digest="'x'"))
    refused("rightsdesk guard plan_replace", copied(Plan, plan.pk, "INSERT OR REPLACE", id="987654", digest="'x'"))
    assert everything(Plan, plan.pk)["digest"] == plan.digest


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("column", ["id", "version"])
@pytest.mark.only_sqlite
def test_law_03_no_draft_takes_the_place_of_a_frozen_plan(route: Route, column: str) -> None:
    request = route.releasing()
    plan = Plan.objects.get(request=request)
    draft = drive.locating.store(request, drive.PLAN_BODY)
    value = {"id": plan.pk, "version": plan.version}[column]
    refused("rightsdesk guard plan_", f"UPDATE OR REPLACE {PLAN} SET {column} = %s WHERE id = %s", value, draft.pk)
    assert Plan.objects.filter(pk=plan.pk, frozen_at__isnull=False).exists()


# --- what is append-only ----------------------------------------------------------------------------------------------


def an_event(route: Route) -> models.Model:
    route.verifying()
    return AuditEvent.objects.order_by("-pk")[0]


def a_checkpoint(route: Route) -> models.Model:
    return audit.checkpoint()


def a_decision(route: Route) -> models.Model:
    drive.confirmed_by(drive.proposed(route.review()).pk, route.approver, "refuse")
    return Decision.objects.get()


APPEND_ONLY: dict[str, tuple[Callable[[Route], models.Model], list[str]]] = {
    "audit": (
        an_event,
        [
            "at",
            "number",
            "chain",
            "what",
            "actor_id",
            "details",
            "hash",
            "previous",
            "from_state",
            "to_state",
            "request_id",
        ],
    ),
    "checkpoint": (a_checkpoint, ["at", "root", "signature", "events", "chains"]),
    "decision": (a_decision, ["code", "kind", "text_sealed", "decided_by_id", "decided_at", "request_id"]),
}


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("name", APPEND_ONLY)
def test_law_11_what_is_append_only_is_neither_changed_nor_deleted_nor_replaced(route: Route, name: str) -> None:
    build, columns = APPEND_ONLY[name]
    row = build(route)
    table = row._meta.db_table
    before = everything(type(row), row.pk)
    for column in ["id", *columns]:
        refused(f"rightsdesk guard {name}_update", f'UPDATE {table} SET "{column}" = "{column}" WHERE id = %s', row.pk)
    refused(f"rightsdesk guard {name}_delete", f"DELETE FROM {table} WHERE id = %s", row.pk)
    first = columns[0]
    refused(
        f"rightsdesk guard {name}_",
        copied(type(row), row.pk, "INSERT", f'ON CONFLICT (id) DO UPDATE SET "{first}" = {table}."{first}"'),
    )
    refused(f"rightsdesk guard {name}_replace", copied(type(row), row.pk, "INSERT OR REPLACE"))
    assert everything(type(row), row.pk) == before


@pytest.mark.usefixtures("both_ways")
@pytest.mark.only_sqlite
def test_law_11_no_event_takes_the_number_of_another(route: Route) -> None:
    event = an_event(route)
    refused("rightsdesk guard audit_replace", copied(AuditEvent, event.pk, "INSERT OR REPLACE", id="987654"))


def a_tombstone(expires_on: date) -> Tombstone:
    return Tombstone.objects.create(
        source="email", index="i" * 64, covers_until=timezone.now(), expires_on=expires_on, request_id=1
    )


@pytest.mark.usefixtures("both_ways")
def test_law_16_a_tombstone_stays_as_it_is_until_its_period_ends(db: None) -> None:
    stone = a_tombstone(timezone.localdate() + timedelta(days=30))
    table = Tombstone._meta.db_table
    for sql in ("expires_on = '2020-01-01'", "covers_until = CURRENT_TIMESTAMP", "\"index\" = 'x'", "id = 987654"):
        refused("rightsdesk guard tombstone_update", f"UPDATE {table} SET {sql} WHERE id = %s", stone.pk)
    refused("rightsdesk guard tombstone_delete", f"DELETE FROM {table} WHERE id = %s", stone.pk)
    early = {"expires_on": "'2020-01-01'"}
    refused("rightsdesk guard tombstone_replace", copied(Tombstone, stone.pk, "INSERT OR REPLACE", **early))
    refused(
        "rightsdesk guard tombstone_replace", copied(Tombstone, stone.pk, "INSERT OR REPLACE", **early, id="987654")
    )
    old = a_tombstone_that_expired(stone)
    assert run(f"DELETE FROM {table} WHERE id = %s", old) == 1
    assert Tombstone.objects.filter(pk=stone.pk).exists()


def a_tombstone_that_expired(stone: Tombstone) -> int:
    return Tombstone.objects.create(
        source="email", index="o" * 64, covers_until=stone.covers_until, expires_on=date(2020, 1, 1), request_id=2
    ).pk


@pytest.mark.usefixtures("both_ways")
def test_the_record_of_a_request_neither_changes_nor_goes_before_its_day(route: Route) -> None:
    table, kept = "dsar_requestrecord", RequestRecord.objects.get(request_id=route.lapsed().pk)
    refused("rightsdesk guard record_update", f"UPDATE {table} SET late = NOT late WHERE id = %s", kept.pk)
    refused("rightsdesk guard record_delete", f"DELETE FROM {table} WHERE id = %s", kept.pk)
    refused("rightsdesk guard record_", copied(RequestRecord, kept.pk, "INSERT OR REPLACE", id="987654", late="true"))
    refused("rightsdesk guard record_truncate", f"TRUNCATE {table}")
    over = everything(RequestRecord, kept.pk) | {"id": 7, "request_id": 7, "keep_until": date(2020, 1, 1)}
    RequestRecord.objects.create(**over)
    assert records.forget_expired() == 1
    assert everything(RequestRecord, kept.pk)["outcome"] == kept.outcome


@pytest.mark.usefixtures("both_ways")
def test_a_reference_changes_only_once_nothing_is_to_be_found_by_it(route: Route) -> None:
    case = route.lapsed().case
    refused("rightsdesk guard case_reference", "UPDATE dsar_case SET reference = 'GONE-1' WHERE id = %s", case.pk)
    purge.purge(case.pk)
    refused(
        "rightsdesk guard case_reference", "UPDATE dsar_case SET reference = 'RD-11111-11111' WHERE id = %s", case.pk
    )
    assert run("UPDATE dsar_case SET reference = %s WHERE id = %s", f"GONE-{case.pk}", case.pk) == 1
