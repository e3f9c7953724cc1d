"""The company's tables as the database declares them, joined with what the data map says about them.

Identifiers in SQL come from here alone: from the reflected catalogue, never from data about a person.
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from dsar.connectors.base import KeepRule, Scalar, SourceBroken
from dsar.connectors.sql_engine import Work
from dsar.datamap.schema import SourceMap
from dsar.datamap.tables import TableMap

Condition = sa.ColumnElement[bool]
T = TypeVar("T")
_KEY_TYPES = (int, str, uuid.UUID)


@dataclass(frozen=True, slots=True)
class Edge:
    """Rows of `child` point to rows of a parent: `pairs` are (child column, parent column)."""

    child: str
    pairs: tuple[tuple[str, str], ...]
    declared: bool
    frees: bool


class Layout:
    """Mapped tables of one source, in the order of erasing: children before parents, the person's own row last."""

    def __init__(self, work: Work, source: SourceMap, schema: str | None) -> None:
        if source.identity is None:
            raise SourceBroken("bad_map")
        self.source = source
        self.schema = schema
        self.identity = source.identity
        self.sqlite = work.connection.dialect.name == "sqlite"
        self.postgresql = work.connection.dialect.name == "postgresql"
        names = set(source.tables)
        if source.organisations:
            names |= {source.organisations.table, source.organisations.name_table or source.organisations.table}
        self.tables = self._reflect(work.connection, names)
        self.edges = self._edges(work.connection)
        self.order = self._children_first()
        self.ref = sa.bindparam("ref", type_=self.key(self.identity.table).type)
        self._prepared: dict[str, Any] = {}

    def once(self, name: str, build: Callable[[], T]) -> T:
        """Return what `build` made the first time: statements are built and compiled once."""
        if name not in self._prepared:
            self._prepared[name] = build()
        return cast(T, self._prepared[name])

    def _reflect(self, connection: sa.Connection, names: set[str]) -> dict[str, sa.Table]:
        metadata = sa.MetaData(schema=self.schema)
        with warnings.catch_warnings():
            # Indexes over expressions and unknown types are of no interest here.
            warnings.simplefilter("ignore", sa.exc.SAWarning)
            try:
                metadata.reflect(connection, only=sorted(names), resolve_fks=False)
            except sa.exc.InvalidRequestError as error:
                raise SourceBroken("schema_changed") from error
        tables = {table.name: table for table in metadata.tables.values()}
        for name, table_map in self.source.tables.items():
            if set(table_map.columns) - set(tables[name].c.keys()):
                raise SourceBroken("schema_changed")
        return tables

    def _edges(self, connection: sa.Connection) -> dict[str, list[Edge]]:
        """Return, per parent table, who points to it: declared foreign keys, and `via` where none is declared."""
        edges: dict[str, list[Edge]] = {name: [] for name in self.source.tables}
        for (_, child), keys in sa.inspect(connection).get_multi_foreign_keys(schema=self.schema).items():
            for key in keys:
                parent = key["referred_table"]
                if parent in edges and key.get("referred_schema") == self.schema:
                    pairs = tuple(zip(key["constrained_columns"], key["referred_columns"], strict=True))
                    frees = str(key.get("options", {}).get("ondelete", "")).upper() == "SET NULL"
                    edges[parent].append(Edge(child, pairs, True, frees))
        for name, table_map in self.source.tables.items():
            if via := table_map.via:
                pairs = ((via.column, via.key),)
                if not any(edge.child == name and edge.pairs == pairs for edge in edges[via.table]):
                    edges[via.table].append(Edge(name, pairs, False, False))
        return edges

    def _children_first(self) -> tuple[str, ...]:
        done: list[str] = []
        open_: set[str] = set()

        def visit(name: str) -> None:
            # A circle of foreign keys is cut where it is met; the data map's own paths have none.
            if name in done or name in open_:
                return
            open_.add(name)
            for edge in sorted(self.edges[name], key=lambda edge: edge.child):
                if edge.child in self.source.tables:
                    visit(edge.child)
            done.append(name)

        for name in self.source.tables:
            if name != self.identity.table:
                visit(name)
        if self.identity.table in done:
            done.remove(self.identity.table)
        return (*done, self.identity.table)

    def map_of(self, name: str) -> TableMap:
        """Return the data map's entry. Raises SourceBroken("bad_map") for a table it does not name."""
        if name not in self.source.tables:
            raise SourceBroken("bad_map")
        return self.source.tables[name]

    def key(self, name: str) -> sa.Column[Any]:
        """Return the key column of a mapped table. Raises SourceBroken("bad_map") for a type nobody can page by."""
        column = self.tables[name].c[self.map_of(name).key]
        if _python_type(column) not in _KEY_TYPES:
            raise SourceBroken("bad_map")
        return column

    def native(self, name: str, key: str) -> Any:
        """Return a key in the type of its column, or None where the text is no such key."""
        type_ = _python_type(self.key(name))
        try:
            return type_(key) if key.strip() else None
        except (ValueError, AttributeError):
            return None

    def native_ref(self, ref: str) -> Any:
        """Return the person's key in its type; None where it names nobody."""
        return self.native(self.identity.table, ref)

    def belongs(self, name: str, table: sa.FromClause, *, own: bool) -> Condition:
        """Return the condition that a row is the person's: with `own`, without what belongs to an organisation."""
        table_map = self.map_of(name)
        if via := table_map.via:
            parent = self.tables[via.table].alias()
            inner = sa.select(parent.c[via.key]).where(self.belongs(via.table, parent, own=own))
            condition: Condition = table.c[via.column].in_(inner)
        else:
            condition = table.c[table_map.person or table_map.key] == self.ref
        if own and table_map.organisation:
            condition = condition & table.c[table_map.organisation].is_(None)
        return condition

    def shared(self, name: str) -> bool:
        """Return whether rows of this table may belong to an organisation, by themselves or through their parent."""
        table_map = self.map_of(name)
        return bool(table_map.organisation) or bool(table_map.via and self.shared(table_map.via.table))

    def kept(self, rule: KeepRule, table: sa.FromClause) -> Condition:
        """Return the condition that a rule keeps a row; an empty anchor keeps it too."""
        terms: list[Condition] = [
            table.c[column].is_(None) if value is None else table.c[column] == value for column, value in rule.when
        ]
        if rule.column is not None and rule.after is not None:
            terms.append(self._later(table.c[rule.column], rule.after))
        return sa.and_(sa.true(), *terms)

    def _later(self, column: sa.ColumnElement[Any], after: date) -> Condition:
        next_day = after + timedelta(days=1)
        if self.sqlite or isinstance(column.type, sa.String):
            text = sa.type_coerce(column, sa.String())
            return sa.or_(column.is_(None), text == "", text >= next_day.isoformat())
        if isinstance(column.type, sa.DateTime):
            zone = UTC if column.type.timezone else None
            return sa.or_(column.is_(None), column >= datetime.combine(next_day, time.min, zone))
        if isinstance(column.type, sa.Date):
            return sa.or_(column.is_(None), column >= next_day)
        raise SourceBroken("bad_map")

    def as_text(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """Return a date column as ISO text, NULL where it is empty."""
        text = sa.type_coerce(column, sa.String()) if self.sqlite else sa.cast(column, sa.String())
        return sa.func.nullif(text, "")

    def readable(self, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        """Return a column as it is to be read: SQLite's dates as the text they are, as their format may vary."""
        if self.sqlite and isinstance(column.type, sa.Date | sa.DateTime | sa.Time):
            return sa.type_coerce(column, sa.String()).label(column.name)
        return column

    def among(self, column: sa.Column[Any]) -> Condition:
        """Return "column is one of :keys", in the form whose text does not vary with their number where possible."""
        if self.postgresql:
            return column == sa.any_(sa.bindparam("keys", type_=ARRAY(column.type)))
        return column.in_(sa.bindparam("keys", expanding=True))

    def is_unique(self, name: str, column: str) -> bool:
        """Return whether a constraint or index makes values of this column differ from each other."""
        table = self.tables[name]
        groups = [index.columns.keys() for index in table.indexes if index.unique]
        groups += [item.columns.keys() for item in table.constraints if isinstance(item, sa.UniqueConstraint)]
        return [column] in groups

    def value(self, column: sa.Column[Any], value: Scalar, now: datetime) -> Any:
        """Return what the map wants written: "now" is the moment in the column's own type."""
        if value != "now":
            return value
        if isinstance(column.type, sa.DateTime):
            return now if column.type.timezone and not self.sqlite else now.replace(tzinfo=None)
        if isinstance(column.type, sa.Date):
            return now.date()
        return now.isoformat(timespec="seconds")


def _python_type(column: sa.Column[Any]) -> type:
    try:
        return column.type.python_type
    except NotImplementedError:
        return object
