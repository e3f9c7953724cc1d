"""The bell: one key and one message per lane. The broker only says "look"; what there is to do stands in the database.

Messages carry no ids. A bell that cannot be rung costs the person nothing: the sweep rings again within seconds.
"""

import time
from functools import lru_cache, partial

import redis
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from dsar.enums import Lane

BELL_SECONDS = 10
SOCKET_SECONDS = 0.2
OPEN_CIRCUIT_SECONDS = 5.0

counters = {"rung": 0, "already": 0, "failed": 0}
_closed_until = 0.0


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """A client with short time-outs: an answer to a person waits for nobody."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS, retry=None
    )


def bell_key(lane: str) -> str:
    """The key that says "this lane was rung and nobody has looked yet"."""
    return f"{settings.CELERY_TASK_DEFAULT_QUEUE}:bell:{lane}"


def ring(*lanes: Lane) -> None:
    """Ring once the transaction commits. `robust`: a bell that fails must not undo what was promised to a person."""
    for lane in lanes:
        transaction.on_commit(partial(strike, lane), robust=True)


def strike(lane: Lane) -> bool:
    """Set the bell key and publish, unless it is already set. Errors are counted, never raised. True if published.

    The key goes first, through a client that gives up after 0.2 s: `delay()` against a dead broker takes a second
    and more, so it is called only where the broker has just answered.
    """
    global _closed_until
    if time.monotonic() < _closed_until:
        counters["failed"] += 1
        return False
    try:
        if not client().set(bell_key(lane), b"1", nx=True, ex=BELL_SECONDS):
            counters["already"] += 1
            return False
        current_app.send_task("dsar.drain", [str(lane)], retry=False, ignore_result=True)
    except (redis.RedisError, OperationalError, OSError):
        _closed_until = time.monotonic() + OPEN_CIRCUIT_SECONDS
        counters["failed"] += 1
        return False
    counters["rung"] += 1
    return True


def has_rung(lane: Lane) -> bool:
    """Ring, and say whether somebody will look: because of this ring, or of an earlier one that nobody has answered."""
    failed = counters["failed"]
    return strike(lane) or counters["failed"] == failed


class Turn:
    """One process's turn at a lane. A backlog is shared: others are called in; and no lane waits for another to be
    empty: after a while the process rings for the rest and gives way to whatever has been rung meanwhile."""

    SECONDS = 2.0

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self._until = time.monotonic() + self.SECONDS
        self._called = False

    def call_others(self) -> None:
        """There is more than one piece of work: ring once, so that another process joins."""
        if not self._called:
            self._called = True
            strike(self.lane)

    def is_over(self) -> bool:
        """Whether to stop here. Only where the bell could be rung for what is left."""
        return time.monotonic() >= self._until and has_rung(self.lane)


def answer(lane: Lane) -> None:
    """The worker takes the bell down *before* it looks, so that a ring during its work is heard again."""
    try:
        client().delete(bell_key(lane))
    except (redis.RedisError, OSError):
        counters["failed"] += 1
