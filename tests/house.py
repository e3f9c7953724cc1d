"""The running house for tests: web, worker and beat as real processes on the test database, mails as files."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa
from bs4 import BeautifulSoup
from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection
from django.db.models import Q
from django.utils import timezone

from dsar import bell, guards
from dsar.demo import company
from dsar.demo.cast import CAST
from dsar.demo.schema import metadata
from dsar.models import Message
from dsar.notices import MessageStatus
from tests.environment import TEST_DATABASE_URL

ROOT = Path(__file__).resolve().parent.parent
T = TypeVar("T")


def wait_for(condition: Callable[[], T], seconds: float = 20, what: str = "the condition") -> T:
    """Ask again and again until the condition holds; fails with its last answer after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not come within {seconds} s; last answer: {found!r}")
        time.sleep(0.02)


def _emptied(cursor: Any, statements: str) -> bool:
    try:
        cursor.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {statements}; COMMIT")
    except OperationalError:
        # A worker of the running house was at the same rows in another order, and one of the two had to give way.
        cursor.execute("ROLLBACK")
        return False
    return True


@cache
def _tables() -> tuple[str, ...]:
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    tables = sorted({model._meta.db_table for model in models})
    return tuple(one for one in tables if one not in ("django_content_type", "auth_permission", "django_migrations"))


def wipe() -> None:
    """Empty every table of the desk. The guards forbid it, so they are lifted here, in tests, and put back.

    This runs twice a test, so that only what holds rows is touched.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in _tables())
        )
        filled = [table for (table,) in cursor.fetchall()]
        emptied = "; ".join(f'DELETE FROM "{table}"' for table in filled)
        if filled and connection.vendor == "postgresql":
            # One round trip and one transaction.
            wait_for(lambda: _emptied(cursor, emptied), what="the tables to be emptied")
        elif filled:
            lifted = [one for one in guards.guards() if one.table in filled and "sqlite" in one.vendors]
            cursor.execute("PRAGMA foreign_keys = OFF")
            cursor.execute("BEGIN IMMEDIATE")
            for guard in lifted:
                cursor.execute(f"DROP TRIGGER IF EXISTS {guard.trigger}")
            for table in filled:
                cursor.execute(f'DELETE FROM "{table}"')
            for guard in lifted:
                cursor.execute(guards.statements(guard, "sqlite")[-1])
            cursor.execute("COMMIT")
            cursor.execute("PRAGMA foreign_keys = ON")
    for mail in settings.EMAIL_FOLDER.glob("*.eml") if settings.EMAIL_FOLDER.exists() else ():
        mail.unlink(missing_ok=True)
    settings.JOURNAL_FILE.unlink(missing_ok=True)


@cache
def _engine(url: str) -> sa.Engine:
    if sa.make_url(url).get_backend_name() == "sqlite":
        # A file that is put aside and made anew: a connection that is kept would go on in the old one.
        return sa.create_engine(url, poolclass=sa.NullPool)
    # Statements prepared on a connection that is kept would not outlive tables that are made anew.
    return sa.create_engine(url, connect_args={"prepare_threshold": None}, pool_pre_ping=True)


@contextmanager
def full(table: str) -> Iterator[None]:
    """Within, a table of the desk takes no more rows, whoever writes them."""
    why = f"{table} is full"
    make = [f"CREATE TRIGGER full_table BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, '{why}'); END"]
    drop = "DROP TRIGGER IF EXISTS full_table"
    if connection.vendor == "postgresql":
        make = [
            f"CREATE OR REPLACE FUNCTION full_table() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{why}'; END $$",
            f"CREATE TRIGGER full_table BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION full_table()",
        ]
        drop = "DROP FUNCTION IF EXISTS full_table() CASCADE"
    with connection.cursor() as cursor:
        for statement in make:
            cursor.execute(statement)
        try:
            yield
        finally:
            cursor.execute(drop)


def company_engine() -> sa.Engine:
    """The company's database, with its schema."""
    engine = _engine(settings.COMPANY_DATABASE_URL)
    return engine.execution_options(schema_translate_map={None: settings.COMPANY_DATABASE_SCHEMA})


