"""Two workers on one step, a worker that sleeps past its lease: nothing happens twice, nothing that is held goes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import Role
from dsar.enums import HoldStatus, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import control, runner
from dsar.models import Actor, LegalHold
from dsar.review import holds
from tests import drive
from tests.crash import scene
from tests.crash.conftest import Stage
from tests.house import CAST, fresh_company, wait_for

pytestmark = pytest.mark.once


def test_of_many_workers_one_gets_the_step(stage: Stage, approver: Actor) -> None:
    stage.silence()
    fresh_company()
    request = drive.released(approver, CAST.plain)
    sources = set(request.steps.exclude(status=StepStatus.DONE).values_list("source", flat=True))
    gate = Barrier(8)

    def claim(_number: int) -> tuple[int, int] | None:
        gate.wait()
        try:
            step = runner.claim([StepKind.SETTLE, StepKind.ERASE], [State.FULFILLING], request.pk)
            return (step.pk, step.token) if step else None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        claimed = [one for one in pool.map(claim, range(8)) if one]
    # One step of each source: what comes later there waits its turn.
    assert len(claimed) == len({pk for pk, _token in claimed}) == len(sources)
    leased = request.steps.filter(status=StepStatus.LEASED).values_list("pk", "token")
    assert set(leased) == set(claimed)
    assert all(token == 1 for _pk, token in claimed)


# Inside the company's transaction (rows changed, nothing committed), at its commit, and after it.
ASLEEP = ["check.platform:before", "t2.platform:commit", "t3.platform:before"]


@pytest.mark.parametrize("point", ASLEEP)
def test_a_worker_asleep_past_its_lease_harms_nothing(point: str, stage: Stage, undisturbed: scene.End) -> None:
    run = scene.begin()
    run.closed()
    stage.orders.arm(point, nth=2, what="STOP")
    run.release()
    wait_for(stage.orders.fired, what="the sleeper")
    fence = run.step().token
    if settings.POSTGRESQL or point == "t3.platform:before":
        run.finished()
    else:
        # Inside its transaction the sleeper keeps the SQLite file locked; PostgreSQL ends the transaction by itself.
        wait_for(lambda: run.step().token > fence, what="the next worker")
    stage.wake_and_wait("work.erase.platform:after")
    run.finished()
    assert run.step().token > fence
    scene.same(run.end(), undisturbed)


def place_a_hold() -> LegalHold:
    """An approver places a hold on the person."""
    approver = drive.person_of_the_desk(Role.APPROVER)
    day = timezone.localdate() + timedelta(days=30)
    return holds.place(CAST.plain, "EU_LEGAL_CLAIMS", day, actor=approver, weighed="So.")


def held_back(run: scene.Scene) -> None:
    """The hold is in force, and the step says so."""
    wait_for(lambda: LegalHold.objects.get().status == HoldStatus.ACTIVE, what="the hold")
    wait_for(lambda: run.step().status == StepStatus.BLOCKED, what="the block")
    assert run.step().reason == run.request.attention == StepReason.HOLD


def test_a_sleeper_erases_nothing_once_a_hold_is_active(stage: Stage, undisturbed: scene.End) -> None:
    run = scene.begin()
    run.closed()
    before = scene.whole_company()
    # Each chunk is checked twice: this is the second one's check before the commit, its rows already changed.
    stage.orders.arm("check.platform:before", nth=4, what="STOP")
    run.release()
    wait_for(stage.orders.fired, what="the sleeper")
    place_a_hold()
    held_back(run)
    after_one_chunk = scene.whole_company()
    assert after_one_chunk != before
    stage.wake_and_wait("work.erase.platform:after")
    assert scene.whole_company() == after_one_chunk
    # Lifted, it goes on by itself and ends as if nothing had been.
    holds.lift(LegalHold.objects.get().pk, actor=drive.person_of_the_desk(Role.APPROVER))
    run.finished()
    scene.same(run.end(), undisturbed)


if settings.POSTGRESQL:

    def test_a_hold_is_not_in_force_while_a_worker_that_did_not_see_it_may_begin(stage: Stage) -> None:
        """Asleep between its look at the holds and its commit, past the lease that everybody sees.

        (On SQLite such a sleeper holds the only writer's place: nobody could place a hold.)
        """
        run = scene.begin()
        run.closed()
        stage.orders.arm("look:after", nth=3, what="STOP")
        run.release()
        wait_for(stage.orders.fired, what="the sleeper")
        after_one_chunk = scene.whole_company()
        wait_for(lambda: (run.step().lease_until or timezone.now()) < timezone.now(), what="the end of the lease")
        assert place_a_hold().status == HoldStatus.PLACING
        stage.wake_and_wait("work.erase.platform:after")
        held_back(run)
        assert scene.whole_company() == after_one_chunk


def test_three_lost_claims_block_the_step_by_name_and_the_desk_tries_again(
    stage: Stage, undisturbed: scene.End
) -> None:
    run = scene.begin()
    run.closed()
    stage.orders.arm("t2.platform:commit", nth=2, times=3)
    run.release()
    wait_for(lambda: run.step().status == StepStatus.BLOCKED, 30, "the block")
    assert run.step().claims == settings.MAX_CLAIMS == 3
    assert run.step().reason == run.request.attention == StepReason.LOST_CLAIMS
    assert set(stage.deaths()) == {"t2.platform:commit"}
    stage.orders.clear()
    assert control.retry(run.pk, actor=drive.person_of_the_desk(Role.HANDLER)) == 1
    run.finished()
    scene.same(run.end(), undisturbed)
