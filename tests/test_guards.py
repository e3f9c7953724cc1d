"""What the database itself refuses: raw SQL and the ORM against everything that is meant to be irreversible."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management.sql import emit_post_migrate_signal
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.utils import timezone

from accounts.models import Role, User
from dsar import audit, checks, guards
from dsar.enums import BOUND_STATES, DecisionKind, Outcome, Right, State, StepKind
from dsar.models import (
    REQUESTER,
    SYSTEM,
    AuditEvent,
    Case,
    Checkpoint,
    Decision,
    Intake,
    Plan,
    PrivacyRequest,
    Step,
    Tombstone,
)  # fmt: skip
from dsar.workflow import Because, move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")

POSTGRESQL = connection.vendor == "postgresql"
REQUEST, PLAN, USER = "dsar_privacyrequest", "dsar_plan", "accounts_user"
UNBOUND = [state for state in State if state not in BOUND_STATES]


@pytest.fixture(params=["recursive_triggers on"] if POSTGRESQL else ["recursive_triggers on", "recursive_triggers off"])
def database(db: None, request: pytest.FixtureRequest) -> Iterator[None]:
    """On SQLite everything is tried with and without recursive triggers: off, OR REPLACE passes a delete trigger."""
    if POSTGRESQL:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA recursive_triggers = {request.param.rpartition(' ')[2]}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers = on")


@pytest.fixture
def route(database: None) -> Route:
    return Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER))


def run(sql: str, *params: object) -> int:
    """Execute raw SQL; deferred constraints are checked too, so that a refusal is never theirs by accident."""
    with transaction.atomic(), connection.cursor() as cursor:
        if POSTGRESQL:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql, params)
        return int(cursor.rowcount)


# Words that one of the two databases does not know: there the statement fails as a whole.
FOREIGN = ("INSERT OR REPLACE", "REPLACE", "UPDATE OR REPLACE") if POSTGRESQL else ("TRUNCATE",)


def refused(by: str, sql: str, *params: object) -> None:
    """The statement fails, and for the reason named: a guard or a constraint of ours."""
    with pytest.raises(DatabaseError) as caught:
        run(sql, *params)
    expected = "syntax error" if sql.startswith(FOREIGN) else by
    assert expected in str(caught.value), str(caught.value)


def everything(model: type[models.Model], pk: object) -> dict[str, object]:
    """A row as it stands, every column."""
    return model._default_manager.filter(pk=pk).values().get()


def copied(model: type[models.Model], pk: object, how: str, tail: str = "", **changed: str) -> str:
    """`INSERT … SELECT` of a row onto itself, with some columns replaced by SQL expressions."""
    columns = [field.column for field in model._meta.concrete_fields]
    picked = ", ".join(changed.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    # "WHERE" keeps SQLite from reading ON CONFLICT as a join's ON.
    table = model._meta.db_table
    return f"{how} INTO {table} ({names}) SELECT {picked} FROM {table} WHERE id = {pk} {tail}"


# --- a confirmed deletion ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", UNBOUND)
def test_law_03_raw_sql_leads_no_confirmed_deletion_to_another_state(route: Route, state: State) -> None:
    for request in (route.releasing(), route.fulfilling()):
        before = everything(PrivacyRequest, request.pk)
        refused("rightsdesk guard request_bound", f"UPDATE {REQUEST} SET state = %s WHERE id = %s", state, request.pk)
        refused(
            "rightsdesk guard request_bound",
            f"UPDATE {REQUEST} SET state = %s, confirmed_at = NULL, quiet_until = NULL, released_at = NULL,"
            " outcome = 'withdrawn', ended_at = CURRENT_TIMESTAMP WHERE id = %s",
            state, request.pk,
        )  # fmt: skip
        assert everything(PrivacyRequest, request.pk) == before


ALTERATIONS = {
    "the confirmation is cleared": "confirmed_at = NULL",
    "the confirmation is dated back": "confirmed_at = '2020-01-01 00:00:00+00:00'",
    "the quiet period is shortened": "quiet_until = '2020-01-01 00:00:00+00:00'",
    "the quiet period is taken away": "quiet_until = NULL",
    "it becomes another right": "\"right\" = 'access'",
    "it becomes no right": "\"right\" = ''",
    "it gets another number": "uid = '00000000000000000000000000000001'",
    "it gets another key": "id = 987654",
}


@pytest.mark.parametrize("alteration", ALTERATIONS)
@pytest.mark.parametrize("stage", ["releasing", "fulfilling", "completed"])
def test_law_03_raw_sql_changes_nothing_of_a_confirmation(route: Route, alteration: str, stage: str) -> None:
    request = getattr(route, stage)()
    before = everything(PrivacyRequest, request.pk)
    refused("rightsdesk guard request_", f"UPDATE {REQUEST} SET {ALTERATIONS[alteration]} WHERE id = %s", request.pk)
    assert everything(PrivacyRequest, request.pk) == before


def test_law_03_a_confirmed_deletion_is_not_moved_into_another_case(route: Route) -> None:
    request, other = route.releasing(), drive.a_case()
    refused("rightsdesk guard request_bound", f"UPDATE {REQUEST} SET case_id = %s WHERE id = %s", other.pk, request.pk)


def test_law_03_what_is_released_goes_neither_back_nor_unreleased(route: Route) -> None:
    request = route.fulfilling()
    back = f"UPDATE {REQUEST} SET state = 'releasing' WHERE id = %s"
    refused("rightsdesk guard request_bound", back, request.pk)
    for value in ("NULL", "'2030-01-01 00:00:00+00:00'"):
        refused(
            "rightsdesk guard request_bound", f"UPDATE {REQUEST} SET released_at = {value} WHERE id = %s", request.pk
        )
    move(request.pk, "settle", actor=SYSTEM, outcome=Outcome.GRANTED)
    for state in ("releasing", "fulfilling"):
        refused(
            "rightsdesk guard request_",
            f"UPDATE {REQUEST} SET state = %s, outcome = '', ended_at = NULL WHERE id = %s", state, request.pk,
        )  # fmt: skip


@pytest.mark.parametrize(
    "stage", ["triage", "verifying", "review", "confirming", "releasing", "fulfilling", "completed"]
)
def test_no_request_is_ever_deleted(route: Route, stage: str) -> None:
    request = getattr(route, stage)()
    refused("rightsdesk guard request_delete", f"DELETE FROM {REQUEST} WHERE id = %s", request.pk)
    refused("rightsdesk guard request_delete", f"DELETE FROM {REQUEST}")


@pytest.mark.parametrize("stage", ["verifying", "releasing", "fulfilling", "completed"])
def test_no_request_is_replaced_by_an_insert(route: Route, stage: str) -> None:
    request = getattr(route, stage)()
    before = everything(PrivacyRequest, request.pk)
    unbound = {
        "state": "'review'", "confirmed_at": "NULL", "released_at": "NULL", "quiet_until": "NULL", "outcome": "''",
        "ended_at": "NULL",
    }  # fmt: skip
    on_conflict = "ON CONFLICT (id) DO UPDATE SET state = 'review', confirmed_at = NULL, outcome = '', ended_at = NULL"
    by_number = "ON CONFLICT (uid) DO UPDATE SET state = 'review', confirmed_at = NULL, outcome = '', ended_at = NULL"
    if stage != "verifying":
        refused("rightsdesk guard request_", copied(PrivacyRequest, request.pk, "INSERT", on_conflict, **unbound))
        refused(
            "rightsdesk guard request_", copied(PrivacyRequest, request.pk, "INSERT", by_number, **unbound, id="987654")
        )
    for how in ("INSERT OR REPLACE", "REPLACE"):
        refused("rightsdesk guard request_replace", copied(PrivacyRequest, request.pk, how, **unbound))
        refused("rightsdesk guard request_replace", copied(PrivacyRequest, request.pk, how, **unbound, id="987654"))
        refused("rightsdesk guard request_replace", copied(PrivacyRequest, request.pk, how, **unbound, uid="'0'"))
    assert everything(PrivacyRequest, request.pk) == before


def test_no_request_takes_the_place_of_another(route: Route) -> None:
    bound, other = route.releasing(), route.verifying()
    for sql in ("id = %s", "uid = (SELECT uid FROM dsar_privacyrequest WHERE id = %s)"):
        refused("rightsdesk guard request_", f"UPDATE OR REPLACE {REQUEST} SET {sql} WHERE id = %s", bound.pk, other.pk)


def test_a_confirmed_request_cannot_be_forged(route: Route) -> None:
    request = route.releasing()
    for changed in ({}, {"released_at": "CURRENT_TIMESTAMP", "state": "'fulfilling'"}, {"state": "'review'"}):
        fields = {"id": "987654", "uid": "'00000000000000000000000000000001'", **changed}
        refused("rightsdesk guard request_forged", copied(PrivacyRequest, request.pk, "INSERT", **fields))
    fields |= {"confirmed_at": "NULL", "state": "'releasing'"}
    refused("request_unconfirmed_is_not_released", copied(PrivacyRequest, request.pk, "INSERT", **fields))
    # More than one constraint speaks against this one; which is named first differs.
    refused("request_", copied(PrivacyRequest, request.pk, "INSERT", **{**fields, "state": "'fulfilling'"}))


def test_law_05_a_confirmation_needs_a_frozen_plan(route: Route) -> None:
    request = move(route.locating().pk, "located", actor=SYSTEM, nothing_held=False, judgement=[])
    drive.locating.store(request, drive.PLAN_BODY)
    confirm = (
        f"UPDATE {REQUEST} SET state = 'releasing', confirmed_at = CURRENT_TIMESTAMP, quiet_until = CURRENT_TIMESTAMP"
        " WHERE id = %s"
    )
    refused("rightsdesk guard request_frozen", confirm, request.pk)
    with pytest.raises(IntegrityError, match="A confirmation needs a frozen plan"), transaction.atomic():
        move(request.pk, "confirm", actor=REQUESTER, quiet=timedelta(0))
    other = route.confirming()
    assert Plan.objects.filter(request=other, frozen_at__isnull=False).exists()
    refused("rightsdesk guard request_frozen", confirm, request.pk)
    drive.freeze(request)
    assert move(request.pk, "confirm", actor=REQUESTER, quiet=timedelta(0)).state == State.RELEASING


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'fulfilling'", "request_fulfilling_was_released"),
        ("state = 'fulfilling', released_at = CURRENT_TIMESTAMP", "request_quiet_before_release"),
        ("released_at = confirmed_at", "request_quiet_before_release"),
    ],
)
def test_law_04_nothing_is_released_inside_the_quiet_period(route: Route, change: str, constraint: str) -> None:
    request = route.releasing(timedelta(hours=72))
    refused(constraint, f"UPDATE {REQUEST} SET {change} WHERE id = %s", request.pk)


@pytest.mark.parametrize("state", [state for state in State if state not in BOUND_STATES])
def test_law_03_a_confirmation_stands_only_in_a_bound_state(route: Route, state: State) -> None:
    request = route.confirming()
    now = "CURRENT_TIMESTAMP"
    stamped = f"UPDATE {REQUEST} SET confirmed_at = {now}, quiet_until = {now}, state = %s WHERE id = %s"
    ended = state in ("refused", "withdrawn", "lapsed", "rejected")
    if ended:
        stamped = stamped.replace(" WHERE", ", outcome = 'denied', ended_at = CURRENT_TIMESTAMP WHERE")
    refused("request_confirmed_is_bound", stamped, state, request.pk)


def test_only_a_deletion_can_be_confirmed(route: Route) -> None:
    request = route.confirming()
    for right in (right for right in Right if right != Right.DELETION):
        refused(
            "request_confirmed_is_bound",
            f"UPDATE {REQUEST} SET confirmed_at = CURRENT_TIMESTAMP, state = 'releasing', \"right\" = %s WHERE id = %s",
            right, request.pk,
        )  # fmt: skip


def test_states_and_rights_that_do_not_exist_are_refused(route: Route) -> None:
    request = route.verifying()
    refused("request_state_known", f"UPDATE {REQUEST} SET state = 'erased' WHERE id = %s", request.pk)
    refused("request_right_known", f"UPDATE {REQUEST} SET \"right\" = 'everything' WHERE id = %s", request.pk)


# --- what has ended ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["withdrawn", "refused", "lapsed", "rejected", "completed"])
def test_what_has_ended_stays_ended(route: Route, end: str) -> None:
    builds: dict[str, Callable[[], PrivacyRequest]] = {
        "withdrawn": lambda: move(route.confirming().pk, "withdraw", actor=REQUESTER),
        "refused": lambda: move(route.review().pk, "refuse", actor=route.approver),
        "lapsed": route.lapsed,
        "rejected": lambda: move(route.triage().pk, "reject", actor=route.handler),
        "completed": route.completed,
    }
    request = builds[end]()
    assert request.state == end
    for sql in (
        "state = 'review', outcome = '', ended_at = NULL", "outcome = 'overtaken'",
        "ended_at = '2020-01-01 00:00:00+00:00'",
        "id = 987654", "uid = '00000000000000000000000000000001'",
    ):  # fmt: skip
        refused("rightsdesk guard request_", f"UPDATE {REQUEST} SET {sql} WHERE id = %s", request.pk)


def test_no_end_without_an_outcome_and_no_outcome_without_an_end(route: Route) -> None:
    request = route.review()
    for sql in (
        "state = 'refused'", "state = 'refused', outcome = 'denied'",
        "state = 'completed', ended_at = CURRENT_TIMESTAMP",
        "outcome = 'granted'", "ended_at = CURRENT_TIMESTAMP",
    ):  # fmt: skip
        refused("request_ends_with_an_outcome", f"UPDATE {REQUEST} SET {sql} WHERE id = %s", request.pk)


# --- frozen plans -----------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("column", ["id", "version"])
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
    move(route.review().pk, "refuse", actor=route.approver, because=Because(DecisionKind.REFUSE, text="No."))
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


def test_law_11_no_event_takes_the_number_of_another(route: Route) -> None:
    event = an_event(route)
    refused("rightsdesk guard audit_replace", copied(AuditEvent, event.pk, "INSERT OR REPLACE", id="987654"))


def a_tombstone(expires_on: date) -> Tombstone:
    return Tombstone.objects.create(
        source="email", index="i" * 64, covers_until=timezone.now(), expires_on=expires_on, request_id=1
    )


def test_law_16_a_tombstone_stays_as_it_is_until_its_period_ends(database: None) -> None:
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


# --- closed accounts --------------------------------------------------------------------------------------------------


@pytest.fixture
def closed(database: None) -> User:
    user = User.objects.create_user("gone@example.com", external_id="4711")
    user.close()
    return user


def test_law_03_a_closed_account_never_opens_again(closed: User) -> None:
    for sql in (
        "is_active = TRUE", "is_active = TRUE, closed_at = NULL", "closed_at = NULL",
        "closed_at = '2020-01-01 00:00:00+00:00'", "id = 987654",
    ):  # fmt: skip
        refused("rightsdesk guard user_closed", f"UPDATE {USER} SET {sql} WHERE id = %s", closed.pk)
    refused("rightsdesk guard user_delete", f"DELETE FROM {USER} WHERE id = %s", closed.pk)
    with pytest.raises(IntegrityError, match="user_closed"), transaction.atomic():
        User.objects.filter(pk=closed.pk).update(is_active=True, closed_at=None)
    with pytest.raises(IntegrityError, match="user_delete"), transaction.atomic():
        User.objects.filter(pk=closed.pk)._raw_delete("default")
    assert not User.objects.get(pk=closed.pk).is_active


def test_a_closed_account_can_still_be_masked(closed: User) -> None:
    User.objects.filter(pk=closed.pk).update(email="gone-1@erased.invalid", full_name="", external_id=None)
    assert User.objects.get(pk=closed.pk).email == "gone-1@erased.invalid"


def test_law_03_a_closed_account_is_not_replaced_by_an_open_one(closed: User) -> None:
    opened = {"is_active": "TRUE", "closed_at": "NULL"}
    reopen = "DO UPDATE SET is_active = TRUE, closed_at = NULL"
    refused("rightsdesk guard user_", copied(User, closed.pk, "INSERT", f"ON CONFLICT (id) {reopen}", **opened))
    refused(
        "rightsdesk guard user_",
        copied(User, closed.pk, "INSERT", f"ON CONFLICT (email) {reopen}", **opened, id="987654"),
    )
    other = {**opened, "id": "987654"}
    for changed in (
        opened, {**other, "external_id": "'1'"}, {**other, "email": "'x@example.com'"},
        {**other, "email": "'GONE@example.com'", "external_id": "'1'"},
    ):  # fmt: skip
        refused("rightsdesk guard user_replace", copied(User, closed.pk, "INSERT OR REPLACE", **changed))
    assert not User.objects.get(pk=closed.pk).is_active


@pytest.mark.parametrize(
    "change", ["id = {pk}", "email = 'gone@example.com'", "email = 'Gone@Example.com'", "external_id = '4711'"]
)
def test_law_03_no_account_takes_the_place_of_a_closed_one(closed: User, change: str) -> None:
    other = User.objects.create_user("other@example.com")
    sql = f"UPDATE OR REPLACE {USER} SET {change.format(pk=closed.pk)} WHERE id = %s"
    refused("rightsdesk guard user_displace", sql, other.pk)
    assert User.objects.filter(pk=closed.pk).exists()


def test_an_account_is_not_closed_and_active(database: None) -> None:
    user = User.objects.create_user("here@example.com")
    refused("user_closed_is_not_active", f"UPDATE {USER} SET closed_at = CURRENT_TIMESTAMP WHERE id = %s", user.pk)


# --- nothing received is lost -----------------------------------------------------------------------------------------


def a_step(route: Route) -> Step:
    return Step.objects.create(request=route.releasing(), source="platform", kind=StepKind.CLOSE)


RECEIVED: dict[str, tuple[Callable[[Route], models.Model], dict[str, str]]] = {
    "case": (lambda r: drive.a_case(), {"uid": "'0'", "reference": "'RD-X'"}),
    "intake": (lambda r: drive.a_case().intakes.get(), {"uid": "'0'", "dedupe": "'x'"}),
    "step": (a_step, {"source": "'other'"}),
}


@pytest.mark.parametrize("name", RECEIVED)
def test_law_01_what_was_received_is_neither_deleted_nor_replaced(route: Route, name: str) -> None:
    build, unique = RECEIVED[name]
    row = build(route)
    table = row._meta.db_table
    before = everything(type(row), row.pk)
    refused(f"rightsdesk guard {name}_delete", f"DELETE FROM {table} WHERE id = %s", row.pk)
    refused(f"rightsdesk guard {name}_identity", f"UPDATE {table} SET id = 987654 WHERE id = %s", row.pk)
    refused(f"rightsdesk guard {name}_replace", copied(type(row), row.pk, "INSERT OR REPLACE", **unique))
    # A row with another key that shares one unique value pushes the old one out just as well.
    for shared in unique:
        changed = {column: value for column, value in unique.items() if column != shared}
        refused(
            f"rightsdesk guard {name}_replace", copied(type(row), row.pk, "INSERT OR REPLACE", **changed, id="987654")
        )
    assert everything(type(row), row.pk) == before


@pytest.mark.parametrize(
    ("name", "column"),
    [("case", "uid"), ("case", "reference"), ("intake", "uid"), ("intake", "dedupe"), ("step", "request_id")],
)
def test_law_01_nothing_takes_the_place_of_what_was_received(route: Route, name: str, column: str) -> None:
    build, _unique = RECEIVED[name]
    row, other = build(route), build(route)
    table = row._meta.db_table
    sql = f"UPDATE OR REPLACE {table} SET {column} = (SELECT {column} FROM {table} WHERE id = %s) WHERE id = %s"
    refused(f"rightsdesk guard {name}_", sql, row.pk, other.pk)
    assert type(row)._default_manager.filter(pk__in=[row.pk, other.pk]).count() == 2


# --- TRUNCATE ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [REQUEST, PLAN, USER, "dsar_tombstone", "dsar_auditevent", "dsar_checkpoint", "dsar_decision", "dsar_case",
     "dsar_intake", "dsar_step"],
)  # fmt: skip
def test_nothing_irreversible_is_truncated(route: Route, table: str) -> None:
    a_step(route)
    for how in ("CASCADE", "RESTART IDENTITY CASCADE"):
        refused("rightsdesk guard", f"TRUNCATE {table} {how}")


@pytest.mark.parametrize("parent", ["dsar_subject", USER])
def test_a_truncate_does_not_reach_requests_through_their_parents(route: Route, parent: str) -> None:
    request = route.releasing()
    refused("rightsdesk guard", f"TRUNCATE {parent} CASCADE")
    assert PrivacyRequest.objects.filter(pk=request.pk).exists()


# --- the ORM ----------------------------------------------------------------------------------------------------------


def test_law_03_the_orm_leads_nothing_back_either(route: Route) -> None:
    request = route.releasing()
    attacks: list[Callable[[], Any]] = [
        lambda: PrivacyRequest.objects.filter(pk=request.pk).update(state=State.REVIEW),
        lambda: PrivacyRequest.objects.filter(pk=request.pk).update(state=State.WITHDRAWN, confirmed_at=None),
        lambda: PrivacyRequest.objects.filter(pk=request.pk).update(confirmed_at=None),
        lambda: PrivacyRequest.objects.filter(pk=request.pk)._raw_delete("default"),
        lambda: PrivacyRequest.objects.bulk_create([_again(request)], update_conflicts=True, unique_fields=["id"],
                                                   update_fields=["state", "confirmed_at"]),
        lambda: PrivacyRequest.objects.bulk_create([_again(request)], ignore_conflicts=False),
        lambda: PrivacyRequest.objects.bulk_update([_again(request)], ["confirmed_at"]),
        lambda: _again(request).save(force_update=True),
        lambda: PrivacyRequest.objects.update_or_create(pk=request.pk, defaults={"confirmed_at": None}),
        lambda: PrivacyRequest.objects.create(case=request.case, right="deletion", state="releasing",
                                              received_at=timezone.now(), confirmed_at=timezone.now()),
    ]  # fmt: skip
    before = everything(PrivacyRequest, request.pk)
    for attack in attacks:
        with pytest.raises(IntegrityError), transaction.atomic():
            attack()
        assert everything(PrivacyRequest, request.pk) == before


def _again(request: PrivacyRequest) -> PrivacyRequest:
    """The same row as an object that knows no confirmation."""
    fields = {
        field.attname: getattr(request, field.attname) for field in PrivacyRequest._meta.concrete_fields
    } | {"confirmed_at": None, "state": str(State.REVIEW)}  # fmt: skip
    return PrivacyRequest(**fields)


def test_objects_are_not_deleted_through_the_orm(route: Route) -> None:
    request = route.releasing()
    for row in (request, request.case, Plan.objects.get(request=request), Intake.objects.get(case=request.case)):
        # Django itself protects what others point to; the rest meets the guard.
        with pytest.raises((IntegrityError, models.ProtectedError)), transaction.atomic():
            row.delete()
    for found in (AuditEvent.objects.all(), Case.objects.all(), PrivacyRequest.objects.all()):
        with pytest.raises((IntegrityError, models.ProtectedError)), transaction.atomic():
            found.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.update(what="nothing happened")
    with pytest.raises(IntegrityError), transaction.atomic():
        Checkpoint.objects.filter(pk=audit.checkpoint().pk).update(root="")


# --- the guards themselves --------------------------------------------------------------------------------------------


def test_every_guard_is_in_place_after_a_migrate(db: None) -> None:
    assert guards.missing() == []
    guards.require()
    guards.install()
    assert guards.missing() == []


@pytest.mark.parametrize("name", ["request_bound", "audit_update", "user_closed", "case_delete", "request_frozen"])
def test_a_dropped_guard_is_named_and_nothing_starts(db: None, name: str) -> None:
    guard = next(one for one in guards.guards() if one.name == name)
    run(f"DROP TRIGGER {guard.trigger}" + (f" ON {guard.table}" if POSTGRESQL else ""))
    assert guards.missing() == [name]
    with pytest.raises(ImproperlyConfigured, match=name):
        guards.require()
    with pytest.raises(ImproperlyConfigured, match=name):
        checks.require_all()
    guards.install()
    checks.require_all()


@pytest.mark.parametrize("name", ["request_bound", "request_frozen", "audit_delete"])
def test_an_altered_guard_is_named(db: None, name: str) -> None:
    guard = next(one for one in guards.guards() if one.name == name)
    made = [
        sql for sql in guards.statements(guard, connection.vendor) if not sql.startswith("CREATE OR REPLACE FUNCTION")
    ]
    for sql in made:
        if guard.lookup and POSTGRESQL:
            continue
        harmless = " WHEN (OLD.id < 0)" if POSTGRESQL else " WHEN OLD.id < 0"
        run(
            sql.partition(" FOR EACH ROW")[0] + " FOR EACH ROW" + harmless + " " + _action(sql)
            if "CREATE" in sql
            else sql
        )
    if guard.lookup and POSTGRESQL:
        run(
            f"CREATE OR REPLACE FUNCTION {guard.trigger}() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN NEW; END $$"
        )
    assert guards.missing() == [name]
    guards.install()
    assert guards.missing() == []


def _action(sql: str) -> str:
    word = "EXECUTE FUNCTION" if POSTGRESQL else "BEGIN SELECT"
    return word + sql.partition(word)[2]


def test_a_guard_that_is_switched_off_is_named(db: None) -> None:
    for how in ("DISABLE TRIGGER", "ENABLE REPLICA TRIGGER"):
        if POSTGRESQL:
            run(f"ALTER TABLE {REQUEST} {how} guard_request_bound")
        else:
            # SQLite switches no single trigger off: dropping it is the only way.
            run("DROP TRIGGER IF EXISTS guard_request_bound")
        assert guards.missing() == ["request_bound"]


def test_a_guard_that_an_older_version_put_there_is_not_enough(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    before = guards.guards()
    changed = [replace(one, message="Said differently.") if one.name == "audit_delete" else one for one in before]
    monkeypatch.setattr(guards, "guards", lambda: changed)
    assert guards.missing() == ["audit_delete"]


def test_a_guard_whose_function_lets_everything_pass_is_named(db: None) -> None:
    passing = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
    if POSTGRESQL:
        run(f"CREATE OR REPLACE FUNCTION guard_refuse() {passing}")
    else:
        # SQLite has no functions of its own; the nearest is a trigger that does nothing.
        for name in ("request_bound", "audit_delete"):
            table, event = (REQUEST, "UPDATE") if name == "request_bound" else ("dsar_auditevent", "DELETE")
            run(f"DROP TRIGGER guard_{name}")
            run(f"CREATE TRIGGER guard_{name} BEFORE {event} ON {table} BEGIN SELECT 1; END")
    assert {"request_bound", "audit_delete"} <= set(guards.missing())


def test_a_guard_on_the_wrong_table_is_no_guard(db: None) -> None:
    guard = next(one for one in guards.guards() if one.name == "audit_delete")
    run(f"DROP TRIGGER {guard.trigger}" + (f" ON {guard.table}" if POSTGRESQL else ""))
    run(guards.statements(guard, connection.vendor)[-1].replace("dsar_auditevent", "dsar_message"))
    assert guards.missing() == ["audit_delete"]


def test_the_guards_outlive_a_table_that_a_migration_rebuilds(desk: None) -> None:
    old = PrivacyRequest._meta.get_field("paused_reason")
    new = models.CharField(max_length=41, blank=True)
    new.set_attributes_from_name("paused_reason")
    new.model = PrivacyRequest
    try:
        with connection.schema_editor() as editor:
            editor.alter_field(PrivacyRequest, old, new)
        # SQLite rebuilt the table and forgot its triggers; nothing starts before they are back.
        assert (guards.missing() != []) == (not POSTGRESQL)
        emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
        assert guards.missing() == []
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(PrivacyRequest, new, old)
        guards.install()
    assert guards.missing() == []


def test_a_partial_migrate_is_waited_out(db: None) -> None:
    run("ALTER TABLE dsar_checkpoint RENAME TO dsar_checkpoint_away")
    guards.install_after_migrate()
    run("ALTER TABLE dsar_checkpoint_away RENAME TO dsar_checkpoint")
    guards.install_after_migrate()
    assert guards.missing() == []


def test_every_guarded_table_is_one_of_ours() -> None:
    tables = {model._meta.db_table for model in apps.get_models()}
    assert {guard.table for guard in guards.guards()} <= tables
    names = [guard.name for guard in guards.guards()]
    assert len(names) == len(set(names))
