"""Fixtures of the guards' tests."""

from collections.abc import Iterator

import pytest
from django.db import connection

pytest.register_assert_rewrite("tests.guards.attacks")

from tests.guards.attacks import POSTGRESQL  # noqa: E402  its assertions are rewritten from here on


@pytest.fixture(autouse=True)
def _journal(own_journal: None) -> None:
    """A journal of each test's own."""


@pytest.fixture(params=["recursive_triggers on"] if POSTGRESQL else ["recursive_triggers on", "recursive_triggers off"])
def both_ways(db: None, request: pytest.FixtureRequest) -> Iterator[None]:
    """On SQLite with and without recursive triggers: off, OR REPLACE passes a delete trigger."""
    if POSTGRESQL:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA recursive_triggers = {request.param.rpartition(' ')[2]}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers = on")
