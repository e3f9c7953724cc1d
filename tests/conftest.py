"""Fixtures and the order of the run. A test that needs rows takes `db`; one that needs other processes or threads takes `desk`."""

import gc
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

from accounts.models import Role, User
from dsar.connectors import sql_engine
from dsar.models import REQUESTER, SYSTEM, Actor, House, staff
from dsar.supervisor import broker as embedded
from tests import drive, house
from tests.drive import Route
from tests.environment import TEST_DATABASE_URL

# Pages, letters, parsing and the law's arithmetic: whatever the database, they say the same.
ON_SQLITE = ("connectors", "datamap", "demo", "desk", "intake", "law", "notifications", "portal")
# These ask no database, or bring one of their own.
NO_DATABASE = (
    "test_frames",
    "test_layers",
    "test_package_zip",
    "test_readme",
    "test_retention",
    "test_settings",
)
# Indexes, paging by keys, sequences and text: here the two databases differ. The dates of the law hold on both.
BOTH_DATABASES = ("test_company", "test_queue", "test_vectors")
PROCESSES = {"running_house", "theatre"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what runs where in CI. The running house comes last: its worker would do the work that others wait to do.

    On PostgreSQL all that needs processes runs beside the rest, with what runs once: one house for both.
    """
    postgresql = TEST_DATABASE_URL.startswith("postgres")
    foreign = "only_sqlite" if postgresql else "only_postgresql"
    items[:] = [item for item in items if not item.get_closest_marker(foreign)]
    for item in items:
        name = item.path.stem
        folder = item.path.parent.name
        if name in BOTH_DATABASES or item.get_closest_marker("only_postgresql"):
            pass
        elif folder in ON_SQLITE or name in NO_DATABASE:
            item.add_marker(pytest.mark.single)
        if postgresql and PROCESSES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.once)

    def place(item: pytest.Item) -> int:
        names = getattr(item, "fixturenames", ())
        return 2 if "running_house" in names else 1 if "theatre" in names else 0

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What was loaded and collected by now stays: looking through it for garbage again and again costs a tenth of the run."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """A broker for this run: the one that REDIS_URL names, or the embedded one on a unix socket."""
    if os.environ.get("REDIS_URL"):
        yield settings.REDIS_URL
        return
    path = Path(settings.REDIS_URL.removeprefix("unix://"))
    process = subprocess.Popen(
        embedded.command(path, settings.VAR_DIR / "broker"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    house.wait_for(lambda: embedded.answers(path), 10, "the broker")
    yield settings.REDIS_URL
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: object) -> Iterator[None]:
    """The test database, made once. The plugin's own fixture makes none where only `desk` asks for it."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        made = setup_databases(verbosity=0, interactive=False, aliases={"default"}, serialized_aliases=set())
        hurry()
    yield
    # On PostgreSQL the company lives in the same database, which cannot go while our connectors hold connections.
    sql_engine.forget(settings.COMPANY_DATABASE_URL)
    house.forget_the_company()
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        teardown_databases(made, verbosity=0)


def hurry() -> None:
    """Let the test database on PostgreSQL answer before its log is on the disk: tests kill our processes, never it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" SET synchronous_commit = off')
        connection.close()


@pytest.fixture
def desk(django_db_setup: None, django_db_blocker: object) -> Iterator[None]:
    """Real commits on the test database, seen by every process; emptied before and after."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        house.wipe()
        House.objects.get_or_create(pk=1)
        yield
        house.wipe()


@pytest.fixture(scope="session")
def running_house(django_db_setup: None, django_db_blocker: object, broker: str) -> Iterator[house.House]:
    """Web, worker and beat, started once for the session."""
    with house.running() as running:
        yield running


@pytest.fixture
def stack(desk: None, running_house: house.House) -> Iterator[house.House]:
    """The running house with an empty desk and a fresh company."""
    house.fresh_company()
    yield running_house
    house.let_the_post_go()


@pytest.fixture
def company(desk: None) -> None:
    """A fresh demo company, without processes."""
    house.fresh_company()


@pytest.fixture
def handler(desk: None) -> Actor:
    """A handler of the desk."""
    return staff(User.objects.create_user("handler@desk.example.com", "a long password", role=Role.HANDLER))


@pytest.fixture
def approver(desk: None) -> Actor:
    """An approver of the desk."""
    return staff(User.objects.create_user("approver@desk.example.com", "a long password", role=Role.APPROVER))


@pytest.fixture
def second_approver(desk: None) -> Actor:
    """Another approver."""
    return staff(User.objects.create_user("approver2@desk.example.com", "a long password", role=Role.APPROVER))


@pytest.fixture
def own_journal(settings: object, tmp_path: Path) -> None:
    """A journal of the test's own: one that is rolled back must not leave lines that the next test's rows contradict."""
    settings.JOURNAL_FILE = tmp_path / "away" / "journal.jsonl"  # type: ignore[attr-defined]


@pytest.fixture
def actors(db: None) -> dict[str, Actor]:
    """One of each kind; `nobody` is a signed-in person without a role at the desk."""
    roles = {"handler": Role.HANDLER, "approver": Role.APPROVER, "auditor": Role.AUDITOR, "admin": Role.ADMIN}
    found = {name: drive.person_of_the_desk(role) for name, role in roles.items()}
    return {**found, "nobody": drive.person_of_the_desk(Role.NONE), "requester": REQUESTER, "system": SYSTEM}


@pytest.fixture
def route(db: None) -> Route:
    """Leads requests to any state by their verbs."""
    return Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER))
