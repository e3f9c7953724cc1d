"""The fresh look before each chunk: kill switch, sources, retention, plan (laws 4, 5, 9)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as configured
from django.db import IntegrityError
from django.utils import timezone

from dsar import audit, keys
from dsar.datamap import loader
from dsar.enums import HoldStatus, Outcome, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import control, erasure, held_step, locating, lookout, runner
from dsar.fulfilment import plan as plans
from dsar.models import Actor, House, Plan, PrivacyRequest, Step, Tombstone
from dsar.review import holds
from dsar.workflow import Conflict, Forbidden
from tests import drive, house
from tests.drive import CAST
from tests.fulfilment.released import (
    CLAIMS,
    FULFIL,
    body_of,
    erasing,
    left_of,
    soon,
)

pytestmark = pytest.mark.usefixtures("own_journal", "as_shipped")


# --- undisturbed, for comparison --------------------------------------------------------------------------------------


def test_undisturbed_everything_goes_but_what_the_law_keeps_and_the_neighbour(company: None, approver: Actor) -> None:
    neighbour = house.everything_of(house.user_id(CAST.neighbour) or 0)
    before = left_of()
    request = drive.released(approver)
    drive.carry_out()
    done = drive.fresh(request.pk)
    assert (done.state, done.outcome, done.attention) == (State.COMPLETED, Outcome.GRANTED_IN_PART, "")
    assert house.user_id(CAST.plain) is None
    assert before["prompts"] > 0
    assert house.everything_of(house.user_id(CAST.neighbour) or 0) == neighbour
    assert Tombstone.objects.filter(request_id=request.pk).exists()
    steps = Step.objects.filter(request=request).exclude(kind=StepKind.LATER)
    assert {step.status for step in steps} == {StepStatus.DONE}
    assert audit.verify() == []


# --- law 5: no erasure without … --------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [drive.confirming, drive.confirmed], ids=["not confirmed", "not released"])
def test_law_05_a_step_that_somebody_slipped_in_is_not_even_claimed(
    company: None, build: Callable[[], PrivacyRequest]
) -> None:
    request = build()
    before = left_of()
    Step.objects.create(request=request, source="platform", kind=StepKind.ERASE, position=20)
    assert runner.claim(*FULFIL) is None
    drive.carry_out()
    assert left_of() == before


def test_law_05_the_work_itself_refuses_what_is_not_released(company: None) -> None:
    """Even a step that is handed to the worker by force."""
    request = drive.confirmed()
    before = left_of()
    step = Step.objects.create(
        request=request, source="platform", kind=StepKind.ERASE, position=20, status=StepStatus.LEASED, token=1,
        lease_until=timezone.now() + timedelta(seconds=60),
    )  # fmt: skip
    runner.work(Step.objects.select_related("request__case").get(pk=step.pk))
    assert left_of() == before
    assert Step.objects.get(pk=step.pk).reason == StepReason.PLAN_CHANGED


def test_law_04_nobody_releases_inside_the_quiet_period(company: None, approver: Actor, settings: object) -> None:
    settings.QUIET_PERIOD = timedelta(hours=72)  # type: ignore[attr-defined]
    request = drive.confirmed()
    before = left_of()
    with pytest.raises(Conflict):
        control.release(request.pk, actor=approver)
    drive.carry_out()
    assert left_of() == before
    # The account is shut all the same, at once and in the company's systems.
    (row,) = house.rows("users", email=CAST.plain)
    assert row["status"] == "closed"


@pytest.mark.parametrize("nobody", ["", "noreply@example.com", "unknown@example.com", "n/a@example.com"])
def test_law_05_a_placeholder_reaches_nobody(company: None, nobody: str) -> None:
    body = plans.build(nobody, keys.email_index(nobody), "eu_gdpr", timezone.localdate())
    assert {found["status"] for key, found in body["sources"].items() if key != "backups"} <= {"none", "unknown"}
    assert not plans.anything_held(body)


# --- the kill switch --------------------------------------------------------------------------------------------------


def test_law_05_the_kill_switch_stops_everything_and_switched_off_the_work_goes_on(
    request_: PrivacyRequest, approver: Actor
) -> None:
    before = left_of()
    control.kill_switch(True, actor=approver)
    drive.carry_out()
    assert left_of() == before
    assert (StepStatus.QUEUED, StepReason.KILL_SWITCH) in {
        (step.status, step.reason) for step in Step.objects.filter(request=request_)
    }
    assert drive.fresh(request_.pk).attention == StepReason.KILL_SWITCH
    control.kill_switch(False, actor=approver)
    drive.carry_out()
    assert drive.fresh(request_.pk).state == State.COMPLETED
    assert drive.fresh(request_.pk).attention == ""


def test_law_05_the_kill_switch_is_looked_at_before_each_chunk(
    request_: PrivacyRequest, approver: Actor, settings: object
) -> None:
    settings.CHUNK_ROWS = 2  # type: ignore[attr-defined]
    held = in_the_middle(request_)
    after_one = left_of()
    control.kill_switch(True, actor=approver)
    source, ref = held_step.reach(held)
    with pytest.raises(lookout.Stop, match="kill_switch"):
        erasure.t1_intent(held, source, ref)
    assert left_of() == after_one
    assert House.objects.get().kill_switch


def in_the_middle(request: PrivacyRequest) -> held_step.Held:
    """A worker that has erased and recorded one chunk of the platform and is about to take the next."""
    while True:
        step = runner.claim(*FULFIL, request.pk)
        assert step is not None
        if (step.source, step.kind) == ("platform", StepKind.ERASE):
            break
        runner.work(step)
    held = held_step.hold(step)
    source, ref = held_step.reach(held)
    intent, redo = erasure.t1_intent(held, source, ref)
    outcome = erasure.t2_company(held, source, ref, intent, redo=redo)
    erasure.t3_record(held, intent, outcome)
    assert not intent.last
    return held


def test_law_05_a_hold_that_is_placed_between_two_chunks_stops_the_second(
    request_: PrivacyRequest, approver: Actor, settings: object
) -> None:
    settings.CHUNK_ROWS = 2  # type: ignore[attr-defined]
    held = in_the_middle(request_)
    after_one = left_of()
    hold = holds.place(CAST.plain, CLAIMS, soon(), actor=approver, weighed="So.")
    # A worker is at it: nobody may rely on the hold yet, and yet its next chunk does not happen.
    assert hold.status == HoldStatus.PLACING
    source, ref = held_step.reach(held)
    with pytest.raises(lookout.Stop, match="hold"):
        erasure.t1_intent(held, source, ref)
    assert left_of() == after_one


def test_only_those_who_may_switch(request_: PrivacyRequest, handler: Actor) -> None:
    for act in (
        lambda: control.kill_switch(True, actor=handler),
        lambda: control.switch_source("platform", False, actor=handler),
    ):
        with pytest.raises(Forbidden):
            act()
    assert not House.objects.get().kill_switch


# --- sources ----------------------------------------------------------------------------------------------------------


def test_law_09_a_source_that_is_off_waits_by_name_and_stops_nobody_else(
    request_: PrivacyRequest, approver: Actor
) -> None:
    before = left_of()
    control.switch_source("platform", False, actor=approver)
    drive.carry_out()
    assert left_of() == before
    waiting = {
        step.reason for step in Step.objects.filter(request=request_, source="platform", status=StepStatus.QUEUED)
    }
    assert StepReason.SOURCE_OFF in waiting
    assert drive.fresh(request_.pk).attention == StepReason.SOURCE_OFF
    others = Step.objects.filter(request=request_, kind=StepKind.ERASE).exclude(source="platform")
    assert all(step.status == StepStatus.DONE for step in others)
    control.switch_source("platform", True, actor=approver)
    drive.carry_out()
    assert drive.fresh(request_.pk).state == State.COMPLETED


def test_a_source_that_is_off_does_not_delay_the_confirmation(company: None, approver: Actor) -> None:
    control.switch_source("platform", False, actor=approver)
    request = drive.by_web(CAST.plain)
    drive.proven_by_link(request.case)
    locating.drain()
    found = drive.fresh(request.pk)
    assert found.state == State.CONFIRMING
    assert ("platform", "prompts") in erasing(body_of(found))


# --- the data map -----------------------------------------------------------------------------------------------------


@pytest.fixture
def data_map(settings: object, tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], None]], None]:
    """Changes the company's data map while the work is under way."""

    def change(how: Callable[[dict[str, Any]], None]) -> None:
        content = yaml.safe_load(Path(configured.DATA_MAP).read_text())
        how(content)
        path = tmp_path / "changed.yaml"
        path.write_text(yaml.safe_dump(content))
        settings.DATA_MAP = path  # type: ignore[attr-defined]
        loader.current()

    return change


