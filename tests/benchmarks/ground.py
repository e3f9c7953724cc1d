"""What a measurement stands on: a database of its own, keys, a state folder, and processes as in production."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.benchmarks import people

ROOT = Path(__file__).resolve().parent.parent.parent
DATABASE = "rd_bench"
QUEUE = "rightsdesk-bench"


class Cannot(Exception):
    """Something that a measurement needs is not there; the text says what to do."""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgresql_url() -> str:
    """The address of the benchmark's database, on the server of DATABASE_URL or the one of this machine."""
    given = urlsplit(os.environ.get("DATABASE_URL", "postgres://127.0.0.1:5432/postgres"))
    if given.scheme not in ("postgres", "postgresql"):
        given = urlsplit("postgres://127.0.0.1:5432/postgres")
    return urlunsplit(given._replace(path=f"/{DATABASE}"))


def redis_url() -> str:
    """The broker of REDIS_URL, or the one of this machine."""
    return os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")


def fresh_database(url: str) -> None:
    """Drop and create the benchmark's database. Raises Cannot where no server answers."""
    parts = urlsplit(url)
    for name in ("postgres", "template1"):
        try:
            with psycopg.connect(
                urlunsplit(parts._replace(path=f"/{name}")), autocommit=True, connect_timeout=5
            ) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
                connection.execute(f"CREATE DATABASE {DATABASE}")
                return
        except psycopg.OperationalError as error:
            problem = error
    raise Cannot(f"PostgreSQL does not answer ({type(problem).__name__}). Set DATABASE_URL to a server of yours.")


@contextmanager
def settings(vendor: str) -> Iterator[dict[str, str]]:
    """The environment of a production-like installation on a fresh database; the folder goes at the end."""
    with tempfile.TemporaryDirectory(prefix="rightsdesk-bench-") as folder:
        var = Path(folder)
        data_map = var / "datamap.yaml"
        data_map.write_text(people.DATA_MAP)
        made = {
            "DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "0", "HTTPS": "0", "ALLOWED_HOSTS": "127.0.0.1", "STAFF_MFA_REQUIRED": "0", "LOG_LEVEL": "WARNING",
            "SECRET_KEY": secrets.token_urlsafe(40), "VAR_DIR": folder, "DATA_MAP": str(data_map),
            "QUIET_PERIOD_HOURS": "0", "RISK_HOUSE_REQUESTS": "0", "CELERY_QUEUE": QUEUE, "REDIS_URL": redis_url(), "EMAIL_HOST": "127.0.0.1",
            "RIGHTSDESK_MASTER_KEYS": f"bench:{base64.b64encode(secrets.token_bytes(32)).decode()}",
            "RIGHTSDESK_ROOT_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        }  # fmt: skip
        if vendor == "postgresql":
            url = postgresql_url()
            fresh_database(url)
            made |= {"DATABASE_URL": url, "COMPANY_DATABASE_SCHEMA": people.SCHEMA}
        else:
            made |= {"DATABASE_URL": f"sqlite:///{var / 'rightsdesk.sqlite3'}"}
        made["JOURNAL_FILE"] = str(var / "journal.jsonl")
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
        yield {**inherited, **made}


class Processes:
    """Web, worker and beat, each a process group that ends with the measurement."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str) -> None:
        """Start one; its output goes to a file of its name in the state folder."""
        log = open(Path(self.env["VAR_DIR"]) / f"{name}.log", "ab")  # noqa: SIM115  the child keeps it
        self.running[name] = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
        )
        log.close()

    def worker(self) -> None:
        """One worker with two processes, as the process file has it."""
        self.start(
            "worker", "celery", "-A", "config.celery", "worker", "--pool", "prefork", "--concurrency", "2",
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING",
        )  # fmt: skip

    def beat(self) -> None:
        """The clock that rings every lane."""
        schedule = str(Path(self.env["VAR_DIR"]) / "beat-schedule")
        self.start("beat", "celery", "-A", "config.celery", "beat", "--schedule", schedule, "--loglevel", "WARNING")

    def web(self, port: int, workers: int = 2) -> None:
        """Gunicorn as the process file has it, with two workers; returns once it answers."""
        self.start(
            "web", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", str(workers),
            "--worker-class", "gthread", "--threads", "4", "--no-control-socket", "--worker-tmp-dir", _memory(),
            "--log-level", "warning",
        )  # fmt: skip
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise Cannot(f"The web process does not start: {self.said('web')}")

    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return {name: process.pid for name, process in self.running.items()}

    def said(self, name: str) -> str:
        """The end of what a process wrote."""
        return (Path(self.env["VAR_DIR"]) / f"{name}.log").read_text(errors="replace")[-2000:]

    def stop(self, *names: str) -> None:
        """End some, or all, and wait for them."""
        for name in names or tuple(self.running):
            process = self.running.pop(name)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _memory() -> str:
    return "/dev/shm" if Path("/dev/shm").is_dir() else tempfile.gettempdir()
