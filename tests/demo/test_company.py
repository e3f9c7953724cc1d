"""The demo company: its people are as promised, the same every time, on each database; the map names everything."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dsar.datamap import loader
from dsar.datamap.check import check
from dsar.datamap.discover import live_tables
from dsar.demo import company, schema
from dsar.demo.cast import CAST, Cast
from dsar.law import codes, regimes

TODAY = date(2026, 3, 2)
MAP = Path(company.__file__).parent / "datamap.yaml"
POSTGRESQL = os.environ.get("DATABASE_URL", "").startswith("postgres")
DATABASES = ["postgresql" if POSTGRESQL else "sqlite"]


class Company:
    """One loaded company and how to look at it."""

    def __init__(self, engine: sa.Engine, name: str | None) -> None:
        self.engine, self.schema = engine, name
        self.cast: Cast = company.create(engine, name, today=TODAY)

    def rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
        """Rows in the order of their numbers."""
        scoped = self.engine.execution_options(schema_translate_map={None: self.schema})
        with scoped.connect() as connection:
            found = connection.execute(sa.select(table).where(*where).order_by(table.c.id)).mappings()
            return [dict(row) for row in found]

    def user(self, email: str) -> dict[str, Any]:
        """The one account with this address."""
        [row] = self.rows(schema.users, schema.users.c.email == email)
        return row

    def of(self, email: str, table: sa.Table) -> list[dict[str, Any]]:
        """A person's rows of a table."""
        return self.rows(table, table.c.user_id == self.user(email)["id"])


@pytest.fixture(scope="module", params=DATABASES)
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    if request.param == "sqlite":
        engine = sa.create_engine(f"sqlite:///{tmp_path_factory.mktemp('company') / 'company.sqlite3'}")
        yield Company(engine, None)
        engine.dispose()
        return
    url = sa.make_url(os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1))
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
    name = f"demo_test_{os.getpid()}"
    yield Company(engine, name)
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(name, cascade=True))
    engine.dispose()


def _day(moment: datetime) -> date:
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date()


def test_there_are_a_thousand_accounts_and_rows_in_every_table(demo: Company) -> None:
    assert len(demo.rows(schema.users)) == 1000
    assert [name for name, table in schema.metadata.tables.items() if not demo.rows(table)] == []


def test_everybody_of_the_cast_has_an_account_and_the_stranger_has_none(demo: Company) -> None:
    for email in demo.cast.known():
        assert company.user_id(demo.engine, demo.schema, email) == demo.user(email)["id"]
    assert company.user_id(demo.engine, demo.schema, demo.cast.unknown) is None


def test_addresses_and_numbers_belong_to_nobody(demo: Company) -> None:
    users = demo.rows(schema.users)
    assert {user["email"].partition("@")[2] for user in users} <= {
        "example.com",
        "example.org",
        "example.net",
    }
    assert all(user["phone"] is None or "-555-01" in user["phone"] for user in users)
    documentation = ("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8::")
    for table in schema.metadata.tables.values():
        for column in table.c:
            if column.name in ("ip_address", "signup_ip"):
                assert all(
                    row[column.name] is None or row[column.name].startswith(documentation) for row in demo.rows(table)
                )


@pytest.mark.parametrize("email", [CAST.plain, CAST.neighbour, CAST.mfa])
def test_an_ordinary_person_has_something_everywhere_and_no_complication(demo: Company, email: str) -> None:
    own = [t for t in schema.metadata.sorted_tables if "user_id" in t.c and t is not schema.organisation_members]
    assert [table.name for table in own if not demo.of(email, table)] == []
    assert demo.of(email, schema.organisation_members) == []
    keys = [key["id"] for key in demo.of(email, schema.api_keys)]
    assert len(demo.rows(schema.activity_logs, schema.activity_logs.c.api_key_id.in_(keys))) == 7
    user = demo.user(email)
    assert (user["status"], user["is_staff"], user["security_flag"]) == ("active", False, False)
    assert user["contact_changed_at"] is None
    assert [row["phone"] for row in demo.rows(schema.users)].count(user["phone"]) == 1
    left = [row for row in demo.of(email, schema.credit_purchases) if row["remaining_cents"]]
    assert [(row["method"], row["remaining_cents"], row["expires_on"] > TODAY) for row in left] == [
        ("card", 2500, True)
    ]
    assert [row["enabled"] for row in demo.of(email, schema.auto_topups)] == [True]


def test_what_must_be_kept_of_an_ordinary_person_stands_beside_what_may_go(demo: Company) -> None:
    years = sorted(TODAY.year - row["issued_on"].year for row in demo.of(CAST.plain, schema.invoices))
    assert years[0] <= 10 < years[1]
    ages = sorted((TODAY - _day(row["created_at"])).days for row in demo.of(CAST.plain, schema.security_logs))
    assert ages == [30, 200, 500]


def test_one_person_with_two_accounts_and_two_people_with_one_number(demo: Company) -> None:
    first, second = (demo.user(email) for email in demo.cast.two_accounts)
    assert (first["full_name"], first["phone"]) == (second["full_name"], second["phone"])
    one, other = (demo.user(email) for email in demo.cast.shared_phone)
    assert one["phone"] == other["phone"] != first["phone"]
    assert one["full_name"] != other["full_name"]


