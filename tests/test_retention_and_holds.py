"""The fresh look before each chunk: kill switch, holds, sources, retention, plan; narrowing; disputes (laws 3 to 6)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as configured
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import User
from dsar import audit, keys
from dsar.datamap import loader
from dsar.enums import HoldStatus, Notice, Outcome, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import control, locating, lookout, runner
from dsar.fulfilment import plan as plans
from dsar.models import Actor, House, LegalHold, Message, Plan, PrivacyRequest, Step, Tombstone
from dsar.review import clock, decide, holds
from dsar.verification import confirmation
from dsar.workflow import Conflict, Forbidden
from tests import drive, house
from tests.drive import CAST

pytestmark = pytest.mark.usefixtures("own_journal")

CLAIMS = "EU_LEGAL_CLAIMS"
FULFIL: tuple[Any, Any] = ([StepKind.SETTLE, StepKind.ERASE], [State.FULFILLING])


@pytest.fixture(autouse=True)
def _as_shipped(settings: object) -> None:
    """What is put back waits its half minute: one look of the workers is one try."""
    settings.RETRY_AFTER = timedelta(seconds=30)  # type: ignore[attr-defined]


def soon() -> Any:
    return timezone.localdate() + timedelta(days=30)


def left_of(address: str = CAST.plain) -> dict[str, int]:
    """How many rows of a person each table of the company holds."""
    identity = house.user_id(address)
    return {name: len(rows) for name, rows in house.everything_of(identity).items()} if identity else {}


def erase_steps(request: PrivacyRequest, **only: object) -> list[Step]:
    return list(Step.objects.filter(request=request, kind=StepKind.ERASE, **only).order_by("pk"))


def reasons(request: PrivacyRequest) -> set[tuple[str, str]]:
    return set(erase_step_states(request).values())


def erase_step_states(request: PrivacyRequest) -> dict[str, tuple[str, str]]:
    return {step.source: (step.status, step.reason) for step in erase_steps(request)}


def body_of(request: PrivacyRequest) -> dict[str, Any]:
    plan = confirmation.current_plan(request)
    assert plan is not None
    return plan.body()


def erasing(body: dict[str, Any]) -> set[tuple[str, str]]:
    return {(item["source"], item["category"]) for item in body["items"] if item["action"] in plans.ERASING}


@pytest.fixture
def request_(company: None, approver: Actor) -> PrivacyRequest:
    """Released, nothing carried out yet."""
    return drive.released(approver)


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
    source, ref = runner.reach(held)
    with pytest.raises(lookout.Stop, match="kill_switch"):
        runner.t1_intent(held, source, ref)
    assert left_of() == after_one
    assert House.objects.get().kill_switch


def in_the_middle(request: PrivacyRequest) -> runner.Held:
    """A worker that has erased and recorded one chunk of the platform and is about to take the next."""
    while True:
        step = runner.claim(*FULFIL, request.pk)
        assert step is not None
        if (step.source, step.kind) == ("platform", StepKind.ERASE):
            break
        runner.work(step)
    held = runner.hold(step)
    source, ref = runner.reach(held)
    intent, redo = runner.t1_intent(held, source, ref)
    outcome = runner.t2_company(held, source, ref, intent, redo=redo)
    runner.t3_record(held, intent, outcome)
    assert not intent.last
    return held


def test_law_05_a_hold_that_is_placed_between_two_chunks_stops_the_second(
    request_: PrivacyRequest, approver: Actor, settings: object
) -> None:
    settings.CHUNK_ROWS = 2  # type: ignore[attr-defined]
    held = in_the_middle(request_)
    after_one = left_of()
    hold = holds.place(CAST.plain, CLAIMS, soon(), actor=approver)
    # A worker is at it: nobody may rely on the hold yet, and yet its next chunk does not happen.
    assert hold.status == HoldStatus.PLACING
    source, ref = runner.reach(held)
    with pytest.raises(lookout.Stop, match="hold"):
        runner.t1_intent(held, source, ref)
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


# --- holds ------------------------------------------------------------------------------------------------------------


def test_law_06_a_hold_before_the_confirmation_is_weighed_by_a_person_and_shown_to_the_requester(
    company: None, approver: Actor
) -> None:
    hold = holds.place(CAST.plain, CLAIMS, soon(), actor=approver)
    assert hold.status == HoldStatus.ACTIVE
    request = drive.by_web(CAST.plain)
    drive.proven_by_link(request.case)
    locating.drain()
    weighed = drive.fresh(request.pk)
    assert weighed.state == State.REVIEW
    assert "hold" in weighed.judgement
    body = body_of(weighed)
    kept = {item["code"] for item in body["items"] if item["source"] == "platform"}
    assert kept == {CLAIMS}
    assert all(item["citation"] for item in body["items"] if item["code"] == CLAIMS)
    before = left_of()
    decide.approve(request.pk, actor=approver)
    plan = confirmation.current_plan(weighed)
    assert plan is not None
    confirmation.confirm(request.pk, plan.digest)
    control.release(request.pk, actor=approver)
    drive.carry_out()
    done = drive.fresh(request.pk)
    assert (done.state, done.outcome) == (State.COMPLETED, Outcome.GRANTED_IN_PART)
    # Sessions went with the closing of the account and a refund that is due came in; all else stays under the hold.
    after = left_of()
    assert {name for name, number in before.items() if after.get(name, 0) < number} <= {"sessions"}


def test_law_05_a_hold_after_the_confirmation_blocks_by_name_and_lifted_the_work_goes_on(
    request_: PrivacyRequest, approver: Actor
) -> None:
    before = left_of()
    hold = holds.place(CAST.plain, CLAIMS, soon(), actor=approver)
    drive.carry_out()
    assert left_of() == before
    blocked = Step.objects.filter(request=request_, status=StepStatus.BLOCKED)
    assert {step.reason for step in blocked} == {StepReason.HOLD}
    assert drive.fresh(request_.pk).attention == StepReason.HOLD
    holds.lift(hold.pk, actor=approver)
    drive.carry_out()
    done = drive.fresh(request_.pk)
    assert (done.state, done.attention) == (State.COMPLETED, "")


def test_two_holds_are_lifted_one_by_one(request_: PrivacyRequest, approver: Actor) -> None:
    before = left_of()
    first, second = (holds.place(CAST.plain, CLAIMS, soon(), actor=approver) for _ in range(2))
    drive.carry_out()
    holds.lift(first.pk, actor=approver)
    drive.carry_out()
    assert left_of() == before
    holds.lift(second.pk, actor=approver)
    drive.carry_out()
    assert drive.fresh(request_.pk).state == State.COMPLETED


def test_a_hold_on_one_source_lets_the_others_go(request_: PrivacyRequest, approver: Actor) -> None:
    before = left_of()
    holds.place(CAST.plain, CLAIMS, soon(), actor=approver, sources=("platform",))
    drive.carry_out()
    assert left_of() == before
    states = erase_step_states(request_)
    assert states.pop("platform")[1] in (StepReason.HOLD, "")
    assert all(status == StepStatus.DONE for status, _reason in states.values())


def test_a_hold_on_somebody_else_stops_nothing(request_: PrivacyRequest, approver: Actor) -> None:
    holds.place(CAST.neighbour, CLAIMS, soon(), actor=approver)
    drive.carry_out()
    assert drive.fresh(request_.pk).state == State.COMPLETED


def test_a_hold_is_placing_until_no_live_lease_touches_its_scope(request_: PrivacyRequest, approver: Actor) -> None:
    step = runner.claim(*FULFIL, request_.pk)
    assert step is not None
    hold = holds.place(CAST.plain, CLAIMS, soon(), actor=approver)
    elsewhere = holds.place(CAST.plain, CLAIMS, soon(), actor=approver, sources=("no-such-source",))
    assert (hold.status, elsewhere.status) == (HoldStatus.PLACING, HoldStatus.ACTIVE)
    assert holds.settle_placing() == 0
    Step.objects.filter(pk=step.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    clock.sweep()
    assert LegalHold.objects.get(pk=hold.pk).status == HoldStatus.ACTIVE


@pytest.mark.parametrize(
    ("email", "code", "days"),
    [
        ("", CLAIMS, 30), ("noreply@example.com", CLAIMS, 30), (CAST.plain, "LEGAL_HOLD", 30), (CAST.plain, "", 30),
        (CAST.plain, "BUSINESS_NECESSITY", 30), (CAST.plain, CLAIMS, 0), (CAST.plain, CLAIMS, -1),
    ],
)  # fmt: skip
def test_law_06_a_hold_needs_a_person_a_basis_in_law_and_a_day_of_review(
    desk: None, approver: Actor, email: str, code: str, days: int
) -> None:
    with pytest.raises(decide.Invalid):
        holds.place(email, code, timezone.localdate() + timedelta(days=days), actor=approver)
    assert not LegalHold.objects.exists()


def test_holds_are_for_approvers(desk: None, handler: Actor, approver: Actor) -> None:
    with pytest.raises(Forbidden):
        holds.place(CAST.plain, CLAIMS, soon(), actor=handler)
    hold = holds.place(CAST.plain, CLAIMS, soon(), actor=approver)
    with pytest.raises(Forbidden):
        holds.lift(hold.pk, actor=handler)
    holds.lift(hold.pk, actor=approver)
    lifted = LegalHold.objects.get(pk=hold.pk).lifted_at
    holds.lift(hold.pk, actor=approver)
    assert LegalHold.objects.get(pk=hold.pk).lifted_at == lifted


# --- narrowing --------------------------------------------------------------------------------------------------------


def test_law_03_narrowing_only_shrinks_and_the_person_is_told(request_: PrivacyRequest, approver: Actor) -> None:
    before, all_erasing = left_of(), erasing(body_of(request_))
    narrowed = control.narrow(request_.pk, {("platform", "prompts")}, CLAIMS, "A court asked for them.", actor=approver)
    assert narrowed.state == State.FULFILLING
    assert erasing(body_of(narrowed)) == all_erasing - {("platform", "prompts")}
    assert Plan.objects.filter(request=request_, frozen_at__isnull=False).count() == 2
    assert Message.objects.filter(request=request_, notice=Notice.NARROWED).count() == 1
    drive.carry_out()
    done = drive.fresh(request_.pk)
    assert (done.state, done.outcome) == (State.COMPLETED, Outcome.GRANTED_IN_PART)
    # What is kept stays row by row; the person behind it is a shell.
    assert len(house.rows("prompts", user_id=done_user(before))) == before["prompts"]
    assert house.rows("searches", user_id=done_user(before)) == []


def done_user(_before: dict[str, int]) -> int:
    """The company's number of the ordinary person, from a demo that is always made alike."""
    prompts = {row["user_id"] for row in house.rows("prompts")}
    counted = [number for number in prompts if len(house.rows("prompts", user_id=number)) == _before["prompts"]]
    return int(str(counted[0]))


