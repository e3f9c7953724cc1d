"""The environment of a test run, set before Django's settings are read: a folder of its own, keys, short periods."""

import base64
import os
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="rightsdesk-tests-"))


def _named_test(url: str) -> str:
    """The URL of the database that Django's test runner makes beside the given one."""
    base, _, query = url.partition("?")
    head, _, name = base.rpartition("/")
    return f"{head}/test_{name}" + (f"?{query}" if query else "")


os.environ.setdefault("VAR_DIR", str(HOME))
os.environ["RIGHTSDESK_MASTER_KEYS"] = "test:" + base64.b64encode(b"m" * 32).decode()
os.environ["RIGHTSDESK_ROOT_KEY"] = base64.b64encode(b"r" * 32).decode()
os.environ["SECRET_KEY"] = "a key for tests alone, which signs nothing that lasts"
os.environ["EMAIL_BACKEND"] = "dsar.notifications.folder.FolderBackend"
os.environ["CELERY_QUEUE"] = f"tests-{os.getpid()}"
os.environ["QUIET_PERIOD_HOURS"] = "0"
os.environ["RETRY_SECONDS"] = "1"
os.environ["LOCATE_SECONDS"] = "0"
os.environ["SWEEP_SECONDS"] = "1"
os.environ["STAFF_MFA_REQUIRED"] = "0"
os.environ["HTTPS"] = "0"
os.environ["ALLOWED_HOSTS"] = "localhost,127.0.0.1,testserver"
os.environ["ANYMAIL_WEBHOOK_SECRET"] = "inbound:a-secret-for-tests"
os.environ["ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY"] = "a-signing-key-for-tests"
os.environ["BASE_URL"] = "http://127.0.0.1:8999"

DATABASE_URL = os.environ.get("DATABASE_URL", "")
if DATABASE_URL.startswith("postgres"):
    TEST_DATABASE_URL = _named_test(DATABASE_URL)
    os.environ["COMPANY_DATABASE_URL"] = "postgresql+psycopg://" + TEST_DATABASE_URL.partition("://")[2]
else:
    TEST_DATABASE_URL = os.environ["DATABASE_URL"] = f"sqlite:///{HOME / 'desk.sqlite3'}"
    os.environ["COMPANY_DATABASE_URL"] = f"sqlite:///{HOME / 'company.sqlite3'}"
