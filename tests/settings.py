"""The product's settings, and what only a test run needs. The environment is set in tests/environment.py."""

import sys

from config.settings import *  # noqa: F403
from config.settings import DATABASES, STORAGES

# Hashing a password slowly is the point in production and half a test run's time here.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
# Each test client builds the middleware anew, and reading every static file takes it longer than the test. The running
# house reads them once, as in production.
WHITENOISE_AUTOREFRESH = "pytest" in sys.modules
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, because the house's other processes open it too.
    DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"]}
    # Rows that nobody ordered come backwards, so that nothing relies on the order in which they happen to lie.
    DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA reverse_unordered_selects=ON;"
