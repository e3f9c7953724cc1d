"""WSGI entry point for gunicorn. Refuses to start without keys and guards, saying which is missing."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from dsar.checks import require_all  # noqa: E402  models are there only now

require_all()
