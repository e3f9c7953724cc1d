"""The broker only rings the bell (law 7): it is stopped, emptied and killed, and nothing is lost."""

import signal
import time

import pytest
import redis

from tests.crash import scene
from tests.crash.conftest import Stage
from tests.house import CAST, Person, mail_to, wait_for

pytestmark = pytest.mark.once

AT_MOST = 1.0  # seconds more than otherwise


def test_a_broker_that_hangs_costs_a_person_less_than_a_second(stage: Stage, person: Person) -> None:
    scene.a_person()
    taken = []
    for address, hanging in ((CAST.unknown, False), (CAST.plain, True)):
        person.open("/ask/deletion/")
        if hanging:
            stage.broker.signal(signal.SIGSTOP)
        begun = time.monotonic()
        person.send("", email=address, country="DE")
        taken.append(time.monotonic() - begun)
        assert person.page is not None
        assert person.page.url.path == "/received/"
    stage.broker.signal(signal.SIGCONT)
    assert taken[1] < taken[0] + AT_MOST
    mail_to(CAST.plain)


def test_emptied_in_the_middle_of_an_erasure(stage: Stage, undisturbed: scene.End) -> None:
    run = scene.begin()
    run.closed()
    stage.orders.arm("t2.platform:before", nth=2, what="STOP")
    run.release()
    wait_for(stage.orders.fired, what="the middle")
    redis.Redis(unix_socket_path=str(stage.broker.path)).flushall()
    stage.wake()
    run.finished()
    scene.same(run.end(), undisturbed)


def test_killed_in_the_middle_and_started_again(stage: Stage, undisturbed: scene.End) -> None:
    run = scene.begin()
    run.closed()
    stage.orders.arm("t2.platform:commit", nth=2)
    stage.orders.arm("claim.erase.platform:after", nth=2, what="STOP")
    run.release()
    wait_for(lambda: len(stage.deaths()) == 2, what="the middle")
    stage.broker.kill()
    stage.broker.start()
    stage.wake()
    run.finished(60)
    scene.same(run.end(), undisturbed)