def forget_the_company() -> None:
    """Close the connections to the company's database."""
    _engine(settings.COMPANY_DATABASE_URL).dispose()


def fresh_company(people: int = 40) -> None:
    """The demo company as it was on its first day: made once, on PostgreSQL copied back from then on."""
    engine = _engine(settings.COMPANY_DATABASE_URL)
    schema = settings.COMPANY_DATABASE_SCHEMA
    names = [table.name for table in metadata.sorted_tables]
    if engine.dialect.name == "sqlite":
        _company_in_a_file(engine, people, names)
        return
    kept = f"{schema}_{people}"
    with engine.begin() as connected:
        known = connected.scalar(sa.text("SELECT to_regnamespace(:name) IS NOT NULL"), {"name": kept})
        if known:
            # A test changes little of it, and what it changed is cheaper to find than to copy.
            changed = connected.exec_driver_sql(
                " UNION ALL ".join(
                    f"(SELECT '{name}' WHERE EXISTS (TABLE {schema}.{name} EXCEPT ALL TABLE {kept}.{name})"
                    f" OR EXISTS (TABLE {kept}.{name} EXCEPT ALL TABLE {schema}.{name}))"
                    for name in names
                )
            )
            found = changed.scalars().all()
            emptied = "; ".join(f"DELETE FROM {schema}.{name}" for name in found)
            filled = "; ".join(f"INSERT INTO {schema}.{name} SELECT * FROM {kept}.{name}" for name in found)
            if found:
                # Back to a state in which every reference holds, in one transaction: none need be looked up on the way.
                lifted = "SET LOCAL session_replication_role = replica"
                connected.exec_driver_sql(f"{lifted}; {emptied}; {filled}")
    if not known:
        company.create(engine, schema, people=people)
        with engine.begin() as connected:
            copied = "; ".join(f"CREATE TABLE {kept}.{name} AS TABLE {schema}.{name}" for name in names)
            connected.exec_driver_sql(f"CREATE SCHEMA {kept}; {copied}")


def _company_in_a_file(engine: sa.Engine, people: int, names: list[str]) -> None:
    kept = settings.VAR_DIR / f"company-{people}.sqlite3"
    if not kept.exists():
        company.create(engine, None, people=people)
        with engine.connect() as connected:
            connected.exec_driver_sql(f"VACUUM INTO '{kept}'")
        return
    shape = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM {}.sqlite_master WHERE sql IS NOT NULL ORDER BY name)"
    with engine.connect() as connected:
        connected.exec_driver_sql(f"ATTACH DATABASE '{kept}' AS kept")
        same = {connected.exec_driver_sql(shape.format(one)).scalar() for one in ("main", "kept")}
        connected.rollback()
        if len(same) == 1:
            raw = connected.connection.driver_connection
            numbers = "DELETE FROM sqlite_sequence; INSERT INTO sqlite_sequence SELECT * FROM kept.sqlite_sequence;"
            emptied = "".join(f"DELETE FROM main.{name};" for name in reversed(names))
            filled = "".join(f"INSERT INTO main.{name} SELECT * FROM kept.{name};" for name in names)
            raw.executescript(  # type: ignore[union-attr]
                f"PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE; {emptied}{filled}{numbers}COMMIT;"
            )
            return
    # A test has altered a table.
    company.create(engine, None, people=people)


def rows(table: str, **where: object) -> list[dict[str, object]]:
    """Rows of a company table, by equality."""
    found = metadata.tables[table]
    query = sa.select(found).order_by(found.c.id)
    for name, value in where.items():
        query = query.where(found.c[name] == value)
    with company_engine().connect() as connected:
        return [dict(row._mapping) for row in connected.execute(query)]


