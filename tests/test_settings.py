"""What is shipped, read in a process of its own: the values of a test run say nothing about them."""

import base64
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.house import ROOT

PRODUCTION = {
    "SECRET_KEY": "a secret", "ALLOWED_HOSTS": "privacy.example.com", "BASE_URL": "https://privacy.example.com",
    "RIGHTSDESK_MASTER_KEYS": "k1:" + base64.b64encode(b"m" * 32).decode(),
    "RIGHTSDESK_ROOT_KEY": base64.b64encode(b"r" * 32).decode(),
}  # fmt: skip


def start(tmp_path: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a clean environment, as an installation would have it."""
    clean = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "config.settings",
             "VAR_DIR": str(tmp_path), "LOG_LEVEL": "ERROR"}  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def values(tmp_path: Path, *names: str, **environment: str) -> dict[str, object]:
    """Settings as they come out; durations in seconds."""
    code = (
        "import json, datetime\nfrom django.conf import settings\n"
        "plain = lambda v: v.total_seconds() if isinstance(v, datetime.timedelta) else v\n"
        f"print(json.dumps({{name: plain(getattr(settings, name)) for name in {names!r}}}, default=str))"
    )
    done = start(tmp_path, code, **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


SHIPPED = {
    "QUIET_PERIOD": timedelta(hours=72), "LEASE": timedelta(seconds=60), "LINK_MAILS_PER_DAY": 3, "WRONG_ATTEMPTS": 5,
    "SWEEP_SECONDS": 10, "MAX_CLAIMS": 3, "MAX_RETRIES": 5, "RETRY_AFTER": timedelta(seconds=30),
    "LINK_LIFETIME": timedelta(hours=72), "CODE_LIFETIME": timedelta(minutes=15), "PROOF_LIFETIME": timedelta(hours=1),
    "REMIND_BEFORE": timedelta(days=5), "ESCALATE_BEFORE": timedelta(days=3), "STAFF_DIGEST_HOUR": 7,
    "ANSWER_WITHIN": timedelta(days=14), "CONFIRM_WITHIN": timedelta(days=14), "CONTACT_CHANGE_DAYS": 30,
    "RISK_PERIOD": timedelta(days=30), "RISK_REQUESTS": 5, "RISK_HOUSE_REQUESTS": 1000,
    "CHECKPOINT_EVERY": timedelta(hours=24), "TOMBSTONE_PERIOD": timedelta(days=3 * 365),
    "RECORD_PERIOD": timedelta(days=2 * 365), "DEBUG": False, "STAFF_MFA_REQUIRED": True, "TEAM_OF_ONE": False, "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True, "SECURE_SSL_REDIRECT": True, "SESSION_COOKIE_HTTPONLY": True,
}  # fmt: skip


@pytest.mark.parametrize("named", ["correction", "know,everything"])
def test_what_people_decide_is_never_approved_by_a_setting(tmp_path: Path, named: str) -> None:
    done = start(tmp_path, "import config.wsgi", **PRODUCTION, AUTOMATIC_APPROVAL=named)
    assert done.returncode
    assert "AUTOMATIC_APPROVAL must name nothing but know, access, portability, objection." in done.stderr


def test_law_04_the_quiet_period_is_72_hours_as_shipped_and_none_in_the_demo(tmp_path: Path) -> None:
    assert values(tmp_path, "QUIET_PERIOD", **PRODUCTION) == {"QUIET_PERIOD": 72 * 3600}
    assert values(tmp_path, "QUIET_PERIOD", DEBUG="1") == {"QUIET_PERIOD": 0}


def test_the_shipped_values_are_these(tmp_path: Path) -> None:
    found = values(tmp_path, *SHIPPED, **PRODUCTION)
    wanted = {name: value.total_seconds() if isinstance(value, timedelta) else value for name, value in SHIPPED.items()}
    assert found == wanted


def test_law_08_a_killed_workers_step_resumes_within_90_seconds(tmp_path: Path) -> None:
    """The lease and one round of the sweep are the longest that it can wait."""
    found = values(tmp_path, "LEASE", "SWEEP_SECONDS", **PRODUCTION)
    assert float(str(found["LEASE"])) + 2 * float(str(found["SWEEP_SECONDS"])) < 90


def test_a_person_is_reminded_twice_before_it_counts_as_unanswered(tmp_path: Path) -> None:
    code = (
        "from django.conf import settings\n"
        "reminders = settings.CONFIRM_REMINDERS\n"
        "print(len(reminders), all(after < settings.CONFIRM_WITHIN for after in reminders))"
    )
    assert start(tmp_path, code, **PRODUCTION).stdout.split() == ["2", "True"]


@pytest.mark.parametrize("missing", ["SECRET_KEY", "RIGHTSDESK_MASTER_KEYS", "RIGHTSDESK_ROOT_KEY"])
def test_law_11_without_a_key_or_secret_nothing_starts_and_it_says_which(tmp_path: Path, missing: str) -> None:
    environment = {name: value for name, value in PRODUCTION.items() if name != missing}
    done = start(tmp_path, "import config.wsgi", **environment)
    assert done.returncode != 0
    assert missing in done.stderr.splitlines()[-1]


def test_without_its_guards_the_web_process_does_not_start_and_says_so(tmp_path: Path) -> None:
    """A database that nobody has migrated has no guard at all."""
    done = start(tmp_path, "import config.wsgi", **PRODUCTION)
    assert done.returncode != 0
    assert "Guards are missing" in done.stderr.splitlines()[-1]
    assert "request_bound" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"), ("QUIET_PERIOD_HOURS", "three"), ("LEASE_SECONDS", "0"), ("LINK_MAILS_PER_DAY", "-1"),
        ("WRONG_ATTEMPTS", "0"), ("CHUNK_ROWS", "0"), ("SWEEP_SECONDS", "0"), ("EMAIL_PORT", "smtp"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_understood_stops_the_start_and_is_named(tmp_path: Path, name: str, value: str) -> None:
    done = start(tmp_path, "from django.conf import settings; settings.DEBUG", **{**PRODUCTION, name: value})
    assert done.returncode != 0
    assert name in done.stderr.splitlines()[-1]


def test_a_secret_can_come_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from a file\n")
    environment = {name: value for name, value in PRODUCTION.items() if name != "SECRET_KEY"}
    found = values(tmp_path, "SECRET_KEY", **environment, SECRET_KEY_FILE=str(path))
    assert found == {"SECRET_KEY": "from a file"}
    done = start(
        tmp_path, "from django.conf import settings; settings.DEBUG", **environment, SECRET_KEY_FILE="/nowhere"
    )
    assert "SECRET_KEY_FILE cannot be read" in done.stderr.splitlines()[-1]


def test_sqlite_is_opened_durable_immediate_and_with_its_triggers(tmp_path: Path) -> None:
    code = (
        "import django; django.setup()\nfrom django.db import connection\n"
        "cursor = connection.cursor()\n"
        "for name in ('journal_mode', 'synchronous', 'foreign_keys', 'recursive_triggers'):\n"
        "    print(cursor.execute(f'PRAGMA {name}').fetchone()[0])\n"
        "print(connection.settings_dict['OPTIONS']['transaction_mode'], connection.settings_dict['ATOMIC_REQUESTS'])"
    )
    done = start(tmp_path, code, **PRODUCTION)
    assert done.stdout.split() == ["wal", "2", "1", "1", "IMMEDIATE", "False"]