def test_law_03_narrowing_again_never_widens(request_: PrivacyRequest, approver: Actor) -> None:
    control.narrow(request_.pk, {("platform", "prompts")}, CLAIMS, "A reason.", actor=approver)
    second = control.narrow(request_.pk, {("platform", "searches")}, CLAIMS, "Another.", actor=approver)
    assert not erasing(body_of(second)) & {("platform", "prompts"), ("platform", "searches")}
    with pytest.raises(control.Invalid):
        control.narrow(request_.pk, {("platform", "prompts")}, CLAIMS, "Once more.", actor=approver)


@pytest.mark.parametrize(
    ("keep", "code", "text"),
    [
        (set(), CLAIMS, "A reason."),
        ({("platform", "no-such-category")}, CLAIMS, "A reason."),
        ({("nowhere", "prompts")}, CLAIMS, "A reason."),
        ({("platform", "prompts")}, "LEGAL_HOLD", "A reason."),
        ({("platform", "prompts")}, "BUSINESS_NECESSITY", "A reason."),
        ({("platform", "prompts")}, "CA_SECURITY", "A reason of another law."),
        ({("platform", "prompts")}, "", "A reason."),
        ({("platform", "prompts")}, CLAIMS, "   "),
    ],
)
def test_law_06_narrowing_needs_something_to_keep_a_valid_reason_and_words(
    request_: PrivacyRequest, approver: Actor, keep: set[tuple[str, str]], code: str, text: str
) -> None:
    with pytest.raises(control.Invalid):
        control.narrow(request_.pk, keep, code, text, actor=approver)
    assert Plan.objects.filter(request=request_, frozen_at__isnull=False).count() == 1


