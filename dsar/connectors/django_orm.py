"""Models of this Django project: the people who sign in here, and whatever else the data map names.

Tables of the map are models ("accounts.User"). It keeps the same contract as the sql connector over Django's own
connection; a row that others point to is masked by the map, as nothing here makes a shell of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.db import DatabaseError, IntegrityError, OperationalError, connections, models, router, transaction
from django.db.models import Case, Count, F, Max, Q, Value, When
from django.db.models.functions import Lower

from dsar.connectors.base import (
    CONTACT_CHANGED_DAYS,
    ByHand,
    Candidate,
    Holding,
    Identity,
    Intent,
    KeepRule,
    Located,
    Operation,
    Outcome,
    Page,
    Residual,
    Row,
    SourceBroken,
    SourceUnavailable,
    TableOrder,
    Tally,
    hint,
    until_for,
)
from dsar.connectors.masks import mask_value
from dsar.connectors.sql_engine import LOCK_SECONDS, STATEMENT_SECONDS, by_driver
from dsar.connectors.sql_read import is_masked_address, plain
from dsar.datamap.orders import as_date
from dsar.datamap.schema import SourceMap, TableMap

Rows = models.QuerySet[Any]

_LIMITS = (
    f"SELECT set_config('statement_timeout', '{STATEMENT_SECONDS}s', true), "
    f"set_config('lock_timeout', '{LOCK_SECONDS}s', true)"
)
_TYPES: dict[str, type] = {
    "BooleanField": bool, "DateField": date, "DateTimeField": datetime, "UUIDField": uuid.UUID,
    "JSONField": dict, "BinaryField": bytes, "FloatField": float,
}  # fmt: skip


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
    roles = ("handler", "approver", "auditor", "admin")
    return SourceMap.model_validate(
        {
            "connector": source.connector, "label": source.label, "categories": source.categories,
            "tables": {"accounts.User": user},
            "identity": {
                "table": "accounts.User",
                "flags": [{"column": "role", "equals": role, "flag": "staff"} for role in roles],
            },
            "close": [
                {"table": "accounts.User", "set": {"is_active": False, "closed_at": "now"}, "only_null": "closed_at"}
            ],
        }
    )  # fmt: skip


class DjangoConnector(ByHand):
    """Works over Django's own connection. A source without tables means the people who sign in here."""

    def __init__(self, key: str, source: SourceMap) -> None:
        if not source.tables:
            source = accounts_map(source)
        if source.identity is None or source.money is not None or source.organisations is not None:
            raise SourceBroken("bad_map")
        self.key = key
        self.label = source.label
        self.source = source
        self.identity = source.identity

    # The tables of the map

    def _map(self, name: str) -> TableMap:
        if name not in self.source.tables:
            raise SourceBroken("bad_map")
        return self.source.tables[name]

    def _model(self, name: str) -> type[models.Model]:
        self._map(name)
        try:
            return apps.get_model(name)
        except (LookupError, ValueError) as error:
            raise SourceBroken("schema_changed") from error

    def _all(self, name: str) -> Rows:
        model = self._model(name)
        return model._base_manager.using(self._alias(name)).order_by()

    def _alias(self, name: str) -> str:
        return router.db_for_write(self._model(name))

    def _belongs(self, name: str, ref: Any, *, own: bool) -> Q:
        table_map = self._map(name)
        if via := table_map.via:
            parents = self._all(via.table).filter(self._belongs(via.table, ref, own=own))
            where = Q(**{f"{via.column}__in": parents.values(via.key)})
        else:
            where = Q(**{table_map.person or table_map.key: ref})
        return where & Q(**{f"{table_map.organisation}__isnull": True}) if own and table_map.organisation else where

    def _kept(self, name: str, rule: KeepRule) -> Q:
        where = Q(pk__isnull=False)
        for column, value in rule.when:
            where &= Q(**{f"{column}__isnull": True} if value is None else {column: value})
        if rule.column and rule.after:
            next_day: date | datetime = rule.after + timedelta(days=1)
            if self._field(name, rule.column).get_internal_type() == "DateTimeField":
                next_day = datetime.combine(next_day, time.min, UTC)
            where &= Q(**{f"{rule.column}__gte": next_day}) | Q(**{f"{rule.column}__isnull": True})
        return where

    def _kept_by_any(self, order: TableOrder) -> Q:
        where = Q(pk__in=[])
        for rule in order.keeps:
            where |= self._kept(order.table, rule)
        return where

    def _field(self, name: str, column: str) -> Any:
        return self._model(name)._meta.get_field(column)

    def _native(self, name: str, key: str) -> Any:
        """Return a key in its own type, or None where the text is none."""
        field = self._field(name, self._map(name).key)
        try:
            return field.to_python(key) if key.strip() else None
        except ValidationError:
            return None

    def _ref(self, ref: str) -> Any:
        return self._native(self.identity.table, ref)

    def _ordered(self, orders: tuple[TableOrder, ...]) -> tuple[TableOrder, ...]:
        """Children before parents (longest way to the person first), the person's own row last."""

        def depth(name: str) -> int:
            via = self._map(name).via
            return 1 + depth(via.table) if via else int(name != self.identity.table)

        return tuple(sorted(orders, key=lambda order: (-depth(order.table), order.table)))

    @contextmanager
    def _work(self, *, write: bool = False) -> Iterator[None]:
        try:
            alias = self._alias(self.identity.table)
            connection = connections[alias]
            postgresql = connection.vendor == "postgresql"
            # A transaction would make a reader on SQLite wait for the writer.
            with transaction.atomic(using=alias) if write or postgresql else nullcontext():
                if postgresql:
                    with connection.cursor() as cursor:
                        cursor.execute(_LIMITS)
                yield
        except (FieldDoesNotExist, FieldError) as error:
            raise SourceBroken("schema_changed") from error
        except DatabaseError as error:
            if known := by_driver(error.__cause__):
                raise known from error
            if isinstance(error, IntegrityError):
                raise SourceBroken("constraint") from error
            raise (SourceUnavailable("unreachable") if isinstance(error, OperationalError) else SourceBroken("refused")) from error

    # The contract

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
                candidates = tuple(Candidate(hint(identity.email), "same_email") for _ in people)
                return Located("several", flags=("several_matches",), candidates=candidates)
            person = people[0]
            ref = person[who.key]
            found = [holding for order in self._ordered(orders) for holding in self._holdings(order, ref)]
            flags: list[str] = [flag.flag for flag in who.flags if person[flag.column] == flag.equals]
            changed = person[who.contact_changed_at] if who.contact_changed_at else None
            if changed and (datetime.now(UTC).date() - as_date(changed)).days < CONTACT_CHANGED_DAYS:
                flags.append("contact_changed")
            if any(holding.owner == "organisation" for holding in found):
                flags.append("organisation_data")
            if any(holding.indeterminate for holding in found):
                flags.append("indeterminate")
            return Located("one", str(ref), tuple(found), tuple(dict.fromkeys(flags)))

    def _holdings(self, order: TableOrder, ref: Any) -> Iterator[Holding]:
        name, own = order.table, self._belongs(order.table, ref, own=True)
        if order.disposal == "keep":
            number, rule = self._all(name).filter(own).count(), order.keeps[0]
            if number:
                yield Holding(order.category, name, keep=number, code=rule.code, citation=rule.citation, review_on=rule.review_on)
        else:
            earlier = Q(pk__in=[])
            counts: dict[str, Any] = {}
            for number, rule in enumerate(order.keeps):
                kept = self._kept(name, rule) & ~earlier
                earlier |= self._kept(name, rule)
                counts[f"dsar_n{number}"] = Count("pk", filter=kept)
                counts[f"dsar_a{number}"] = Count(rule.column or "pk", filter=kept)
                counts[f"dsar_l{number}"] = Max(rule.column or "pk", filter=kept)
            counts["dsar_due"] = Count("pk", filter=~earlier)
            found = self._all(name).filter(own).aggregate(**counts)
            for number, rule in enumerate(order.keeps):
                total, anchored = found[f"dsar_n{number}"], found[f"dsar_a{number}"]
                if total:
                    last = found[f"dsar_l{number}"] if rule.column else None
                    yield Holding(
                        order.category, name, keep=anchored, code=rule.code, citation=rule.citation,
                        until=until_for(rule, last), review_on=rule.review_on, indeterminate=total - anchored,
                    )  # fmt: skip
            if due := found["dsar_due"]:
                yield Holding(order.category, name, **{"mask" if order.disposal == "mask" else "erase": due})
        if shared := self._all(name).filter(self._belongs(name, ref, own=False)).exclude(own).count():
            yield Holding(order.category, name, keep=shared, owner="organisation")

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
                kept = Case(When(self._kept_by_any(order), then=Value(1)), default=Value(0)) if order.keeps else Value(0)
                key = self._map(order.table).key
                found = list(rows.annotate(dsar_kept=kept).order_by(key).values_list(key, "dsar_kept")[: room + 1])
                for op in ("delete", "mask"):
                    masks = op == "mask"
                    keys = tuple(str(k) for k, keep in found[:room] if masks == (bool(keep) or order.disposal == "mask"))
                    if keys:
                        operations.append(Operation(order.table, order.category, "mask" if masks else "delete", keys))
                if found[:room]:
                    place = f"{order.table}:{found[:room][-1][0]}"
                if len(found) > room:
                    return Intent(tuple(operations), place, False)
                room -= len(found)
            return Intent(tuple(operations), place, True)

    def _place(self, names: tuple[str, ...], cursor: str) -> tuple[int, Any]:
        if not cursor:
            return 0, None
        name, _, key = cursor.partition(":")
        if name not in names or (native := self._native(name, key)) is None:
            raise SourceBroken("bad_cursor")
        return names.index(name), native

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

    def _changes(self, order: TableOrder, rows: Rows, step_key: bytes) -> Iterator[tuple[Any, dict[str, Any], bool]]:
        """Return (key, columns that still have to be masked, kept by a rule) of rows that stay."""
        name, table_map = order.table, self._map(order.table)
        flags = {f"dsar_k{n}": Case(When(self._kept(name, r), then=Value(1)), default=Value(0)) for n, r in enumerate(order.keeps)}
        columns = tuple(dict.fromkeys((*table_map.personal, *order.columns_to_mask)))
        for row in rows.annotate(**flags).values(table_map.key, *columns, *flags):
            keeping = [rule for number, rule in enumerate(order.keeps) if row[f"dsar_k{number}"]]
            targets = order.columns_to_mask if order.disposal == "mask" else ()
            if keeping:
                spared = {column for rule in keeping for column in rule.keep_columns}
                whole = any(not rule.keep_columns for rule in keeping)
                targets = () if whole else tuple(column for column in table_map.personal if column not in spared)
            number = row[table_map.key]
            wanted = {column: self._masked(name, column, str(number), step_key) for column in targets}
            yield number, {c: value for c, value in wanted.items() if row[c] != value}, bool(keeping)

    def _masked(self, name: str, column: str, key: str, step_key: bytes) -> Any:
        field = self._field(name, column)
        kind = self._map(name).columns[column].mask
        if kind is None and (name, column) == (self.identity.table, self.identity.email) and not field.null:
            kind = "address"
        internal = field.get_internal_type()
        type_ = _TYPES.get(internal, int if "Integer" in internal or "AutoField" in internal else str)
        return mask_value(
            kind, step_key=step_key, table=name, key=key, column=column, type_=type_, nullable=field.null,
            unique=field.unique, length=field.max_length, aware=internal == "DateTimeField",
        )  # fmt: skip

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
