"""SIGKILL of a worker at every point of its work: the same end as an undisturbed run, the letter's counts included."""

import pytest

from tests.crash import scene
from tests.crash.conftest import Stage
from tests.house import wait_for

# One per commit point; these run on both databases.
COMMITS = ["t1.platform:commit", "t2.platform:commit", "t3.platform:commit", "ending:commit"]
BETWEEN = [
    "claim.erase.platform:after", "t1.platform:after", "t2.platform:after", "t3.platform:after", "verify:before",
    "verify:after", "record.erase.platform:commit", "entomb:after", "ending:committed",
]  # fmt: skip


@pytest.mark.parametrize("point", [*COMMITS, *(pytest.param(point, marks=pytest.mark.once) for point in BETWEEN)])
def test_a_killed_worker_s_step_resumes_to_the_same_end(point: str, stage: Stage, undisturbed: scene.End) -> None:
    run = scene.begin()
    run.closed()
    in_the_middle = point.startswith("t")
    stage.orders.arm(point, nth=2 if in_the_middle else 1)
    run.release()
    wait_for(stage.orders.fired, what=f"the kill at {point}")
    run.finished()
    scene.same(run.end(), undisturbed)
