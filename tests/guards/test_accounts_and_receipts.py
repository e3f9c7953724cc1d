"""Closed accounts stay closed; what was received stays."""

import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.models import User
from dsar.enums import Right, StepKind
from dsar.models import Choice, Evidence, Message, OwnerTask, PrivacyRequest, Step
from dsar.notices import MessageStatus
from tests import drive
from tests.drive import Route
from tests.guards.attacks import PLAN, REQUEST, USER, copied, everything, refused

# --- closed accounts --------------------------------------------------------------------------------------------------


@pytest.fixture
def closed(db: None) -> User:
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


@pytest.mark.usefixtures("both_ways")
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


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(
    "change", ["id = {pk}", "email = 'gone@example.com'", "email = 'Gone@Example.com'", "external_id = '4711'"]
)
@pytest.mark.only_sqlite
def test_law_03_no_account_takes_the_place_of_a_closed_one(closed: User, change: str) -> None:
    other = User.objects.create_user("other@example.com")
    sql = f"UPDATE OR REPLACE {USER} SET {change.format(pk=closed.pk)} WHERE id = %s"
    refused("rightsdesk guard user_displace", sql, other.pk)
    assert User.objects.filter(pk=closed.pk).exists()


def test_an_account_is_not_closed_and_active(db: None) -> None:
    user = User.objects.create_user("here@example.com")
    refused("user_closed_is_not_active", f"UPDATE {USER} SET closed_at = CURRENT_TIMESTAMP WHERE id = %s", user.pk)


# --- nothing received is lost -----------------------------------------------------------------------------------------


def a_step(route: Route) -> Step:
    return Step.objects.create(request=route.releasing(), source="platform", kind=StepKind.CLOSE)


TODAY = timezone.localdate()
RECEIVED: dict[str, tuple[Callable[[Route], models.Model], dict[str, str]]] = {
    "case": (lambda r: drive.a_case(), {"uid": "'0'", "reference": "'RD-X'"}),
    "intake": (lambda r: drive.a_case().intakes.get(), {"uid": "'0'", "dedupe": "'x'"}),
    "step": (a_step, {"source": "'other'"}),
    "evidence": (lambda r: Evidence.objects.create(request=drive.a_request(), size=1), {"uid": "'0'"}),
    "ownertask": (lambda r: OwnerTask.objects.create(step=a_step(r), due_on=TODAY), {"step_id": "0"}),
    "message": (
        lambda r: Message.objects.create(case=drive.a_case(), status=MessageStatus.RECEIVED, dedupe=uuid.uuid4().hex),
        {"dedupe": "'x'"},
    ),
    "choice": (
        lambda r: Choice.objects.create(kind=Right.OPT_OUT_SALE, email_index=uuid.uuid4().hex, since=timezone.now()),
        {"kind": "'marketing_opt_out'"},
    ),
}


@pytest.mark.usefixtures("both_ways")
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


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(
    ("name", "column"),
    [("case", "uid"), ("case", "reference"), ("intake", "uid"), ("intake", "dedupe"), ("step", "request_id"),
     ("evidence", "uid"), ("ownertask", "step_id"), ("message", "dedupe"), ("choice", "email_index")],
)  # fmt: skip
@pytest.mark.only_sqlite
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
     "dsar_intake", "dsar_step", "dsar_evidence", "dsar_ownertask", "dsar_message", "dsar_choice"],
)  # fmt: skip
@pytest.mark.only_postgresql
def test_nothing_irreversible_is_truncated(route: Route, table: str) -> None:
    a_step(route)
    for how in ("CASCADE", "RESTART IDENTITY CASCADE"):
        refused("rightsdesk guard", f"TRUNCATE {table} {how}")


@pytest.mark.parametrize("parent", ["dsar_subject", USER])
@pytest.mark.only_postgresql
def test_a_truncate_does_not_reach_requests_through_their_parents(route: Route, parent: str) -> None:
    request = route.releasing()
    refused("rightsdesk guard", f"TRUNCATE {parent} CASCADE")
    assert PrivacyRequest.objects.filter(pk=request.pk).exists()


def test_a_choice_that_was_taken_back_may_go_and_be_made_again(db: None) -> None:
    index = uuid.uuid4().hex
    made = {"kind": Right.OPT_OUT_SALE, "email_index": index, "since": timezone.now()}
    Choice.objects.create(**made, taken_back_at=timezone.now())
    Choice.objects.create(**made)
    Choice.objects.filter(email_index=index, taken_back_at__isnull=False).delete()
    assert Choice.objects.of(index).standing().count() == 1