def test_a_handler_does_not_narrow_and_nobody_narrows_before_the_confirmation(
    company: None, handler: Actor, approver: Actor
) -> None:
    request = drive.confirming()
    with pytest.raises(Conflict):
        control.narrow(request.pk, {("platform", "prompts")}, CLAIMS, "A reason.", actor=approver)
    bound = drive.confirmed(CAST.neighbour)
    with pytest.raises(Forbidden):
        control.narrow(bound.pk, {("platform", "prompts")}, CLAIMS, "A reason.", actor=handler)


def test_law_03_narrowed_to_nothing_is_a_denial_with_its_letter_and_the_account_stays_shut(
    company: None, approver: Actor
) -> None:
    user = User.objects.create_user(CAST.plain)
    request = drive.confirmed()
    before = left_of()
    ended = control.narrow(request.pk, erasing(body_of(request)), CLAIMS, "All of it is evidence.", actor=approver)
    assert (ended.state, ended.outcome) == (State.COMPLETED, Outcome.DENIED)
    assert Message.objects.filter(request=request, notice=Notice.REFUSED).count() == 1
    drive.carry_out()
    assert left_of() == before
    assert not User.objects.get(pk=user.pk).is_active


def test_a_category_narrowed_out_under_a_hold_lets_the_rest_go_on(request_: PrivacyRequest, approver: Actor) -> None:
    """The hold blocks the source; keeping everything of it by the hold's own basis is what unblocks it."""
    holds.place(CAST.plain, CLAIMS, soon(), actor=approver, sources=("platform",))
    drive.carry_out()
    before = left_of()
    platform = {pair for pair in erasing(body_of(request_)) if pair[0] == "platform"}
    control.narrow(request_.pk, platform, CLAIMS, "A court asked for it.", actor=approver)
    drive.carry_out()
    assert left_of() == before


