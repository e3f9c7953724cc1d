"""The Celery worker of the house with the drill in it: `celery -A tests.crash.drill_worker worker`."""

import django

from config.celery import app

django.setup()

from dsar.connectors import sql_engine  # noqa: E402  models are there only now
from tests.crash import drill  # noqa: E402

drill.install()
# The company's own limits, shortened as the lease is: who waits for a sleeper waits a second.
sql_engine.LOCK_SECONDS = 1
sql_engine._LIMITS = sql_engine._LIMITS.replace("'5s'", "'1s'").replace("'10s'", "'1s'")

__all__ = ["app"]
