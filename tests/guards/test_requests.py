"""Requests against raw SQL and the ORM: what is confirmed, what has ended, what never goes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from dsar import audit
from dsar.enums import BOUND_STATES, Outcome, Right, State
from dsar.models import (
    REQUESTER,
    SYSTEM,
    AuditEvent,
    Case,
    Checkpoint,
    Intake,
    Plan,
    PrivacyRequest,
)  # fmt: skip
from dsar.workflow import move
from tests import drive
from tests.drive import Route
from tests.guards.attacks import REQUEST, UNBOUND, copied, everything, refused

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


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("stage", ["verifying", "releasing", "fulfilling", "completed"])
@pytest.mark.only_sqlite
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


@pytest.mark.usefixtures("both_ways")
@pytest.mark.only_sqlite
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
        "refused": lambda: move(drive.proposed(route.review()).pk, "refuse", actor=route.approver),
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
        "state = 'withdrawn'", "state = 'withdrawn', outcome = 'withdrawn'",
        "state = 'completed', ended_at = CURRENT_TIMESTAMP",
        "outcome = 'granted'", "ended_at = CURRENT_TIMESTAMP",
    ):  # fmt: skip
        refused("request_ends_with_an_outcome", f"UPDATE {REQUEST} SET {sql} WHERE id = %s", request.pk)


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
