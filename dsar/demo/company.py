"""Makes the demo company: 1,000 invented people with everything an AI-API platform knows about its users.

The same `seed` and `today` always give the same rows, whatever the database.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from random import Random
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, inspect, select
from sqlalchemy.schema import CreateSchema

from dsar.demo import schema as tables
from dsar.demo import words
from dsar.demo.cast import CAST, Cast
from dsar.demo.rows import Person, Rows

MARKER = "Lantern and Loom (made up by Rightsdesk)"
"""Name of organisation 1. A database without it is somebody's own and is never dropped."""
CAST_NUMBERS = 100
"""Telephone numbers kept for the cast, so that nobody else shares one."""


class NotTheDemo(Exception):
    """The database has tables of these names that the demo did not make: they are left alone."""


def create(
    engine: Engine, schema: str | None = None, people: int = 1000, seed: int = 1, today: date | None = None
) -> Cast:
    """Drop the demo company if it is there and make it anew, in one transaction; return its named people.

    `schema` names a PostgreSQL schema, which is made where missing (None: the default one; always None on SQLite).
    `people` is the number of accounts; the cast is always complete, so there are never fewer than its accounts.
    `today` is the UTC day from which every date is counted, by default the present one.
    Raises NotTheDemo where tables of the same names hold something else.
    """
    rows = build(people, seed, today or datetime.now(UTC).date())
    if engine.dialect.name == "sqlite":
        _read_while_written(engine)
    with _scoped(engine, schema).connect() as connection:
        if engine.dialect.name == "sqlite":
            _begin(connection)
        elif schema:
            connection.execute(CreateSchema(schema, if_not_exists=True))
        _is_there(connection, schema)
        tables.metadata.drop_all(connection)
        tables.metadata.create_all(connection)
        for table in tables.metadata.sorted_tables:
            if rows.tables[table.name]:
                connection.execute(insert(table), rows.tables[table.name])
        if engine.dialect.name == "postgresql":
            _carry_on_numbering(connection, schema)
        connection.commit()
    return CAST


def loaded(engine: Engine, schema: str | None = None) -> bool:
    """Whether the demo company, and nothing else of the same table names, is there.

    Raises NotTheDemo where tables of the same names hold something else.
    """
    with _scoped(engine, schema).connect() as connection:
        return _is_there(connection, schema)


def user_id(engine: Engine, schema: str | None, email: str) -> int | None:
    """The company's number of the account with this address, or None."""
    users = tables.users
    with _scoped(engine, schema).connect() as connection:
        found: int | None = connection.scalar(select(users.c.id).where(users.c.email == email))
        return found


def _scoped(engine: Engine, schema: str | None) -> Engine:
    """An engine for which the tables lie in `schema`; SQLite has no such thing."""
    if engine.dialect.name == "sqlite" or not schema:
        return engine
    return engine.execution_options(schema_translate_map={None: schema})


def _read_while_written(engine: Engine) -> None:
    """Web and workers use the file at once. The mode stays in the file and cannot be changed inside a transaction."""
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode=WAL")
    finally:
        raw.close()


def _begin(connection: Connection) -> None:
    """Python's sqlite3 opens a transaction before INSERT, not before CREATE TABLE."""
    driver: Any = connection.connection.dbapi_connection
    if not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _is_there(connection: Connection, schema: str | None) -> bool:
    scope = None if connection.dialect.name == "sqlite" else schema
    inspector = inspect(connection)
    if not set(inspector.get_table_names(schema=scope)) & set(tables.metadata.tables):
        return False
    organisations = tables.organisations
    if inspector.has_table(organisations.name, schema=scope):
        columns = {column["name"] for column in inspector.get_columns(organisations.name, schema=scope)}
        first = select(organisations.c.name).where(organisations.c.id == 1)
        if {"id", "name"} <= columns and connection.scalar(first) == MARKER:
            return True
    raise NotTheDemo("The company database has tables of these names that the demo did not make.")


