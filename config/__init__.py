"""Settings, addresses, the Celery app."""

import gc

# What is loaded at a start is no garbage, and looking for some after every 700 objects costs a tenth of the start.
gc.set_threshold(50_000, 20, 20)

from config.celery import app as celery_app  # noqa: E402  loads nearly everything

__all__ = ["celery_app"]
