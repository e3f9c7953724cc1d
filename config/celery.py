"""The Celery app. Its settings, the beat schedule too, stand in settings.py; they are read when first needed."""

import gc
import os
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_prerun, worker_init, worker_ready
from django.conf import settings
from django.db import close_old_connections

# What is loaded at a start is no garbage, and looking for some after every 700 objects costs a tenth of the start. This
# module is the first of ours that any process loads.
gc.set_threshold(50_000, 20, 20)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Celery runs Django's checks at each start, a third of its time, and looks at none of what they find. What must hold is
# required below.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("rightsdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["dsar"])
# Celery closes the connection to the database before and after every task; a bell costs a new one each time. What a
# connection is worth is asked by Django instead, as in the web (CONN_MAX_AGE, CONN_HEALTH_CHECKS).
app.conf["CELERY_DB_REUSE_MAX"] = 1000
task_prerun.connect(lambda **_: close_old_connections(), weak=False)


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Celery would otherwise replace the configured handlers."""
    import logging.config

    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
def refuse_without_keys_and_guards(**_: Any) -> None:
    """A worker without keys or guards must not touch anything; it says which is missing and ends."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import connections
    from django.template import engines

    from dsar.checks import require_all

    try:
        require_all()
    except ImproperlyConfigured as error:
        raise SystemExit(f"The worker does not start. {error}") from None
    finally:
        # The children open their own connections; one that is shared across a fork is nobody's.
        connections.close_all()
    # Letters are templates and hold links: what they need is loaded once, not by each child.
    import_module(settings.ROOT_URLCONF)
    engines.all()
    # What was loaded by now stays for good: the children share it, and collect only garbage of their own.
    gc.collect()
    gc.freeze()


@worker_ready.connect
def look_once_at_start(**_: Any) -> None:
    """A worker looks when it starts: what was queued while no worker ran must not wait for the next sweep."""
    from dsar.tasks import ring_all

    ring_all.delay()