def no_retention(content: dict[str, Any]) -> None:
    del content["sources"]["platform"]["tables"]["invoices"]["retention"]


def keeps_more(content: dict[str, Any]) -> None:
    tables = content["sources"]["platform"]["tables"]
    tables["searches"]["retention"] = [
        {"code": "EU_LEGAL_OBLIGATION", "anchor": "created_at", "counted_from": "event", "years": 3}
    ]


def no_platform(content: dict[str, Any]) -> None:
    del content["sources"]["platform"]


@pytest.mark.parametrize("change", [no_retention, keeps_more, no_platform])
def test_law_05_a_rule_that_changed_after_the_confirmation_sends_the_step_to_a_person(
    request_: PrivacyRequest, data_map: Callable[..., None], change: Callable[[dict[str, Any]], None]
) -> None:
    before = left_of()
    data_map(change)
    drive.carry_out()
    assert left_of() == before
    blocked = {
        step.reason for step in Step.objects.filter(request=request_, source="platform", status=StepStatus.BLOCKED)
    }
    assert blocked & {StepReason.PLAN_CHANGED, StepReason.ERROR}
    assert drive.fresh(request_.pk).state == State.FULFILLING
    assert drive.fresh(request_.pk).attention


def test_a_frozen_plan_that_somebody_swapped_is_not_carried_out(request_: PrivacyRequest) -> None:
    """A newer plan that nobody froze changes nothing; the frozen one cannot be touched (guards)."""
    body = body_of(request_)
    locating.store(drive.fresh(request_.pk), body | {"items": []})
    with pytest.raises(IntegrityError):
        Plan.objects.filter(request=request_, frozen_at__isnull=False).update(digest="0" * 64)
    drive.carry_out()
    assert drive.fresh(request_.pk).state == State.COMPLETED
