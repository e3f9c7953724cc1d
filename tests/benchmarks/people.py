"""A small company with seven rows per person in three tables, and people who have confirmed their deletion."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

SCHEMA = "bench_company"
DATA_MAP = """\
version: 1
user_ids: shop
sources:
  shop:
    connector: sql
    label: Shop
    url_setting: COMPANY_DATABASE_URL
    identity: {table: customers, key: id, email: email}
    close:
      - {table: customers, set: {status: closed, password_hash: null}}
    tables:
      customers:
        key: id
        person: id
        category: account
        columns:
          id: {}
          email: {personal: true}
          full_name: {personal: true, proves: name}
          password_hash: {personal: true, secret: true}
          status: {}
      api_keys:
        key: id
        person: customer_id
        category: keys
        columns: {id: {}, customer_id: {}, label: {personal: true, proves: key}, created_at: {personal: true}}
      calls:
        key: id
        person: customer_id
        category: activity
        columns: {id: {}, customer_id: {}, prompt: {personal: true}, ip: {personal: true, proves: ip}, at: {personal: true}}
fields:
  name: {label: Name, identify: true}
  key: {label: Name of a key, identify: true}
  ip: {label: Address of a call, identify: true}
categories:
  account: {label: Account}
  keys: {label: Keys}
  activity: {label: Activity}
"""
ROWS_EACH = 7

metadata = sa.MetaData()
customers = sa.Table(
    "customers", metadata,
    sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("email", sa.String(254), unique=True, nullable=False),
    sa.Column("full_name", sa.String(120)), sa.Column("password_hash", sa.String(120)), sa.Column("status", sa.String(20)),
)  # fmt: skip
sa.Index("customers_by_address", sa.func.lower(customers.c.email))
api_keys = sa.Table(
    "api_keys", metadata,
    sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("customer_id", sa.ForeignKey("customers.id"), index=True),
    sa.Column("label", sa.String(60)), sa.Column("created_at", sa.DateTime(timezone=True)),
)  # fmt: skip
calls = sa.Table(
    "calls", metadata,
    sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("customer_id", sa.ForeignKey("customers.id"), index=True),
    sa.Column("prompt", sa.Text), sa.Column("ip", sa.String(45)), sa.Column("at", sa.DateTime(timezone=True)),
)  # fmt: skip


def address(number: int) -> str:
    """The e-mail address of one of the made-up customers."""
    return f"customer{number}@customers.example.com"


def found_company(url: str, schema: str | None, people: int) -> None:
    """Make the company with one account, two keys and four calls per person: ROWS_EACH rows."""
    engine = sa.create_engine(url).execution_options(schema_translate_map={None: schema})
    long_ago = datetime.now(UTC) - timedelta(days=400)
    with engine.begin() as connection:
        if schema:
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        metadata.create_all(connection)
        everyone = range(1, people + 1)
        connection.execute(
            sa.insert(customers),
            [
                {"id": n, "email": address(n), "full_name": f"Customer {n}", "password_hash": "x", "status": "active"}
                for n in everyone
            ],
        )
        connection.execute(
            sa.insert(api_keys),
            [
                {"id": 2 * n + k, "customer_id": n, "label": f"key {k}", "created_at": long_ago}
                for n in everyone
                for k in (0, 1)
            ],
        )
        connection.execute(
            sa.insert(calls),
            [
                {"id": 4 * n + k, "customer_id": n, "prompt": "A question. " * 20, "ip": "192.0.2.7", "at": long_ago}
                for n in everyone
                for k in range(4)
            ],
        )
    engine.dispose()


def rows_left(url: str, schema: str | None, numbers: range) -> int:
    """How many rows of these people the company still has."""
    engine = sa.create_engine(url).execution_options(schema_translate_map={None: schema})
    wanted = [(customers, customers.c.id), (api_keys, api_keys.c.customer_id), (calls, calls.c.customer_id)]
    with engine.connect() as connection:
        left = sum(
            connection.execute(
                sa.select(sa.func.count()).select_from(table).where(key >= numbers.start, key < numbers.stop)
            ).scalar_one()
            for table, key in wanted
        )
    engine.dispose()
    return left


def confirmed(numbers: range) -> list[int]:
    """Deletions of these people, asked for by web form, proven, confirmed and closed: the requests' keys.

    Every one of them goes through the doors that a person's own request goes through.
    """
    from dsar.enums import Channel, CheckKind, Right, State
    from dsar.fulfilment import locating, runner
    from dsar.intake import web
    from dsar.models import PrivacyRequest
    from dsar.verification import confirmation, links

    found = []
    for number in numbers:
        sent = web.take_in(
            Channel.WEB, f"web:{uuid.uuid4().hex}", email=address(number), rights=(Right.DELETION,), country="DE"
        )  # fmt: skip
        request = PrivacyRequest.objects.get(case__intakes=sent)
        locating.locate(request.pk)
        links.prove_mailbox(request.case.checks.get(kind=CheckKind.MAILBOX).token)
        locating.settle(request.pk)
        plan = request.plans.order_by("-version").first()
        if plan is None:
            raise RuntimeError("nothing was located")
        confirmation.confirm(request.pk, plan.digest)
        found.append(request.pk)
    runner.drain_closing()
    if PrivacyRequest.objects.filter(pk__in=found, state=State.RELEASING).count() != len(found):
        raise RuntimeError("the backlog is not what it should be")
    return found


def to_copy(number: int) -> int:
    """A copy that this person asked for by web form, proven and located, as it waits for its approval: its key."""
    from dsar.enums import Channel, CheckKind, Right, State
    from dsar.fulfilment import locating
    from dsar.intake import web
    from dsar.models import PrivacyRequest
    from dsar.verification import links

    sent = web.take_in(
        Channel.WEB, f"web:{uuid.uuid4().hex}", email=address(number), rights=(Right.ACCESS,), country="DE"
    )  # fmt: skip
    request = PrivacyRequest.objects.get(case__intakes=sent)
    locating.locate(request.pk)
    links.prove_mailbox(request.case.checks.get(kind=CheckKind.MAILBOX).token)
    locating.settle(request.pk)
    if PrivacyRequest.objects.get(pk=request.pk).state != State.REVIEW:
        raise RuntimeError("nothing waits for an approval")
    return int(request.pk)


def many_calls(url: str, schema: str | None, number: int, rows: int) -> None:
    """Let one customer have made that many calls (PostgreSQL)."""
    engine = sa.create_engine(url).execution_options(schema_translate_map={None: schema})
    text = sa.func.concat(sa.func.repeat("A question. ", 10), sa.column("n"))
    series = sa.func.generate_series(1, rows).table_valued("n").render_derived()
    chosen = sa.select(
        10_000_000 + series.c.n, sa.literal(number), text, sa.literal("192.0.2.7"), sa.func.now()
    ).select_from(series)  # fmt: skip
    with engine.begin() as connection:
        connection.execute(sa.insert(calls).from_select(["id", "customer_id", "prompt", "ip", "at"], chosen))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    engine.dispose()