def _carry_on_numbering(connection: Connection, schema: str | None) -> None:
    """Let PostgreSQL number new rows after ours, which came with their numbers."""
    for table in tables.metadata.sorted_tables:
        sequence = func.pg_get_serial_sequence(f"{schema}.{table.name}" if schema else table.name, "id")
        connection.execute(select(func.setval(sequence, select(func.max(table.c.id)).scalar_subquery())))


def build(people: int, seed: int, today: date) -> Rows:
    """Return every row of the company, in memory; see `create`."""
    rows = Rows(today)
    _cast(rows, Random(f"{seed}:cast"))
    for number in range(len(rows.tables["users"]) + 1, people + 1):
        _passer_by(rows, number, Random(f"{seed}:{number}"))
    return rows


def _passer_by(rows: Rows, number: int, rng: Random) -> None:
    """One of the many: rows in most tables, now and then an organisation's, an old or an expired one."""
    name = words.full_name(rng)
    days = rng.uniform(20, 1500)
    phone = words.phone(number + CAST_NUMBERS) if rng.random() < 0.6 else None
    person = rows.user(words.mailbox(name, number, rng), name, rng, days=days, phone=phone)
    for _ in range(rng.randint(1, 2)):
        key = rows.api_key(person, days=days * rng.random(), revoked=rng.random() < 0.2)
        rows.calls(person, key, rng.randint(1, 4), days=days)
    for _ in range(rng.randint(0, 2)):
        amount = rng.choice((500, 1000, 2000, 5000, 10000))
        bought = days * rng.random()
        method = rng.choices(("card", "crypto", "promotional"), (90, 6, 4))[0]
        rows.purchase(person, amount, rng.choice((0, amount // 4, amount // 2)), days=bought, method=method)
        if method != "promotional":
            rows.invoice(person, amount, rows.ago(bought).date())
    if rng.random() < 0.2:
        rows.auto_topup(person, enabled=rng.random() < 0.7)
    several: tuple[tuple[Callable[..., None], int], ...] = (
        (rows.session, 2), (rows.security_log, 3), (rows.prompt, 4), (rows.search, 2), (rows.support_mail, 1),
        (rows.survey_answer, 1),
    )  # fmt: skip
    for keep, most in several:
        for _ in range(rng.randint(0, most)):
            keep(person, days=days * rng.random())
    rows.consent(person, "email", granted=rng.random() < 0.5)
    if rng.random() < 0.05:
        rows.member(rng.choice((1, 3)), person, "member", days=days / 2)


def _cast(rows: Rows, rng: Random) -> None:
    """The named people, one after the other, each with what their part needs and no other complication."""
    lantern = _organisation(rows, MARKER, 900)
    workshop = _organisation(rows, "Birchwick Workshop", 700)
    commons = _organisation(rows, "Signal Commons", 800)

    _ordinary(rows, CAST.plain, rng, country="DE")
    for email in CAST.two_accounts:
        _ordinary(rows, email, rng, full_name="Brannic Holtwood", phone=words.phone(1), country="DE")
    for email in CAST.shared_phone:
        _ordinary(rows, email, rng, phone=words.phone(2), country="FR")

    named = _ordinary(rows, CAST.third_person, rng, country="NL")
    author = _ordinary(rows, CAST.third_person_author, rng, country="NL")
    plea = f"Write a reference for {named.full_name} ({named.email}), who was ill for a year and is looking for work."
    rows.prompt(author, days=12, text=plea)

    waiting = _ordinary(rows, CAST.refund_due, rng, balance=0, country="DE")
    rows.refund(waiting, rows.purchase(waiting, 1850, 0, days=10), 1850, days=10, paid=False)
    _ordinary(rows, CAST.crypto, rng, balance=4200, method="crypto", country="US", region="CA")

    owner = _ordinary(rows, CAST.sole_owner, rng, country="DE")
    colleague = _ordinary(rows, CAST.sole_owner_colleague, rng, country="DE")
    rows.member(workshop, owner, "owner", days=690)
    rows.member(workshop, colleague, "member", days=500)

    _ordinary(rows, CAST.on_hold, rng, country="DE")

    member = _ordinary(rows, CAST.org_member, rng, country="GB")
    head = _ordinary(rows, CAST.org_owner, rng, country="GB")
    second = rows.user("nerys.alderfield@example.org", "Nerys Alderfield", rng, days=850, country="GB")
    for person, role in ((head, "owner"), (second, "owner"), (member, "member")):
        rows.member(lantern, person, role, days=600)
        rows.member(commons, person, role, days=400)
    key = rows.api_key(member, days=300, organisation=lantern)
    rows.calls(member, key, 6, days=300, organisation=lantern)
    for days in (3, 40, 250):
        rows.prompt(member, days=days, organisation=lantern)
    rows.invoice(member, 40000, rows.ago(120).date(), organisation=lantern)

    _ordinary(rows, CAST.recently_changed, rng, country="DE", contact_changed_at=rows.ago(5))
    _ordinary(rows, CAST.terminated, rng, balance=3300, country="US", region="CA", status="terminated_violation")
    _ordinary(rows, CAST.neighbour, rng, country="DE")
    _ordinary(rows, CAST.security_flag, rng, country="ES", security_flag=True)
    _ordinary(rows, CAST.staff, rng, country="DE", is_staff=True)
    _ordinary(rows, CAST.mfa, rng, country="DE")
    closed_at = rows.ago(200)
    debtor = rows.user(
        CAST.nothing_erasable, _name(CAST.nothing_erasable), rng, days=1200,
        country="DE", password_hash=None, signup_ip=None, status="closed", ledger_only=True,
        last_seen_at=closed_at, closed_at=closed_at,
    )  # fmt: skip
    rows.security_log(debtor, days=200)
    rows.invoice(debtor, 6000, rows.ago(220).date(), named=False)


def _ordinary(
    rows: Rows,
    email: str,
    rng: Random,
    *,
    full_name: str = "",
    balance: int = 2500,
    method: str = "card",
    **values: object,
) -> Person:
    """Somebody with rows in every table a person of their own can have rows in.

    `balance` is what is left, in cents, of a purchase made half a year ago by `method`. The invoice of half a year
    ago must be kept, the one of twelve years ago may go; so with the security events of 30, 200 and 500 days ago.
    """
    number = len(rows.tables["users"]) + 10
    values.setdefault("phone", words.phone(number))
    person = rows.user(email, full_name or _name(email), rng, days=4700, **values)
    for count in (4, 3):
        rows.calls(person, rows.api_key(person, days=400), count, days=300)
    used_up = rows.purchase(person, 1000, 0, days=500)
    if balance:
        rows.purchase(person, 5000, balance, days=180, method=method)
    rows.refund(person, used_up, 300, days=495, paid=True)
    rows.auto_topup(person, enabled=True)
    rows.invoice(person, 5000, rows.ago(180).date())
    rows.invoice(person, 1000, rows.ago(4500).date())
    for days in (30, 200, 500):
        rows.security_log(person, days=days)
    for days in (1, 20, 90, 200, 400):
        rows.prompt(person, days=days)
    for days in (2, 50, 300):
        rows.search(person, days=days)
    for days in (5, 14):
        rows.session(person, days=days)
        rows.support_mail(person, days=days * 20)
    rows.survey_answer(person, days=100)
    rows.consent(person, "email", granted=True)
    rows.consent(person, "push", granted=False)
    return person


def _organisation(rows: Rows, name: str, days: float) -> int:
    number = len(rows.tables["organisations"]) + 1
    return rows.add(
        tables.organisations,
        name=name,
        billing_email=f"billing.{number}@example.com",
        country="GB",
        created_at=rows.ago(days),
    )


def _name(email: str) -> str:
    return email.partition("@")[0].replace(".", " ").title()