# --- disputes ---------------------------------------------------------------------------------------------------------


def test_law_04_this_was_not_me_stops_the_steps_and_not_the_clock(request_: PrivacyRequest) -> None:
    before, due = left_of(), request_.due_on
    (disputed,) = confirmation.not_me(request_.case)
    assert (disputed.state, disputed.due_on, disputed.attention) == (State.FULFILLING, due, "disputed")
    drive.carry_out()
    assert left_of() == before
    assert Message.objects.filter(request=request_, notice=Notice.DISPUTE_NOTED).count() == 1
    # Saying it twice changes nothing, and what is not confirmed yet is withdrawn.
    assert confirmation.not_me(request_.case) == []


def test_law_04_two_people_find_a_dispute_unfounded_and_the_work_goes_on(
    request_: PrivacyRequest, approver: Actor, second_approver: Actor
) -> None:
    confirmation.not_me(request_.case)
    drive.carry_out()
    first = decide.judge_dispute(request_.pk, False, "The link was used from the same device.", actor=approver)
    assert first.disputed_at is not None
    with pytest.raises(decide.Invalid):
        decide.judge_dispute(request_.pk, False, "I say it again.", actor=approver)
    drive.carry_out()
    assert drive.fresh(request_.pk).state == State.FULFILLING
    second = decide.judge_dispute(request_.pk, False, "I agree.", actor=second_approver)
    assert second.disputed_at is None
    drive.carry_out()
    assert drive.fresh(request_.pk).state == State.COMPLETED


def test_law_04_two_people_find_a_dispute_founded_and_nothing_more_is_erased(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    user = User.objects.create_user(CAST.plain)
    request = drive.released(approver)
    before = left_of()
    confirmation.not_me(request.case)
    decide.judge_dispute(request.pk, True, "It was somebody else.", actor=approver)
    assert drive.fresh(request.pk).state == State.FULFILLING
    ended = decide.judge_dispute(request.pk, True, "I agree.", actor=second_approver)
    assert (ended.state, ended.outcome) == (State.COMPLETED, Outcome.DENIED)
    drive.carry_out()
    assert left_of() == before
    # The account never reopens, not even for the victim of an impostor.
    assert not User.objects.get(pk=user.pk).is_active


def test_law_04_two_people_who_disagree_decide_nothing(
    request_: PrivacyRequest, approver: Actor, second_approver: Actor
) -> None:
    confirmation.not_me(request_.case)
    decide.judge_dispute(request_.pk, True, "Founded.", actor=approver)
    undecided = decide.judge_dispute(request_.pk, False, "Unfounded.", actor=second_approver)
    assert (undecided.state, undecided.disputed_at is None) == (State.FULFILLING, False)


def test_law_04_findings_of_an_earlier_dispute_do_not_count_for_the_next(
    request_: PrivacyRequest, approver: Actor, second_approver: Actor
) -> None:
    confirmation.not_me(request_.case)
    for one in (approver, second_approver):
        decide.judge_dispute(request_.pk, False, "Unfounded.", actor=one)
    confirmation.not_me(request_.case)
    again = decide.judge_dispute(request_.pk, False, "Unfounded.", actor=approver)
    assert again.disputed_at is not None


def test_a_dispute_is_judged_by_approvers_with_words_and_only_where_there_is_one(
    request_: PrivacyRequest, handler: Actor, approver: Actor
) -> None:
    with pytest.raises(Conflict):
        decide.judge_dispute(request_.pk, True, "There is none.", actor=approver)
    confirmation.not_me(request_.case)
    with pytest.raises(Forbidden):
        decide.judge_dispute(request_.pk, True, "Not mine to say.", actor=handler)
    with pytest.raises(decide.Invalid):
        decide.judge_dispute(request_.pk, True, "  ", actor=approver)


def test_two_parallel_findings_of_one_person_are_one(
    request_: PrivacyRequest, approver: Actor, second_approver: Actor
) -> None:
    confirmation.not_me(request_.case)
    results = drive.at_once(10, lambda _: decide.judge_dispute(request_.pk, True, "Founded.", actor=approver))
    assert sum(isinstance(one, PrivacyRequest) for one in results) == 1
    assert drive.fresh(request_.pk).state == State.FULFILLING
