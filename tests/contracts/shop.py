"""A small made-up company in a database of its own, for the sql connector."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from dsar.connectors.base import Connector, TableOrder
from dsar.connectors.sql import SqlConnector
from dsar.datamap import loader
from dsar.datamap.schema import SourceMap
from dsar.retention import order_for, verdict

from .suite import Snapshot

TODAY = date(2026, 6, 15)

MAP = """
version: 1
sources:
  shop:
    connector: sql
    label: Shop
    identity:
      table: users
      phone: phone
      contact_changed_at: contact_changed_at
      flags: [{column: is_staff, equals: true, flag: staff}, {column: watched, equals: true, flag: security_flag}]
      terminated: {column: status, equals: terminated}
    organisations: {table: members, person: user_id, organisation: organisation_id, role: role, owner_role: owner,
                    name_table: organisations, name_key: id, name: name}
    close:
      - {table: sessions, delete: true}
      - {table: api_keys, set: {revoked_at: now}, only_null: revoked_at}
      - {table: users, set: {status: closed, password_hash: null}}
    choices:
      marketing_opt_out:
        - {table: users, only: {news: true}, set: {news: false, news_stopped_at: now, news_stopped_by: desk},
           undo: {news: true, news_stopped_at: null, news_stopped_by: null}}
        - {table: api_keys, set: {label: quiet}, undo: {label: null}}
    money:
      purchases: {table: purchases, person: user_id, remaining: remaining_cents, currency: currency, method: method,
                  reference: reference, expires_on: expires_on}
      refunds: {table: refunds, person: user_id, reference: reference, amount: amount_cents, currency: currency,
                status: status, request: request_ref, due_on: due_on, set: {created_at: now}}
      auto_topup: {table: topups, person: user_id}
    restrict:
      - {table: users, set: {watched: true, contact_changed_at: now}, undo: {watched: false, contact_changed_at: null}}
    ignored_tables: [organisations]
    tables:
      users: {key: id, person: id, category: account,
              columns: {id: {}, email: {personal: true}, name: {personal: true, correct: name},
              phone: {personal: true}, handle: {personal: true, mask: hash},
              password_hash: {personal: true, secret: true},
              status: {}, is_staff: {}, watched: {}, contact_changed_at: {personal: true},
              news: {}, news_stopped_at: {}, news_stopped_by: {}}}
      members: {key: id, person: user_id, category: account,
                columns: {id: {}, user_id: {}, organisation_id: {}, role: {}}}
      sessions: {key: token, person: user_id, category: account, columns: {token: {personal: true}, user_id: {}}}
      api_keys: {key: id, person: user_id, organisation: organisation_id, category: keys,
                 columns: {id: {}, user_id: {}, organisation_id: {}, label: {personal: true}, revoked_at: {}}}
      calls: {key: id, via: {column: api_key_id, table: api_keys}, category: keys,
              columns: {id: {}, api_key_id: {}, ip: {personal: true}}}
      prompts: {key: id, person: user_id, organisation: organisation_id, category: prompts,
                columns: {id: {}, user_id: {}, organisation_id: {}, body: {personal: true}}}
      invoices: {key: id, person: user_id, category: invoices,
                 columns: {id: {}, user_id: {}, number: {personal: true, proves: invoice}, bill_to: {personal: true},
                           vat_id: {personal: true, mask: hash}, issued_on: {personal: true}},
                 retention: [{code: TAX_ACCOUNTING, anchor: issued_on, counted_from: financial_year_end, years: 10,
                              keep_columns: [number, issued_on]}]}
      logs: {key: id, person: user_id, category: security,
             columns: {id: {}, user_id: {}, ip: {personal: true}, at: {}},
             retention: [{code: SECURITY_LOGS, anchor: at, months: 12, weighed: "security policy, section 4"}]}
      ratings: {key: id, person: user_id, category: ratings, disposal: mask,
                columns: {id: {}, user_id: {}, stars: {}, comment: {personal: true, derived_from: name},
                          author: {personal: true, mask: hash, correct: name}, ip: {personal: true, mask: zero}}}
      purchases: {key: id, person: user_id, category: money, columns: {id: {}, user_id: {}, remaining_cents: {},
                  currency: {}, method: {}, reference: {personal: true}, expires_on: {}}}
      refunds: {key: id, person: user_id, category: money, columns: {id: {}, user_id: {}, reference: {personal: true},
                amount_cents: {}, currency: {}, status: {}, request_ref: {}, due_on: {}, note: {personal: true},
                created_at: {}},
                retention: [{code: REFUND_DUE, when: {status: due}, anchor: due_on, days: 0,
                             keep_columns: [reference]}]}
      topups: {key: id, person: user_id, category: money, columns: {id: {}, user_id: {}, enabled: {}}}
fields:
  name: {label: Name}
  invoice: {label: Invoice}