def test_a_prompt_names_a_third_person(demo: Company) -> None:
    named = demo.user(demo.cast.third_person)
    naming = [row for row in demo.rows(schema.prompts) if named["full_name"] in row["prompt"]]
    assert [row["user_id"] for row in naming] == [demo.user(demo.cast.third_person_author)["id"]]


def test_money(demo: Company) -> None:
    due = [row for row in demo.rows(schema.refunds) if row["status"] == "due"]
    assert [(row["user_id"], row["amount_cents"]) for row in due] == [(demo.user(demo.cast.refund_due)["id"], 1850)]
    assert TODAY < due[0]["due_on"] <= TODAY + timedelta(days=30)
    crypto = [row for row in demo.of(demo.cast.crypto, schema.credit_purchases) if row["remaining_cents"]]
    assert [(row["method"], row["remaining_cents"]) for row in crypto] == [("crypto", 4200)]
    assert demo.user(demo.cast.terminated)["status"] == "terminated_violation"
    assert sum(row["remaining_cents"] for row in demo.of(demo.cast.terminated, schema.credit_purchases)) == 3300


def test_organisations(demo: Company) -> None:
    def roles(email: str) -> dict[int, str]:
        return {row["organisation_id"]: row["role"] for row in demo.of(email, schema.organisation_members)}

    [organisation] = roles(demo.cast.sole_owner)
    members = demo.rows(schema.organisation_members, schema.organisation_members.c.organisation_id == organisation)
    assert [row["role"] for row in members] == ["owner", "member"]
    assert roles(demo.cast.sole_owner_colleague) == {organisation: "member"}
    assert set(roles(demo.cast.org_member).values()) == {"member"}
    owners = [r for r in demo.rows(schema.organisation_members) if r["role"] == "owner" and r["organisation_id"] == 1]
    assert len(owners) == 2
    for table in (schema.api_keys, schema.prompts):
        assert {row["organisation_id"] for row in demo.of(demo.cast.org_member, table)} == {None, 1}


def test_marks_that_need_a_person(demo: Company) -> None:
    changed = demo.user(demo.cast.recently_changed)["contact_changed_at"]
    assert TODAY - _day(changed) == timedelta(days=5)
    flagged = [row["email"] for row in demo.rows(schema.users) if row["security_flag"]]
    staff = [row["email"] for row in demo.rows(schema.users) if row["is_staff"]]
    assert (flagged, staff) == ([demo.cast.security_flag], [demo.cast.staff])


def test_the_debtor_of_record_has_only_rows_that_must_be_kept(demo: Company) -> None:
    debtor = demo.user(demo.cast.nothing_erasable)
    assert debtor["ledger_only"] and TODAY - _day(debtor["closed_at"]) < timedelta(days=365)
    held = {t.name for t in schema.metadata.sorted_tables if "user_id" in t.c and demo.of(debtor["email"], t)}
    assert held == {"invoices", "security_logs"}


def test_the_company_is_the_same_every_time_and_for_every_size(demo: Company) -> None:
    before = {table.name: demo.rows(table) for table in schema.metadata.sorted_tables}
    company.create(demo.engine, demo.schema, today=TODAY)
    assert {table.name: demo.rows(table) for table in schema.metadata.sorted_tables} == before
    small, large = (company.build(people, 1, TODAY).tables["users"] for people in (40, 60))
    assert small == large[:40]
    assert company.build(40, 2, TODAY).tables["users"] != small


def test_new_rows_get_numbers_nobody_had(demo: Company) -> None:
    scoped = demo.engine.execution_options(schema_translate_map={None: demo.schema})
    users = schema.users
    values = {"email": "new@example.com", "created_at": datetime(2026, 3, 2, tzinfo=UTC)}
    with scoped.connect() as connection:
        first = connection.scalar(sa.insert(users).values(values).returning(users.c.id))
        connection.execute(sa.delete(users).where(users.c.id == first))
        second = connection.scalar(sa.insert(users).values(values).returning(users.c.id))
        connection.rollback()
    assert first is not None and second is not None
    assert 1000 < first < second


def test_tables_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'real.sqlite3'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
        connection.exec_driver_sql("INSERT INTO users VALUES (1, 'real')")
    with pytest.raises(company.NotTheDemo):
        company.create(engine, today=TODAY)
    with pytest.raises(company.NotTheDemo):
        company.loaded(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT name FROM users").all() == [("real",)]
        assert sa.inspect(connection).get_table_names() == ["users"]
    engine.dispose()


def test_the_map_names_every_table_and_every_column(demo: Company) -> None:
    data_map = loader.load(MAP)

    def known(code: str) -> bool:
        return any(codes.valid(code, regime) for regime in regimes.all_ids())

    assert check(data_map, {"platform": live_tables(demo.engine, demo.schema)}, known) == []
    platform = data_map.sources["platform"]
    assert set(platform.tables) | set(platform.ignored_tables) == set(schema.metadata.tables)
    for name, table in platform.tables.items():
        assert set(table.columns) == set(schema.metadata.tables[name].c.keys())


def test_every_reason_to_keep_is_valid_in_each_regime() -> None:
    rules = [rule for table in loader.load(MAP).sources["platform"].tables.values() for rule in table.retention]
    assert {rule.code for rule in rules} == {"TAX_ACCOUNTING", "SECURITY_LOGS", "REFUND_DUE"}
    for regime in ("eu_gdpr", "us_ca_ccpa"):
        assert all(codes.valid(rule.code, regime) for rule in rules)
