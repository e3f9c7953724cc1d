"""The bell: the broker only says "look". Without it nothing is lost, and nobody waits."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings as configured
from django.db import transaction

from dsar import bell, tasks
from dsar.enums import Lane, State
from dsar.intake import submit, web
from dsar.models import Intake
from dsar.supervisor import broker as embedded
from tests import drive, house

CEILING = 1.0  # law 7: an answer to a person takes under a second more


@pytest.fixture(autouse=True)
def _closed_circuit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test begins with a circuit that lets calls through and a client of its own."""
    monkeypatch.setattr(bell, "_closed_until", 0.0)
    bell.client.cache_clear()
    yield
    bell.client.cache_clear()


@pytest.fixture
def heard(broker: str) -> Iterator[redis.Redis]:
    """The broker of this run, its lanes silent."""
    client = bell.client()

    def silence() -> None:
        client.delete(configured.CELERY_TASK_DEFAULT_QUEUE, *(bell.bell_key(lane) for lane in Lane))

    silence()
    yield client
    silence()


@pytest.fixture
def own_broker(tmp_path: Path, settings: object) -> Iterator[subprocess.Popen[bytes]]:
    """A broker of this test alone, to be stopped and killed."""
    path = tmp_path / "b.sock"
    process = subprocess.Popen(
        embedded.command(path, tmp_path / "data"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    house.wait_for(lambda: embedded.answers(path), 10, "the broker")
    settings.REDIS_URL = f"unix://{path}"  # type: ignore[attr-defined]
    bell.client.cache_clear()
    yield process
    process.kill()
    process.wait()


def queued(client: redis.Redis) -> list[dict[str, object]]:
    return [json.loads(raw) for raw in client.lrange(configured.CELERY_TASK_DEFAULT_QUEUE, 0, -1)]


def arguments(message: dict[str, object]) -> object:
    import base64

    return json.loads(base64.b64decode(str(message["body"])))[0]


def timed(lanes: int = 1) -> float:
    began = time.monotonic()
    for _ in range(lanes):
        assert bell.strike(Lane.MAIL) is False
    return time.monotonic() - began


# --- with a broker ----------------------------------------------------------------------------------------------------


def test_many_rings_are_one_message_that_names_a_lane_and_nothing_else(heard: redis.Redis) -> None:
    assert [bell.strike(Lane.MAIL) for _ in range(20)] == [True] + [False] * 19
    (message,) = queued(heard)
    assert arguments(message) == ["mail"]


def test_each_lane_has_a_bell_of_its_own(heard: redis.Redis) -> None:
    assert all(bell.strike(lane) for lane in Lane)
    assert sorted(arguments(message)[0] for message in queued(heard)) == sorted(Lane)  # type: ignore[index]


def test_a_bell_nobody_answers_rings_again_after_ten_seconds(heard: redis.Redis) -> None:
    bell.strike(Lane.MAIL)
    assert 0 < heard.pttl(bell.bell_key(Lane.MAIL)) <= 10_000


def test_the_bell_is_taken_down_before_the_work_so_that_a_ring_meanwhile_is_heard(
    heard: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def work(*_: object) -> int:
        seen.append(heard.exists(bell.bell_key(Lane.INTAKE)))
        seen.append(bell.strike(Lane.INTAKE))
        return 7

    monkeypatch.setitem(tasks.LANES, Lane.INTAKE, work)
    bell.strike(Lane.INTAKE)
    assert tasks.drain("intake") == 7
    assert seen == [0, True]
    assert len(queued(heard)) == 2


def test_a_ring_waits_for_the_commit_and_a_rollback_is_silent(heard: redis.Redis, desk: None) -> None:
    with transaction.atomic():
        bell.ring(Lane.MAIL, Lane.LOCATE)
        assert queued(heard) == []
    assert {arguments(message)[0] for message in queued(heard)} == {"mail", "locate"}  # type: ignore[index]
    bell.answer(Lane.MAIL)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        bell.ring(Lane.MAIL)
        _ = 1 / 0
    assert len(queued(heard)) == 2


def test_law_07_after_the_broker_was_emptied_the_sweep_rings_every_lane(heard: redis.Redis) -> None:
    for lane in Lane:
        bell.strike(lane)
    heard.delete(configured.CELERY_TASK_DEFAULT_QUEUE, *(bell.bell_key(lane) for lane in Lane))
    tasks.ring_all()
    assert sorted(arguments(message)[0] for message in queued(heard)) == sorted(Lane)  # type: ignore[index]


def test_law_07_every_lane_has_its_work_and_an_empty_lane_is_no_error(heard: redis.Redis, desk: None) -> None:
    assert set(tasks.LANES) == set(Lane)
    assert [tasks.drain(str(lane)) for lane in Lane] == [0] * len(Lane)


# --- without one ------------------------------------------------------------------------------------------------------


def test_law_07_a_broker_that_is_not_there_costs_nobody_a_second(settings: object, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path / 'nobody.sock'}"  # type: ignore[attr-defined]
    before = bell.counters["failed"]
    assert timed() < CEILING
    assert bell.counters["failed"] == before + 1


def test_law_07_a_broker_that_hangs_costs_nobody_a_second(own_broker: subprocess.Popen[bytes]) -> None:
    # Met once while it was well, so that a connection is open: a hanging one is worse than none.
    assert bell.client().ping()
    os.kill(own_broker.pid, signal.SIGSTOP)
    try:
        assert timed() < CEILING
        # The circuit is open now: the next hundred cost nothing and do not even try.
        assert timed(100) < 0.1
    finally:
        os.kill(own_broker.pid, signal.SIGCONT)


def test_law_07_a_broker_that_is_killed_in_the_middle_costs_nobody_a_second(
    own_broker: subprocess.Popen[bytes],
) -> None:
    assert bell.client().ping()
    own_broker.kill()
    own_broker.wait()
    assert timed() < CEILING


@pytest.mark.parametrize(
    "says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-LOADING wait\r\n", b"\x00\xff\x00", b"$-5\r\n", b""]
)
def test_law_07_whatever_answers_in_its_place_raises_nothing(settings: object, tmp_path: Path, says: bytes) -> None:
    path = tmp_path / "odd.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    done = threading.Event()

    def answer() -> None:
        listener.settimeout(0.05)
        while not done.is_set():
            try:
                connected, _ = listener.accept()
            except TimeoutError:
                continue
            with connected:
                connected.sendall(says)

    thread = threading.Thread(target=answer)
    thread.start()
    settings.REDIS_URL = f"unix://{path}"  # type: ignore[attr-defined]
    try:
        assert timed() < CEILING
        bell.answer(Lane.MAIL)
        assert timed() < CEILING
    finally:
        done.set()
        thread.join()
        listener.close()


def test_law_07_a_wrong_password_or_a_full_broker_raises_nothing(own_broker: subprocess.Popen[bytes]) -> None:
    bell.client().config_set("maxmemory", "1")
    assert timed() < CEILING
    bell.client().config_set("requirepass", "secret")
    bell.client.cache_clear()
    assert timed() < CEILING


def test_law_07_while_the_broker_hangs_a_form_is_received_within_the_second(
    own_broker: subprocess.Popen[bytes], desk: None
) -> None:
    os.kill(own_broker.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        request = drive.by_web("somebody@example.com")
        assert time.monotonic() - began < CEILING
    finally:
        os.kill(own_broker.pid, signal.SIGCONT)
    assert request.state == State.VERIFYING
    assert Intake.objects.get().case_id == request.case_id


def test_law_07_the_worker_takes_the_bell_down_even_where_there_is_none(settings: object, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path / 'nobody.sock'}"  # type: ignore[attr-defined]
    before = bell.counters["failed"]
    bell.answer(Lane.MAIL)
    assert bell.counters["failed"] == before + 1


def test_law_01_what_was_stored_and_not_opened_is_opened_by_the_lane(desk: None) -> None:
    """The web process dies between storing and opening: the row is found without any message."""
    raw = drive.form_bytes("stored@example.com")
    _intake, fresh = submit.receive("web", raw, "web:stored")  # type: ignore[arg-type]
    assert fresh
    assert Intake.objects.get().case_id is None
    assert tasks.drain("intake") == 1
    case = Intake.objects.get().case
    assert case is not None
    assert case.email == "stored@example.com"
    assert tasks.drain("intake") == 0
    assert web.process(Intake.objects.get(), raw) == case