def user_id(email: str) -> int | None:
    """The company's id of a person."""
    return company.user_id(_engine(settings.COMPANY_DATABASE_URL), settings.COMPANY_DATABASE_SCHEMA, email)


def everything_of(identity: int) -> dict[str, list[dict[str, object]]]:
    """Every row of the company that belongs to one person, to compare byte for byte."""
    found: dict[str, list[dict[str, object]]] = {"users": rows("users", id=identity)}
    for name, table in metadata.tables.items():
        if "user_id" in table.c:
            found[name] = rows(name, user_id=identity)
    return found


def let_the_post_go(seconds: float = 2) -> None:
    """Wait, where somebody sends, until nothing is being sent: a mail of this test must not lie among the next one's."""
    now = timezone.now()
    due = Message.objects.filter(Q(status=MessageStatus.CLAIMED) | Q(status=MessageStatus.QUEUED, due_at__lte=now))
    with suppress(AssertionError):
        wait_for(lambda: not due.exists(), seconds)


# --- mails --------------------------------------------------------------------------------------------------------


def mails(to: str = "") -> list[EmailMessage]:
    """What was sent, oldest first."""
    if not settings.EMAIL_FOLDER.exists():
        return []
    found = []
    for path in sorted(settings.EMAIL_FOLDER.glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        if not to or to in str(message["To"]):
            found.append(message)
    return found


def body_of(message: EmailMessage) -> str:
    """The plain text of a mail."""
    part = message.get_body(("plain",))
    return str(part.get_content()) if part else ""


def link_in(message: EmailMessage) -> str:
    """The path of the one link in a mail; one that only stops things stands beside it in letters about a copy."""
    text = body_of(message)
    links = re.findall(r"https?://[^/\s]+(/l/[A-Za-z0-9_-]+/)", text)
    stops = re.findall(r"This was not me:\s+https?://[^/\s]+(/l/[A-Za-z0-9_-]+/)", text)
    links = [link for link in links if link not in stops] or links
    assert len(set(links)) == 1, f"one link, not {links}"
    return links[0]


def mail_to(address: str, containing: str = "", *, after: int = 0, seconds: float = 20) -> EmailMessage:
    """Wait for a mail to an address whose subject or text contains something."""

    found: list[EmailMessage] = []

    def arrived() -> bool:
        for message in mails(address)[after:]:
            if containing in str(message["Subject"]) or containing in body_of(message):
                found.append(message)
                return True
        return False

    wait_for(arrived, seconds, f"a mail with {containing!r}")
    return found[0]


# --- processes ----------------------------------------------------------------------------------------------------


def free_port() -> int:
    """A port that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class House:
    """Processes by name; each in a group of its own, so that a kill -9 reaches its children."""

    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """What the processes read: the same as this run, on the test database."""
        return {
            **os.environ, "DATABASE_URL": TEST_DATABASE_URL, "COMPANY_DATABASE_URL": settings.COMPANY_DATABASE_URL,
            "REDIS_URL": settings.REDIS_URL, "DEBUG": "1", "BASE_URL": self.url, "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT), "LOG_LEVEL": "WARNING",
            # Off as shipped; the page that it opens is looked at too.
            "PUBLISH_MEASURES": "us_ca_ccpa", **self.extra,
        }  # fmt: skip

    def start(self, name: str, *command: str, **extra: str) -> subprocess.Popen[bytes]:
        """Start one process; its output goes to a file beside the mails."""
        with (settings.VAR_DIR / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command], env={**self.environment(), **extra}, cwd=ROOT, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self.processes[name] = process
        return process

    def start_web(self) -> None:
        """gunicorn with one worker of four threads, until it answers."""
        self.start(
            "web", "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{self.port}", "--workers", "1", "--threads", "4",
            "--no-control-socket", "--log-level", "warning",
        )  # fmt: skip
        wait_for(self.answers, 30, "the web server")

    def answers(self) -> bool:
        """Whether the web server is up."""
        try:
            return httpx.get(f"{self.url}/health/", timeout=2).status_code < 500
        except httpx.HTTPError:
            return False

    def start_worker(self, name: str = "worker", module: str = "config.celery", **extra: str) -> None:
        """A Celery worker with two children."""
        self.start(
            name, "-m", "celery", "-A", module, "worker", "--pool", "prefork", "--concurrency", "2", "--without-gossip",
            "--without-mingle", "--loglevel", "WARNING", "-n", f"{name}-{os.getpid()}@house", **extra,
        )  # fmt: skip

    def start_beat(self) -> None:
        """Beat, which rings every lane each second here."""
        self.start(
            "beat", "-m", "celery", "-A", "config.celery", "beat", "--schedule", str(settings.VAR_DIR / "beat"),
            "--pidfile", "", "--loglevel", "WARNING",
        )  # fmt: skip

    def kill(self, name: str) -> None:
        """SIGKILL a process with all its children."""
        process = self.processes.pop(name, None)
        if process and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self) -> None:
        """End everything."""
        for name in list(self.processes):
            self.kill(name)


@contextmanager
def running(*, web: bool = True, worker: bool = True, beat: bool = True, **extra: str) -> Iterator[House]:
    """A house for the length of a test or a session."""
    house = House(extra=extra)
    _running.append(house)
    try:
        if worker:
            house.start_worker()
        if beat:
            house.start_beat()
        if web:
            house.start_web()
        yield house
    finally:
        _running.remove(house)
        house.stop()


_running: list[House] = []


@contextmanager
def at_rest() -> Iterator[None]:
    """No worker and no beat but those of a drill: whatever else runs shares its database and would do its work."""
    resting = [(house, name) for house in _running for name in ("worker", "beat") if name in house.processes]
    for house, name in resting:
        house.kill(name)
    try:
        yield
    finally:
        for house, name in resting:
            house.start_worker() if name == "worker" else house.start_beat()


# --- a person with a browser that knows no script -----------------------------------------------------------------


class Person:
    """Somebody over real HTTP: follows links, fills forms as they stand on the page, keeps cookies."""

    def __init__(self, url: str) -> None:
        # A connection of its own for each request: the server may close an idle one just as it is used again.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.Client(base_url=url, follow_redirects=True, timeout=60, limits=limits)
        self.page: httpx.Response | None = None

    def open(self, path: str) -> httpx.Response:
        """GET a page."""
        self.page = self.client.get(path)
        return self.page

    @property
    def soup(self) -> BeautifulSoup:
        """The page, parsed."""
        assert self.page is not None
        return BeautifulSoup(self.page.text, "html.parser")

    @property
    def text(self) -> str:
        """The visible words of the page's main part, white space folded."""
        main = self.soup.find("main") or self.soup
        return " ".join(main.get_text(" ").split())

    def send(self, action: str, **values: str) -> httpx.Response:
        """Fill and send the form whose address ends with `action` (or the first one that posts, for "")."""
        assert self.page is not None
        for form in self.soup.find_all("form"):
            target = form.get("action") or str(self.page.url)
            if str(form.get("method", "")).lower() != "post" or "setlang" in str(target):
                continue
            if action in str(target):
                break
        else:
            raise AssertionError(f"no form to {action!r} on {self.page.url}: {self.text[:300]}")
        data = {
            str(one.get("name")): str(one.get("value") or "")
            for one in form.find_all("input")
            if one.get("name") and one.get("type") not in ("checkbox", "radio", "submit")
        }
        for one in form.find_all("input", {"type": "radio"}):
            if one.has_attr("checked"):
                data[str(one.get("name"))] = str(one.get("value"))
        self.page = self.client.post(str(target), data={**data, **values}, headers={"Referer": str(self.page.url)})
        return self.page


__all__ = [
    "CAST",
    "House",
    "Person",
    "bell",
    "fresh_company",
    "mail_to",
    "mails",
    "rows",
    "running",
    "wait_for",
    "wipe",
]
