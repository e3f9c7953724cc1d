"""How the models that the data map names are queried, counted and masked."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.db import DatabaseError, IntegrityError, OperationalError, connections, models, router, transaction
from django.db.models import Case, Count, Max, Q, Value, When

from dsar.connectors.base import (
    Holding,
    KeepRule,
    Scalar,
    SourceBroken,
    SourceUnavailable,
    TableOrder,
    until_for,
)
from dsar.connectors.masks import mask_value
from dsar.connectors.sql_engine import LOCK_SECONDS, STATEMENT_SECONDS, by_driver
from dsar.datamap.schema import SourceMap
from dsar.datamap.tables import TableMap

Rows = models.QuerySet[Any]

_LIMITS = (
    f"SELECT set_config('statement_timeout', '{STATEMENT_SECONDS}s', true), "
    f"set_config('lock_timeout', '{LOCK_SECONDS}s', true)"
)
_TYPES: dict[str, type] = {
    "BooleanField": bool, "DateField": date, "DateTimeField": datetime, "UUIDField": uuid.UUID,
    "JSONField": dict, "BinaryField": bytes, "FloatField": float,
}  # fmt: skip


def equal_to(values: dict[str, Scalar]) -> Q:
    """The condition that each of these columns holds its value (None: holds nothing)."""
    where = Q(pk__isnull=False)
    for column, value in values.items():
        where &= Q(**{f"{column}__isnull": True} if value is None else {column: value})
    return where


class ModelRows:
    """The person's rows in the models of one source."""

    def __init__(self, key: str, source: SourceMap) -> None:
        if source.identity is None or source.money is not None or source.organisations is not None:
            raise SourceBroken("bad_map")
        self.key = key
        self.label = source.label
        self.source = source
        self.identity = source.identity

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
            raise (
                SourceUnavailable("unreachable") if isinstance(error, OperationalError) else SourceBroken("refused")
            ) from error

    def _holdings(self, order: TableOrder, ref: Any) -> Iterator[Holding]:
        name, own = order.table, self._belongs(order.table, ref, own=True)
        if order.disposal == "keep":
            number, rule = self._all(name).filter(own).count(), order.keeps[0]
            if number:
                yield Holding(
                    order.category, name, keep=number, code=rule.code, citation=rule.citation, review_on=rule.review_on
                )
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

    def _place(self, names: tuple[str, ...], cursor: str) -> tuple[int, Any]:
        if not cursor:
            return 0, None
        name, _, key = cursor.partition(":")
        if name not in names or (native := self._native(name, key)) is None:
            raise SourceBroken("bad_cursor")
        return names.index(name), native

    def _changes(self, order: TableOrder, rows: Rows, step_key: bytes) -> Iterator[tuple[Any, dict[str, Any], bool]]:
        """Return (key, columns that still have to be masked, kept by a rule) of rows that stay."""
        name, table_map = order.table, self._map(order.table)
        flags = {
            f"dsar_k{n}": Case(When(self._kept(name, r), then=Value(1)), default=Value(0))
            for n, r in enumerate(order.keeps)
        }
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
