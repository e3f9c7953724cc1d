"""The database ends its connections: whoever held one opens another."""

import pytest
from django.db import connection

from tests import drive
from tests.house import CAST, House, mail_to

pytestmark = pytest.mark.once


def test_law_07_connections_that_ended_between_two_tasks_cost_a_worker_nothing(stack: House) -> None:
    link = "Please confirm that this request is yours"
    drive.by_web(CAST.plain)
    mail_to(CAST.plain, link)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone()[0] > 0
    drive.by_web(CAST.neighbour)
    mail_to(CAST.neighbour, link)