categories:
  account: {label: Account}
  keys: {label: Keys}
  prompts: {label: Prompts}
  invoices: {label: Invoices}
  security: {label: Security log}
  ratings: {label: Ratings}
  money: {label: Credits}
"""

C, Integer, String = sa.Column, sa.Integer, sa.String


def _metadata(schema: str | None) -> sa.MetaData:
    prefix = f"{schema}." if schema else ""
    meta = sa.MetaData(schema=schema)

    def to(target: str, **kwargs: Any) -> sa.ForeignKey:
        return sa.ForeignKey(prefix + target, **kwargs)

    def table(name: str, *columns: sa.Column[Any], key: bool = True) -> None:
        sa.Table(name, meta, *([C("id", Integer, primary_key=True)] if key else []), *columns)

    table("organisations", C("name", String(80)))
    table(
        "users", C("email", String(200)), C("name", String(80)), C("phone", String(40)),
        C("handle", String(40), unique=True), C("password_hash", String(80)), C("status", String(20), nullable=False),
        C("is_staff", sa.Boolean, nullable=False), C("watched", sa.Boolean, nullable=False),
        C("contact_changed_at", sa.DateTime(timezone=True)), C("news", sa.Boolean, nullable=False),
        C("news_stopped_at", sa.DateTime(timezone=True)), C("news_stopped_by", String(20)),
    )  # fmt: skip
    table("members", C("user_id", to("users.id")), C("organisation_id", to("organisations.id")), C("role", String(10)))
    table("sessions", C("token", String(40), primary_key=True), C("user_id", to("users.id")), key=False)
    table(
        "api_keys", C("user_id", to("users.id", ondelete="SET NULL")), C("organisation_id", to("organisations.id")),
        C("label", String(40)), C("revoked_at", sa.DateTime(timezone=True)),
    )  # fmt: skip
    table("calls", C("api_key_id", to("api_keys.id"), nullable=False), C("ip", String(40)))
    table(
        "prompts", C("user_id", to("users.id", ondelete="CASCADE")), C("organisation_id", to("organisations.id")),
        C("body", sa.Text),
    )  # fmt: skip
    table(
        "invoices", C("user_id", to("users.id", ondelete="CASCADE"), nullable=False),
        C("number", String(20), unique=True),
        C("bill_to", String(80), nullable=False), C("vat_id", String(40)), C("issued_on", sa.Date),
    )  # fmt: skip
    table("logs", C("user_id", Integer, nullable=False, index=True), C("ip", String(40)), C("at", sa.DateTime))
    table(
        "ratings", C("user_id", to("users.id", ondelete="SET NULL")), C("stars", Integer), C("comment", sa.Text),
        C("author", String(40), nullable=False), C("ip", String(40), nullable=False),
    )  # fmt: skip
    table(
        "purchases", C("user_id", to("users.id")), C("remaining_cents", Integer), C("currency", String(3)),
        C("method", String(20)), C("reference", String(40)), C("expires_on", sa.Date),
    )  # fmt: skip
    table(
        "refunds", C("user_id", Integer, nullable=False), C("reference", String(40)), C("amount_cents", Integer),
        C("currency", String(3)), C("status", String(10)), C("request_ref", String(40)), C("due_on", sa.Date),
        C("note", sa.Text), C("created_at", sa.DateTime(timezone=True), nullable=False),
    )  # fmt: skip
    table("topups", C("user_id", to("users.id")), C("enabled", sa.Boolean, nullable=False))
    return meta


class Shop:
    """Two equal people, and ways to add what a test needs."""

    people: tuple[str, ...] = ("Ann@Example.com", "bob@example.com")
    choice = "marketing_opt_out"
    proves = "invoice"

    def __init__(self, url: str, schema: str | None) -> None:
        self.url, self.schema = url, schema
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        if schema is None:
            sa.event.listen(self.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
        self._open: sa.Connection | None = None
        self._connector: Connector | None = None
        self.meta = _metadata(schema)
        self.source: SourceMap = loader.parse(MAP).sources["shop"]
        self.orders: tuple[TableOrder, ...] = self.ordered()
        self.secrets: dict[str, tuple[str, ...]] = {}
        self.refs: dict[str, int] = {}
        self.name_rows = 3

    def ordered(self, today: date = TODAY) -> tuple[TableOrder, ...]:
        found = self.source.tables.items()
        return tuple(order_for(name, table, verdict(table, regime="eu_gdpr", today=today)) for name, table in found)

    def connector(self, *, fresh: bool = False) -> Connector:
        """See World."""
        if fresh or self._connector is None:
            self._connector = SqlConnector("shop", self.source, self.url, self.schema, clock=lambda: TODAY)
        return self._connector

    def table(self, name: str) -> sa.Table:
        return self.meta.tables[f"{self.schema}.{name}" if self.schema else name]

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        if self._open is not None:
            yield self._open
            return
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _at_once(self) -> Iterator[sa.Connection]:
        """One connection and one transaction for all that is done within."""
        with self.engine.begin() as connection:
            self._open = connection
            try:
                yield connection
            finally:
                self._open = None

    def run(self, statement: sa.Executable | str) -> Any:
        with self._connected() as connection:
            result = connection.execute(sa.text(statement) if isinstance(statement, str) else statement)
            return result.all() if result.returns_rows else None

    def add(self, name: str, /, **values: Any) -> int:
        with self._connected() as connection:
            key = connection.execute(sa.insert(self.table(name)).values(values)).inserted_primary_key
        return 0 if key is None or name == "sessions" else int(key[0])

    def create(self) -> None:
        if self.schema:
            self.run(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")
            self.run(f"CREATE SCHEMA {self.schema}")
        self.meta.create_all(self.engine)

    def fill(self) -> None:
        """Empty every table and bring the two people back."""
        with self._at_once() as connection:
            for table in reversed(self.meta.sorted_tables):
                connection.execute(sa.delete(table))
            self.organisation = self.add("organisations", name="Bakery")
            for email in self.people:
                self.person(email)

    def drop(self) -> None:
        if self.schema:
            self.run(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")
        self.engine.dispose()

    def user(self, email: str | None, **values: Any) -> int:
        return self.add(
            "users", **{"email": email, "status": "active", "is_staff": False, "watched": False, "news": True, **values}
        )

    def person(self, email: str) -> int:
        """Add somebody with rows of every fate."""
        who = email.split("@")[0].lower()
        self.secrets[email] = tuple(
            f"{who}-{word}" for word in ("name", "handle", "body", "ip", "bill", "vat", "comment")
        )
        user = self.user(email, name=f"{who}-name", phone=None, handle=f"{who}-handle", password_hash=f"{who}-hash")
        self.refs[email] = user
        for number in range(3):
            self.add("sessions", token=f"{who}-token-{number}", user_id=user)
            self.add("prompts", user_id=user, body=f"{who}-body {number}")
        key = self.add("api_keys", user_id=user)
        for _ in range(4):
            self.add("calls", api_key_id=key, ip=f"{who}-ip")
        self.invoice(user, who, date(2013, 5, 1))  # its ten years are over
        self.invoice(user, who, date(2020, 5, 1))
        self.invoice(user, who, None)
        self.add("logs", user_id=user, ip=f"{who}-ip", at=datetime(2024, 1, 1, 12))
        self.add("logs", user_id=user, ip="kept by law", at=datetime(2026, 1, 1, 12))
        for stars in (1, 5):
            self.add(
                "ratings", user_id=user, stars=stars, comment=f"{who}-comment", author=f"{who}-name", ip=f"{who}-ip"
            )
        self.add(
            "refunds", user_id=user, reference="R", amount_cents=5, currency="EUR", status="paid", note=f"{who}-name",
            due_on=date(2026, 7, 1), created_at=datetime(2026, 6, 1, tzinfo=UTC),
        )  # fmt: skip
        return user

    def invoice(self, user: int, who: str, issued: date | None) -> int:
        number = len(self.run(sa.select(self.table("invoices").c.id)))
        values = {"number": f"I-{number}", "bill_to": f"{who}-bill", "vat_id": f"{who}-vat", "issued_on": issued}
        return self.add("invoices", user_id=user, **values)

    def purchase(
        self, user: int, cents: int, method: str = "card", expires: date = date(2027, 1, 1), **values: Any
    ) -> int:
        values = {"currency": "EUR", "reference": f"P-{cents}", **values}
        return self.add("purchases", user_id=user, remaining_cents=cents, method=method, expires_on=expires, **values)

    def rows(self, name: str) -> list[Any]:
        table = self.table(name)
        return list(self.run(sa.select(table).order_by(*table.primary_key)))

    def snapshot(self, *, without: str = "") -> Snapshot:
        """See World. `without` is an address or a ref."""
        with self._at_once():
            return self._all_rows(without)

    def _all_rows(self, without: str) -> Snapshot:
        user = self.refs.get(without, int(without) if without.isdigit() else 0)
        keys = {row.id for row in self.rows("api_keys") if row.user_id == user}
        found = {}
        for name in sorted(table.name for table in self.meta.sorted_tables):
            rows = [row for row in self.rows(name) if not user or getattr(row, "user_id", None) != user]
            rows = [row for row in rows if not (name == "users" and row.id == user and user)]
            found[name] = [tuple(row) for row in rows if not (name == "calls" and row.api_key_id in keys)]
        return found


@contextmanager
def open_shop(url: str, schema: str | None) -> Iterator[Shop]:
    """Make the company's tables, and drop them in the end."""
    shop = Shop(url, schema)
    shop.create()
    try:
        yield shop
    finally:
        shop.drop()
