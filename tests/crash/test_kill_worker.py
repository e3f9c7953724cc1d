"""SIGKILL of a worker at every point of its work: the same end as an undisturbed run, the letter's counts included."""

import pytest

from dsar.enums import StepKind
from tests.crash import scene
from tests.crash.conftest import Stage
from tests.house import wait_for

# Killed inside each of the transactions, just before its commit; these run on both databases.
COMMITS = ["t1.platform:commit", "t2.platform:commit", "t3.platform:commit", "ending:commit"]
# Between the transactions and after them: one death after the other, in one deletion. `nth` counts chunks.
BETWEEN = [
    ("claim.erase.platform:after", 1),
    ("t1.platform:after", 2),
    ("t2.platform:after", 3),
    ("t3.platform:after", 4),
    ("verify:before", 1),
    ("verify:after", 1),
    ("ending:committed", 1),
]


@pytest.mark.parametrize("point", COMMITS)
def test_a_worker_killed_at_a_commit_is_replaced_to_the_same_end(
    point: str, stage: Stage, undisturbed: scene.End
) -> None:
    run = scene.begin()
    run.closed()
    stage.orders.arm(point, nth=2 if point.startswith("t") else 1)
    run.release()
    run.finished()
    assert stage.deaths() == [point]
    scene.same(run.end(), undisturbed)


@pytest.mark.once
def test_workers_killed_between_all_steps_are_replaced_to_the_same_end(stage: Stage, undisturbed: scene.End) -> None:
    run = scene.begin()
    run.closed()
    for point, nth in BETWEEN:
        stage.orders.arm(point, nth=nth)
    run.release()
    run.finished(90)
    assert stage.deaths() == [point for point, _nth in BETWEEN]
    scene.same(run.end(), undisturbed)


@pytest.mark.once
def test_a_worker_killed_after_closing_and_after_refunding_does_both_once(stage: Stage, undisturbed: scene.End) -> None:
    run = scene.begin()
    points = ["record.close.platform:before", "record.settle.platform:before"]
    for point in points:
        stage.orders.arm(point)
    run.confirm()
    wait_for(lambda: not run.open_steps(StepKind.CLOSE), what="closing")
    run.post_is_out()
    run.release()
    run.finished()
    assert stage.deaths() == points
    scene.same(run.end(), undisturbed)


@pytest.mark.once
def test_a_worker_killed_around_sending_sends_at_least_once_under_the_same_name(
    stage: Stage, undisturbed: scene.End
) -> None:
    run = scene.begin()
    run.closed()
    stage.orders.arm("send:before")
    stage.orders.arm("send:after")
    run.release()
    run.finished()
    assert stage.deaths() == ["send:before", "send:after"]
    # Killed before it was handed over: nothing. Killed after: once more, with the same Message-ID and the same words.
    scene.same(run.end(letters_expected=2), undisturbed)


@pytest.mark.once
def test_the_whole_worker_killed_loses_nothing(stage: Stage, undisturbed: scene.End) -> None:
    run = scene.begin()
    run.closed()
    stage.orders.arm("t2.platform:commit", nth=2, what="ALL")
    run.release()
    wait_for(lambda: stage.house.processes["worker"].poll() is not None, what="the worker's death")
    stage.start_worker()
    run.finished()
    scene.same(run.end(), undisturbed)
