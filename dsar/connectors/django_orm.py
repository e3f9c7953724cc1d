"""Models of this Django project: the people who sign in here, and whatever else the data map names.

Tables of the map are models ("accounts.User"). It keeps the same contract as the sql connector over Django's own
connection; a row that others point to is masked by the map, as nothing here makes a shell of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Lower

from dsar import keys
from dsar.connectors.base import (
    MASKED_DOMAIN,
    Account,
    ByHand,
    Candidate,
    Identity,
    Intent,
    Located,
    Operation,
    Outcome,
    Page,
    Residual,
    Row,
    TableOrder,
    Tally,
    changed_lately,
)
from dsar.connectors.django_change import ModelChanges
from dsar.connectors.django_rows import Rows
from dsar.connectors.sql_read import as_moment, is_masked_address, plain
from dsar.datamap.schema import SourceMap


def accounts_map(source: SourceMap) -> SourceMap:
    """Return the source with the table of people who sign in here: closed accounts stay, masked in place."""
    category = (source.categories or ("account",))[0]
    user = {
        "key": "id", "person": "id", "category": category, "disposal": "mask",
        "columns": {
            "id": {}, "role": {}, "is_active": {}, "closed_at": {}, "created_at": {},
            "email": {"personal": True, "mask": "address"}, "full_name": {"personal": True, "mask": "zero"},
            "password": {"personal": True, "mask": "password", "secret": True}, "language": {"personal": True},
            "external_id": {"personal": True, "mask": "null"}, "last_login": {"personal": True, "mask": "null"},
        },
    }  # fmt: skip
    address = {
        "key": "id", "person": "user", "category": category,
        "columns": {"id": {}, "user": {}, "email": {"personal": True}, "verified": {}, "primary": {}},
    }  # fmt: skip
    authenticator = {
        "key": "id", "person": "user", "category": category,
        "columns": {
            "id": {}, "user": {}, "type": {}, "data": {"personal": True, "secret": True}, "created_at": {},
            "last_used_at": {"personal": True},
        },
    }  # fmt: skip
    roles = ("handler", "approver", "auditor", "admin")
    return SourceMap.model_validate(
        {
            "connector": source.connector, "label": source.label, "categories": source.categories,
            "tables": {"account.EmailAddress": address, "mfa.Authenticator": authenticator, "accounts.User": user},
            "identity": {
                "table": "accounts.User",
                "created_at": "created_at",
                "flags": [{"column": "role", "equals": role, "flag": "staff"} for role in roles],
            },
            "close": [
                {"table": "accounts.User", "set": {"is_active": False, "closed_at": "now"}, "only_null": "closed_at"}
            ],
        }
    )  # fmt: skip


class DjangoConnector(ModelChanges, ByHand):
    """Works over Django's own connection. A source without tables means the people who sign in here."""

    def __init__(self, key: str, source: SourceMap) -> None:
        super().__init__(key, source if source.tables else accounts_map(source))

    def ping(self) -> None:
        """See Connector.ping."""
        with self._work():
            self._all(self.identity.table).exists()

    def locate(self, identity: Identity, orders: tuple[TableOrder, ...]) -> Located:
        """See Connector.locate."""
        who = self.identity
        if not identity.usable:
            return Located("none")
        with self._work():
            same = self._all(who.table).alias(dsar_email=Lower(F(who.email))).filter(dsar_email=identity.email)
            people = list(same.values(*who.columns)[:2])
            if not people:
                return Located("none")
            if len(people) > 1:
                candidates = tuple(Candidate(keys.masked(identity.email), "same_email") for _ in people)
                return Located("several", flags=("several_matches",), candidates=candidates)
            person = people[0]
            ref = person[who.key]
            found = [holding for order in self._ordered(orders) for holding in self._holdings(order, ref)]
            flags: list[str] = [flag.flag for flag in who.flags if person[flag.column] == flag.equals]
            changed = person[who.contact_changed_at] if who.contact_changed_at else None
            if changed and changed_lately(changed, datetime.now(UTC).date()):
                flags.append("contact_changed")
            if any(holding.owner == "organisation" for holding in found):
                flags.append("organisation_data")
            if any(holding.indeterminate for holding in found):
                flags.append("indeterminate")
            return Located("one", str(ref), tuple(found), tuple(dict.fromkeys(flags)))

    def account(self, ref: str) -> Account | None:
        """See Connector.account."""
        with self._work():
            native = self._ref(ref)
            found = (
                []
                if native is None
                else self._living(self._all(self.identity.table).filter(**{self.identity.key: native}))
            )
            return found[0] if found else None

    def accounts(self, after: str, limit: int) -> tuple[Account, ...]:
        """See Connector.accounts."""
        with self._work():
            rows = self._all(self.identity.table).order_by(self.identity.key)
            if after:
                rows = rows.filter(**{f"{self.identity.key}__gt": self._ref(after)})
            return tuple(self._living(rows, limit))

    def _living(self, rows: Rows, limit: int = 1) -> list[Account]:
        who = self.identity
        masked = (
            Q(**{f"{who.email}__isnull": True}) | Q(**{who.email: ""}) | Q(**{f"{who.email}__endswith": MASKED_DOMAIN})
        )
        born = (who.created_at,) if who.created_at else ()
        found = rows.exclude(masked).values_list(who.key, who.email, *born)[:limit]
        return [Account(str(row[0]), row[1], as_moment(row[2]) if born else None) for row in found]

    def close(self, ref: str) -> Outcome:
        """See Connector.close."""
        now = datetime.now(UTC)
        tallies = []
        with self._work(write=True):
            if (native := self._ref(ref)) is None:
                return Outcome()
            for action in self.source.close:
                rows = self._all(action.table).filter(self._belongs(action.table, native, own=True))
                if action.only_null:
                    rows = rows.filter(**{f"{action.only_null}__isnull": True})
                category = self._map(action.table).category
                if action.delete:
                    tallies.append(Tally(category, action.table, removed=rows._raw_delete(rows.db)))
                else:
                    values = {name: now if value == "now" else value for name, value in action.set.items()}
                    same = Q(**{f"{name}__isnull" if v is None else name: v is None or v for name, v in values.items()})
                    tallies.append(Tally(category, action.table, changed=rows.exclude(same).update(**values)))
        return Outcome(tuple(tally for tally in tallies if tally.removed or tally.changed))

    def settle(self, ref: str, request_ref: str, today: date) -> Outcome:
        """Return an empty outcome: no money lies here."""
        return Outcome()

    def next_chunk(self, ref: str, orders: tuple[TableOrder, ...], cursor: str, limit: int) -> Intent:
        """See Connector.next_chunk."""
        with self._work():
            if (native := self._ref(ref)) is None:
                return Intent((), cursor, True)
            todo = self._ordered(orders)
            start, after = self._place(tuple(order.table for order in todo), cursor)
            operations: list[Operation] = []
            place, room = cursor, limit
            for order in todo[start:]:
                if order.disposal == "keep":
                    continue
                rows = self._all(order.table).filter(self._belongs(order.table, native, own=True))
                for rule in order.keeps:
                    if not rule.keep_columns:
                        rows = rows.exclude(self._kept(order.table, rule))
                if after is not None:
                    rows, after = rows.filter(**{f"{self._map(order.table).key}__gt": after}), None
                kept = (
                    Case(When(self._kept_by_any(order), then=Value(1)), default=Value(0)) if order.keeps else Value(0)
                )
                key = self._map(order.table).key
                found = list(rows.annotate(dsar_kept=kept).order_by(key).values_list(key, "dsar_kept")[: room + 1])
                for op in ("delete", "mask"):
                    masks = op == "mask"
                    keys = tuple(
                        str(k) for k, keep in found[:room] if masks == (bool(keep) or order.disposal == "mask")
                    )
                    if keys:
                        operations.append(Operation(order.table, order.category, "mask" if masks else "delete", keys))
                if found[:room]:
                    place = f"{order.table}:{found[:room][-1][0]}"
                if len(found) > room:
                    return Intent(tuple(operations), place, False)
                room -= len(found)
            return Intent(tuple(operations), place, True)

    def erase(
        self,
        ref: str,
        orders: tuple[TableOrder, ...],
        intent: Intent,
        step_key: bytes,
        redo: bool,
        before_commit: Callable[[], None] | None = None,
    ) -> Outcome:
        """See Connector.erase. The transaction is one of Django's own database."""
        named = {order.table: order for order in orders}
        tallies = []
        with self._work(write=True):
            if (native := self._ref(ref)) is None:
                return Outcome()
            for operation in intent.operations:
                order = named.get(operation.table)
                if order and order.disposal != "keep":
                    tallies.append(self._carry_out(order, operation, native, step_key, redo))
            for order in self._ordered(orders) if intent.last else ():
                for held in self._holdings(order, native):
                    if held.owner == "own" and held.code:
                        tallies.append(
                            Tally(
                                held.category, held.table, kept=held.keep + held.indeterminate, code=held.code,
                                citation=held.citation, until=held.until, review_on=held.review_on,
                            )
                        )  # fmt: skip
            if before_commit:
                before_commit()
        return Outcome(tuple(t for t in tallies if t.removed or t.anonymised or t.absent or t.failed or t.kept))

    def _carry_out(self, order: TableOrder, operation: Operation, ref: Any, step_key: bytes, redo: bool) -> Tally:
        name, key = order.table, self._map(order.table).key
        keys = [native for text in operation.keys if (native := self._native(name, text)) is not None]
        rows = self._all(name).filter(self._belongs(name, ref, own=True), **{f"{key}__in": keys})
        removed = masked = before = staying = 0
        if order.disposal == "erase" and operation.op == "delete":
            due = rows.exclude(self._kept_by_any(order)) if order.keeps else rows
            removed = due._raw_delete(due.db)
        if removed < len(operation.keys):
            for number, change, kept in self._changes(order, rows.select_for_update(), step_key):
                if change:
                    rows.filter(**{key: number}).update(**change)
                staying += kept
                masked += bool(change) and not kept
                before += not change and not kept
        gone = len(operation.keys) - removed - masked - before - staying
        if operation.op == "mask" and order.disposal == "erase":
            return Tally(order.category, name)
        if redo and order.disposal == "erase":
            return Tally(order.category, name, removed=removed + gone)
        if redo:
            return Tally(order.category, name, anonymised=masked + before + gone)
        return Tally(order.category, name, removed=removed, anonymised=masked, absent=gone + before)

    def verify(self, ref: str, orders: tuple[TableOrder, ...], step_key: bytes) -> Residual:
        """See Connector.verify."""
        left = []
        with self._work():
            if (native := self._ref(ref)) is None:
                return Residual()
            for order in self._ordered(orders):
                if order.disposal == "keep":
                    continue
                rows = self._all(order.table).filter(self._belongs(order.table, native, own=True))
                if order.disposal == "erase" and not any(rule.keep_columns for rule in order.keeps):
                    failed = rows.exclude(self._kept_by_any(order)).count()
                else:
                    states = self._changes(order, rows, step_key)
                    failed = sum(bool(change) or (not kept and order.disposal == "erase") for _, change, kept in states)
                if failed:
                    left.append(Tally(order.category, order.table, failed=failed))
        return Residual(tuple(left))

    def export(self, ref: str, cursor: str, limit: int) -> Page:
        """See Connector.export."""
        with self._work():
            if (native := self._ref(ref)) is None:
                return Page((), cursor, True)
            orders = tuple(TableOrder(name, table.category, "keep") for name, table in self.source.tables.items())
            names = tuple(order.table for order in self._ordered(orders)[::-1])
            start, after = self._place(names, cursor)
            found: list[Row] = []
            place = cursor
            for name in names[start:]:
                table_map = self._map(name)
                rows = self._all(name).filter(self._belongs(name, native, own=True)).order_by(table_map.key)
                if after is not None:
                    rows, after = rows.filter(**{f"{table_map.key}__gt": after}), None
                columns = [column for column, classified in table_map.columns.items() if not classified.secret]
                for row in rows.values(table_map.key, *columns)[: limit - len(found) + 1]:
                    if len(found) == limit:
                        return Page(tuple(found), place, False)
                    place = f"{name}:{row[table_map.key]}"
                    if name == self.identity.table and is_masked_address(row.get(self.identity.email)):
                        continue
                    found.append(Row(table_map.category, name, {column: plain(row[column]) for column in columns}))
            return Page(tuple(found), place, True)
