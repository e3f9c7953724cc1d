"""The web application of the house with the drill in it: `gunicorn tests.crash.drill_web:application`."""

import django

django.setup()

from tests.crash import drill  # noqa: E402  models are there only now

drill.install()

from config.wsgi import application  # noqa: E402  views come after the drill

__all__ = ["application"]
