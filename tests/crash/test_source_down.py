"""A company database that cannot be reached when the person confirms."""

import pytest
from django.conf import settings

from accounts.models import User
from dsar.enums import State, StepKind, StepReason, StepStatus
from tests.crash import scene
from tests.crash.conftest import Stage
from tests.house import wait_for

pytestmark = pytest.mark.once


def nowhere() -> str:
    """An address at which nobody answers."""
    if settings.POSTGRESQL:
        return "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    return f"sqlite:///{settings.VAR_DIR / 'nothing.sqlite3'}"


def test_the_account_is_shut_at_the_commit_and_the_rest_follows_once_the_source_is_back(
    stage: Stage, undisturbed: scene.End
) -> None:
    stage.start_worker(COMPANY_DATABASE_URL=nowhere())
    run = scene.begin()
    run.confirm()
    assert run.request.state == State.RELEASING
    assert not User.objects.get(pk=scene.ACCOUNT).is_active
    wait_for(lambda: run.request.attention == StepReason.UNREACHABLE, what="the named reason")
    assert run.open_steps(StepKind.CLOSE) == [("close", "platform", StepStatus.QUEUED, StepReason.UNREACHABLE)]
    stage.start_worker()
    wait_for(lambda: not run.open_steps(StepKind.CLOSE), 30, "closing")
    assert run.request.attention == ""
    run.post_is_out()
    run.release()
    run.finished()
    scene.same(run.end(), undisturbed)
