"""The stage of the drills: a broker, a worker and a beat of their own, with short leases and small chunks."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from dsar.models import House
from dsar.supervisor import broker as embedded
from tests import house
from tests.crash.drill import Orders

pytest.register_assert_rewrite("tests.crash.scene")

from tests.crash import scene  # noqa: E402  its assertions are rewritten from here on


class Broker:
    """An embedded broker that may be stopped, emptied and killed without harm to others."""

    def __init__(self) -> None:
        self.path = settings.VAR_DIR / "drill.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it (again), until it answers."""
        self.process = subprocess.Popen(
            embedded.command(self.path, settings.VAR_DIR / "drill-broker"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        house.wait_for(lambda: embedded.answers(self.path), 10, "the broker")

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass
class Stage:
    """What a drill works with."""

    house: house.House
    broker: Broker
    orders: Orders

    def start_worker(self, **extra: str) -> None:
        """The drilled worker, started anew."""
        self.house.kill("worker")
        self.house.start_worker(module="tests.crash.drill_worker", **extra)

    def start_web(self) -> None:
        """The drilled web server, where it does not run yet. Requests opened by it carry the known number."""
        if "web" not in self.house.processes:
            self.house.start(
                "web", "-m", "gunicorn", "tests.crash.drill_web", "--bind", f"127.0.0.1:{self.house.port}",
                "--workers", "1", "--threads", "4", "--no-control-socket", "--log-level", "warning",
                DRILL_UID=str(scene.UID),
            )  # fmt: skip
        house.wait_for(self.house.answers, 30, "the web server")

    def deaths(self) -> list[str]:
        """The points at which somebody died or fell asleep, in order."""
        return [point for point, _pid in self.orders.fired()]

    def silence(self) -> None:
        """Nobody rings any more, until the end of the test: the workers of the stage do nothing."""
        self.house.processes["beat"].send_signal(signal.SIGSTOP)

    def wake(self) -> list[int]:
        """SIGCONT to every process that fell asleep; returns which."""
        sleepers = [pid for _point, pid in self.orders.fired()]
        for pid in sleepers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        return sleepers

    def wake_and_wait(self, point: str) -> None:
        """Wake the one sleeper and wait until it has come to a point."""
        number = len(self.deaths())
        self.orders.arm(point, times=100, what="NOTE")
        (sleeper,) = self.wake()
        house.wait_for(lambda: sleeper in dict(map(reversed, self.orders.fired()[number:])), what="the sleeper's end")


@pytest.fixture(scope="package")
def theatre(django_db_setup: None, django_db_blocker: object) -> Iterator[Stage]:
    """Started once for all drills; workers of other houses rest meanwhile, or they would do the drilled one's work."""
    broker = Broker()
    broker.start()
    orders = Orders(Path(settings.VAR_DIR) / "orders.json")
    made = house.House(
        extra={
            "REDIS_URL": f"unix://{broker.path}", "CELERY_QUEUE": f"drills-{os.getpid()}", "DRILL": str(orders.path),
            "LEASE_SECONDS": "2", "CHUNK_ROWS": "5", "RETRY_SECONDS": "1", "MAX_RETRIES": "1000",
        }
    )  # fmt: skip
    stage = Stage(made, broker, orders)
    with house.at_rest():
        try:
            stage.start_worker()
            made.start_beat()
            yield stage
        finally:
            made.stop()
            broker.kill()


@pytest.fixture
def stage(desk: None, theatre: Stage) -> Iterator[Stage]:
    """The stage with an empty desk and no orders."""
    theatre.orders.clear()
    yield theatre
    theatre.house.processes["beat"].send_signal(signal.SIGCONT)
    theatre.wake()
    theatre.orders.clear()


@pytest.fixture
def person(stage: Stage) -> Iterator[house.Person]:
    """Somebody with a browser, and the drilled web server."""
    stage.start_web()
    somebody = house.Person(stage.house.url)
    yield somebody
    somebody.client.close()


_undisturbed: list[scene.End] = []


@pytest.fixture
def undisturbed(stage: Stage) -> scene.End:
    """How it ends when nobody dies. Carried out by the same worker, once."""
    if not _undisturbed:
        run = scene.begin()
        run.closed()
        run.release()
        run.finished()
        _undisturbed.append(run.end())
        house.wipe()
        House.objects.get_or_create(pk=1)
    return _undisturbed[0]
