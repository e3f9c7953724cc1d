"""Finding a person in a company's database, and copying what is theirs. Changes nothing."""

from __future__ import annotations

import base64
import math
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from dsar import keys
from dsar.connectors.base import (
    MASKED_DOMAIN,
    Account,
    Candidate,
    Holding,
    Identity,
    Located,
    Money,
    Page,
    Row,
    SourceBroken,
    changed_lately,
    until_for,
)
from dsar.connectors.sql_book import DUE, SHELL, Book, Count, Query
from dsar.connectors.sql_engine import Work
from dsar.connectors.sql_schema import Layout
from dsar.datamap.orders import as_date

_FEW = 100


class Reader:
    """Prepared look-ups of one source."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        who, users = layout.identity, layout.tables[layout.identity.table]
        optional = {who.phone, who.contact_changed_at, *(flag.column for flag in who.flags)}
        optional.add(who.terminated.column if who.terminated else None)
        columns = [users.c[who.key], users.c[who.email]]
        columns += [users.c[name] for name in sorted(name for name in optional if name)]
        readable = [layout.readable(column).label(column.name) for column in columns]
        email = sa.func.lower(users.c[who.email])
        self._person = sa.select(*readable).where(email == sa.bindparam("email", type_=sa.String())).limit(2)
        self._phone: Query | None = None
        if who.phone:
            same = users.c[who.phone] == sa.bindparam("phone", type_=sa.String())
            self._phone = sa.select(users.c[who.email]).where(same, users.c[who.key] != layout.ref).limit(6)
        born: sa.ColumnElement[Any] = sa.cast(sa.null(), sa.String())
        if who.created_at:
            born = layout.readable(users.c[who.created_at])
        address = users.c[who.email]
        self._living = sa.select(users.c[who.key], address, born).where(
            address.is_not(None), address != "", address.not_like(f"%{MASKED_DOMAIN}")
        )
        self._memberships = self._members()
        self._purchases, self._topup = self._money()
        self._pages = {name: self._page(name) for name in layout.order}

    def person(self, work: Work, identity: Identity) -> list[sa.Row[*tuple[Any, ...]]]:
        """Return the rows the address reaches, two at most; none for an address that names nobody."""
        return list(work.run(self._person, {"email": identity.email}).all()) if identity.usable else []

    def locate(self, work: Work, identity: Identity, book: Book, today: date) -> Located:
        """See Connector.locate. `today` is the UTC day."""
        people = self.person(work, identity)
        if not people:
            return Located("none")
        if len(people) > 1:
            same = tuple(Candidate(keys.masked(identity.email), "same_email") for _ in people)
            return Located("several", flags=("several_matches",), candidates=same)
        who, person = self.layout.identity, people[0]._mapping
        ref = person[who.key]
        counts = book.census(work, ref)
        flags: list[str] = [flag.flag for flag in who.flags if person[flag.column] == flag.equals]
        changed = person[who.contact_changed_at] if who.contact_changed_at else None
        if changed and changed_lately(changed, today):
            flags.append("contact_changed")
        if any(not count.own for count in counts):
            flags.append("organisation_data")
        if any(count.rule and count.rule.column and count.anchored < count.rows for count in counts):
            flags.append("indeterminate")
        organisations, sole = self._organisations(work, ref)
        if sole:
            flags.append("sole_owner")
        terminated = who.terminated is not None and person[who.terminated.column] == who.terminated.equals
        return Located(
            status="one",
            ref=str(ref),
            holdings=tuple(holdings(counts)),
            flags=tuple(dict.fromkeys(flags)),
            money=self._balance(work, ref, today, terminated),
            candidates=self._candidates(work, ref, person[who.phone] if who.phone else None),
            organisations=organisations,
        )

    def account(self, work: Work, ref: Any) -> Account | None:
        """See Connector.account."""
        users = self.layout.tables[self.layout.identity.table]
        row = work.run(self._living.where(users.c[self.layout.identity.key] == self.layout.ref), {"ref": ref}).first()
        return Account(str(row[0]), row[1], as_moment(row[2])) if row else None

    def accounts(self, work: Work, after: Any, limit: int) -> tuple[Account, ...]:
        """See Connector.accounts. `after` is a key in its own type, or None."""
        key = self.layout.tables[self.layout.identity.table].c[self.layout.identity.key]
        query = self._living.order_by(key).limit(limit)
        if after is not None:
            query = query.where(key > after)
        return tuple(Account(str(ref), email, as_moment(born)) for ref, email, born in work.run(query, {}))

    def terminated(self, work: Work, ref: Any) -> bool:
        """Return whether the company ended this account for a violation (nothing is refunded then)."""
        who, users = self.layout.identity, self.layout.tables[self.layout.identity.table]
        if who.terminated is None:
            return False
        query = sa.select(users.c[who.terminated.column]).where(users.c[who.key] == self.layout.ref)
        return bool(work.run(query, {"ref": ref}).scalar() == who.terminated.equals)

    def _candidates(self, work: Work, ref: Any, phone: str | None) -> tuple[Candidate, ...]:
        digits = [char for char in phone or "" if char.isdigit()]
        if self._phone is None or len(digits) < 6 or len(set(digits)) < 3:
            return ()
        found = work.run(self._phone, {"phone": phone, "ref": ref}).scalars()
        return tuple(Candidate(keys.masked(email), "same_phone") for email in found)

    def _members(self) -> Query | None:
        members = self.layout.source.organisations
        if members is None:
            return None
        table = self.layout.tables[members.table]
        other = table.alias()
        sole: sa.ColumnElement[Any] = sa.literal_column("0")
        if members.role:
            others = sa.exists().where(
                other.c[members.organisation] == table.c[members.organisation],
                other.c[members.role] == members.owner_role,
                other.c[members.person] != self.layout.ref,
            )
            sole = sa.case((sa.and_(table.c[members.role] == members.owner_role, ~others), 1), else_=0)
        mine = table.c[members.person] == self.layout.ref
        if not members.name_table:
            return sa.select(sa.cast(table.c[members.organisation], sa.String()), sole).where(mine).limit(_FEW)
        names = self.layout.tables[members.name_table]
        joined = table.join(names, names.c[members.name_key] == table.c[members.organisation])
        return sa.select(names.c[members.name], sole).select_from(joined).where(mine).limit(_FEW)

    def _organisations(self, work: Work, ref: Any) -> tuple[tuple[str, ...], bool]:
        if self._memberships is None:
            return (), False
        rows = work.run(self._memberships, {"ref": ref}).all()
        return tuple(sorted({str(name) for name, _ in rows})), any(sole for _, sole in rows)

    def _money(self) -> tuple[Query | None, Query | None]:
        money, layout = self.layout.source.money, self.layout
        if money is None:
            return None, None
        bought = money.purchases
        table = layout.tables[bought.table]
        expires = layout.as_text(table.c[bought.expires_on]) if bought.expires_on else sa.cast(sa.null(), sa.String())
        purchases = (
            sa.select(table.c[bought.currency], table.c[bought.method], expires, sa.func.sum(table.c[bought.remaining]))
            .where(layout.belongs(bought.table, table, own=True), table.c[bought.remaining] > 0)
            .group_by(table.c[bought.currency], table.c[bought.method], expires)
            .limit(_FEW * 10)
        )
        if money.auto_topup is None:
            return purchases, None
        topups = layout.tables[money.auto_topup.table]
        on = topups.c[money.auto_topup.enabled].is_(True)
        return purchases, sa.select(sa.literal_column("1")).where(
            layout.belongs(money.auto_topup.table, topups, own=True), on
        ).limit(1)

    def _balance(self, work: Work, ref: Any, today: date, terminated: bool) -> Money | None:
        money = self.layout.source.money
        if money is None or self._purchases is None:
            return None
        topup = self._topup is not None and work.run(self._topup, {"ref": ref}).first() is not None
        sums: dict[str, list[int]] = {}
        lost: dict[str, list[str]] = {}
        for currency, method, expires, cents in work.run(self._purchases, {"ref": ref}):
            reason = lost_because(method, expires, today, terminated, money.purchases.never_refunded)
            balance = sums.setdefault(currency, [0, 0])
            balance[0] += int(cents)
            balance[1] += 0 if reason else int(cents)
            if reason:
                lost.setdefault(currency, []).append(reason)
        if not sums:
            return Money("", 0, 0, money.refund_days, 0, (), topup) if topup else None
        purses = [
            Money(code, all_, back, money.refund_days, all_ - back, tuple(dict.fromkeys(lost.get(code, ()))), topup)
            for code, (all_, back) in sorted(sums.items(), key=lambda item: -item[1][0])
        ]
        first = purses[0]
        return Money(
            first.currency, first.balance_cents, first.refund_cents, first.refund_by_days, first.lost_cents,
            first.lost_reasons, first.auto_topup, tuple(purses[1:]),
        )  # fmt: skip

    def _page(self, name: str) -> Query:
        layout, table, key = self.layout, self.layout.tables[name], self.layout.key(name)
        table_map = layout.map_of(name)
        columns = [table.c[column] for column, classified in table_map.columns.items() if not classified.secret]
        return (
            sa.select(key.label("dsar_key"), *(layout.readable(column).label(column.name) for column in columns))
            .where(layout.belongs(name, table, own=True))
            .order_by(key)
            .limit(sa.bindparam("n", type_=sa.Integer()))
        )

    def export(self, work: Work, ref: Any, cursor: str, limit: int) -> Page:
        """See Connector.export."""
        layout = self.layout
        names = layout.order[::-1]
        start, after = split_cursor(layout, names, cursor)
        rows: list[Row] = []
        place = cursor
        for name in names[start:]:
            query = self._pages[name]
            values = {"ref": ref, "n": limit - len(rows) + 1}
            if after is not None:
                query, values["after"] = query.where(layout.key(name) > sa.bindparam("after")), after
                after = None
            for number, row in enumerate(work.run(query, values).mappings()):
                if len(rows) == limit:
                    return Page(tuple(rows), place, False)
                key = row["dsar_key"]
                place = f"{name}:{key}"
                if number == 0 and name == layout.identity.table and is_masked_address(row.get(layout.identity.email)):
                    continue
                content = {column: plain(row[column]) for column in row if column != "dsar_key"}
                rows.append(Row(layout.map_of(name).category, name, content))
        return Page(tuple(rows), place, True)


def holdings(counts: Iterable[Count]) -> Iterable[Holding]:
    """Turn counts into what people are shown."""
    shared: dict[str, int] = {}
    for count in counts:
        order, rule = count.order, count.rule
        if not count.own:
            shared[order.table] = shared.get(order.table, 0) + count.rows
        elif rule is not None:
            kept = count.anchored if rule.column else count.rows
            yield Holding(
                order.category, order.table, keep=kept, code=rule.code, citation=rule.citation,
                until=until_for(rule, count.last_anchor), review_on=rule.review_on, indeterminate=count.rows - kept,
            )  # fmt: skip
        elif count.fate == SHELL or order.disposal == "mask":
            yield Holding(order.category, order.table, mask=count.rows)
        elif count.fate == DUE:
            yield Holding(order.category, order.table, erase=count.rows)
    categories = {count.order.table: count.order.category for count in counts}
    for table, rows in shared.items():
        yield Holding(categories[table], table, keep=rows, owner="organisation")


def lost_because(
    method: str, expires: str | None, today: date, terminated: bool, never: tuple[str, ...]
) -> str:  # fmt: skip
    """Return why credit is lost instead of refunded (a code), or "" where it is refunded."""
    if terminated:
        return "terminated"
    if method in never:
        return method
    return "expired" if expires and as_date(expires) < today else ""


def split_cursor(layout: Layout, names: tuple[str, ...], cursor: str) -> tuple[int, Any]:
    """Return (place of the table, last key done) of a cursor. Raises SourceBroken("bad_cursor")."""
    if not cursor:
        return 0, None
    name, _, key = cursor.partition(":")
    if name not in names or (native := layout.native(name, key)) is None:
        raise SourceBroken("bad_cursor")
    return names.index(name), native


def is_masked_address(email: Any) -> bool:
    """Return whether this is the address of a row that erasing has masked."""
    return email is None or email == "" or str(email).endswith(MASKED_DOMAIN)


def as_moment(value: date | datetime | str | None) -> datetime | None:
    """Return a moment of a source; a naive one is UTC, a mere day counts to its end. None for nothing or no date."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time.max, UTC) if value else None


def plain(value: Any) -> Any:
    """Return a database value as a JSON value."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, float) and not math.isfinite(value):
        # JSON knows no such number.
        return str(value)
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
