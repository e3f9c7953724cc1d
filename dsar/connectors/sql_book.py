"""Statements for one set of orders on one source, built once and used for every person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from dsar.connectors.base import KeepRule, SourceBroken, TableOrder
from dsar.connectors.sql_engine import Work
from dsar.connectors.sql_schema import Condition, Edge, Layout

Query = sa.Select[*tuple[Any, ...]]

DUE = -1  # goes (erased or masked)
SHELL = -2  # must stay because rows that remain point to it: masked


@dataclass(frozen=True, slots=True)
class Count:
    """A group of the person's rows of one table that share a fate: DUE, SHELL, or the number of a keep rule."""

    order: TableOrder
    own: bool
    fate: int
    rows: int
    anchored: int
    last_anchor: str | None

    @property
    def rule(self) -> KeepRule | None:
        return self.order.keeps[self.fate] if self.fate >= 0 else None


class Book:
    """Prepared statements. Every one takes `ref`; `keys`, `after` and `n` where it says so."""

    def __init__(self, layout: Layout, orders: tuple[TableOrder, ...]) -> None:
        named = {order.table: order for order in orders}
        if set(named) - set(layout.source.tables) or len(named) != len(orders):
            raise SourceBroken("bad_map")
        for order in orders:
            if order.disposal == "keep" and not order.keeps:
                raise SourceBroken("bad_map")
        self.layout = layout
        self.named = named
        self.orders = tuple(named[name] for name in layout.order if name in named)
        self._census = sa.union_all(*map(self._count, self.orders)) if self.orders else None
        self._listings: dict[tuple[int, bool], sa.CompoundSelect[*tuple[Any, ...]]] = {}
        self._deletes: dict[str, sa.Delete] = {}
        self._details: dict[tuple[str, bool], Query] = {}

    def census(self, work: Work, ref: Any) -> list[Count]:
        """Count every row the person reaches in the ordered tables, by owner and fate: one statement."""
        if self._census is None:
            return []
        rows = work.run(self._census, {"ref": ref})
        return [Count(self.orders[t], bool(own), fate, n, anchored, last) for t, own, fate, n, anchored, last in rows]

    def _count(self, order: TableOrder) -> Query:
        layout, name = self.layout, order.table
        table = layout.tables[name]
        shared = layout.shared(name)
        own = sa.case((layout.belongs(name, table, own=True), 1), else_=0) if shared else sa.literal_column("1")
        fates: list[tuple[Condition, sa.ColumnElement[int]]] = []
        anchors: list[tuple[Condition, sa.ColumnElement[str]]] = []
        for number, rule in enumerate(order.keeps[:1] if order.disposal == "keep" else order.keeps):
            kept = sa.true() if order.disposal == "keep" else layout.kept(rule, table)
            fates.append((kept, sa.literal_column(str(number))))
            anchors.append((kept, layout.as_text(table.c[rule.column]) if rule.column else _no_text()))
        if order.disposal == "erase" and (blocked := self._pointed_at(name, table, remaining=True, seen=(name,))):
            fates.append((sa.or_(*blocked), sa.literal_column(str(SHELL))))
        fate = sa.case(*fates, else_=sa.literal_column(str(DUE))) if fates else sa.literal_column(str(DUE))
        anchor = sa.case(*anchors, else_=_no_text()) if anchors else _no_text()
        inner = (
            sa.select(own.label("own"), fate.label("fate"), anchor.label("anchor"))
            .where(layout.belongs(name, table, own=False))
            .subquery()
        )
        return sa.select(
            sa.literal_column(str(self.orders.index(order))).label("t"), inner.c.own, inner.c.fate,
            sa.func.count().label("n"), sa.func.count(inner.c.anchor).label("a"),
            sa.func.max(inner.c.anchor).label("l"),
        ).group_by(inner.c.own, inner.c.fate)  # fmt: skip

    def _pointed_at(
        self, name: str, table: sa.FromClause, *, remaining: bool, seen: tuple[str, ...]
    ) -> list[Condition]:
        """Return conditions under which other rows need this row to stay.

        With `remaining`, rows that erasing will remove do not count (for the forecast); without, any row that is
        there counts, which keeps a cascade from taking what nobody ordered.
        """
        found: list[Condition] = []
        for edge in self.layout.edges[name]:
            if edge.child in seen or not self._may_stay(name, edge):
                continue
            child = self._table(edge)
            terms: list[Condition] = [child.c[theirs] == table.c[ours] for theirs, ours in edge.pairs]
            if edge.child in self.layout.source.tables:
                own = self.layout.belongs(edge.child, child, own=True)
                if edge.frees:
                    # The database cuts the link of an organisation's row by itself; a kept row must stay findable.
                    terms.append(own)
                if remaining:
                    terms.append(self._remains(edge, child, own, seen))
            found.append(sa.exists().where(*terms))
        return found

    def _may_stay(self, parent: str, edge: Edge) -> bool:
        """Return whether rows on this edge may be there after their own table's turn."""
        source, order = self.layout.source, self.named.get(edge.child)
        if edge.child not in source.tables:
            return not edge.frees
        if edge.frees and order is not None and order.disposal == "mask" and not order.keeps:
            # Masked rows may well lose their link: they are the more anonymous for it.
            return False
        if order is None or order.disposal != "erase" or order.keeps:
            return True
        table_map = source.tables[edge.child]
        joins = {table_map.via.column if table_map.via else table_map.person}
        by_join = {theirs for theirs, _ in edge.pairs} == joins
        if not by_join or (self.layout.shared(edge.child) and not edge.frees):
            return True
        return any(self._may_stay(edge.child, deeper) for deeper in self.layout.edges[edge.child])

    def _remains(self, edge: Edge, child: sa.FromClause, own: Condition, seen: tuple[str, ...]) -> Condition:
        order = self.named.get(edge.child)
        if order is None or order.disposal != "erase":
            return sa.true()
        deeper = self._pointed_at(edge.child, child, remaining=True, seen=(*seen, edge.child))
        kept = [self.layout.kept(rule, child) for rule in order.keeps]
        return sa.or_(sa.case((own, 1), else_=0) == 0, *kept, *deeper)

    def _table(self, edge: Edge) -> sa.FromClause:
        known = self.layout.tables.get(edge.child)
        if known is not None:
            return known.alias()
        columns: list[sa.ColumnClause[Any]] = [sa.column(theirs) for theirs, _ in edge.pairs]
        return sa.table(edge.child, *columns, schema=self.layout.schema).alias()

    def listing(self, start: int, resumed: bool) -> sa.CompoundSelect[*tuple[Any, ...]]:
        """Return (order number, key as text, kept) of rows to work on, from order `start` on.

        Takes `n`, and with `resumed` `after`, the last key that is done. Kept rows appear only where columns of
        theirs must be masked.
        """
        if (start, resumed) not in self._listings:
            parts = [
                self._list(number, order, resumed and number == start)
                for number, order in enumerate(self.orders)
                if number >= start and order.disposal != "keep"
            ]
            self._listings[start, resumed] = sa.union_all(*parts) if parts else sa.union_all(_nothing())
        return self._listings[start, resumed]

    def _list(self, number: int, order: TableOrder, resumed: bool) -> Query:
        table, key = self.layout.tables[order.table], self.layout.key(order.table)
        whole = [self.layout.kept(rule, table) for rule in order.keeps if not rule.keep_columns]
        where = [self.layout.belongs(order.table, table, own=True)]
        if whole:
            where.append(no(*whole))
        if resumed:
            where.append(key > sa.bindparam("after", type_=key.type))
        text = sa.cast(key, sa.String()).label("key")
        columns: list[sa.ColumnElement[Any]] = [sa.literal_column(str(number)).label("t"), text]
        columns.append(self._kept_flag(order, table).label("kept"))
        limited = sa.select(*columns).where(*where).order_by(key).limit(sa.bindparam("n", type_=sa.Integer()))
        return limited.subquery().select()

    def _kept_flag(self, order: TableOrder, table: sa.FromClause) -> sa.ColumnElement[int]:
        if not order.keeps:
            return sa.literal_column("0")
        return sa.case((sa.or_(*(self.layout.kept(rule, table) for rule in order.keeps)), 1), else_=0)

    def delete(self, name: str) -> sa.Delete:
        """Return the delete of `keys`: own rows that no rule keeps at this moment and no remaining row points to."""
        if name not in self._deletes:
            layout, order = self.layout, self.named[name]
            table = layout.tables[name]
            where = [layout.among(layout.key(name)), layout.belongs(name, table, own=True)]
            if order.keeps:
                where.append(no(*(layout.kept(rule, table) for rule in order.keeps)))
            if pointed := self._pointed_at(name, table, remaining=False, seen=(name,)):
                where.append(no(*pointed))
            self._deletes[name] = sa.delete(table).where(*where)
        return self._deletes[name]

    def detail(self, name: str, *, by_keys: bool) -> Query:
        """Return (key, needed, keep flags…, personal columns…) of own rows; `by_keys`: of `keys`, locked."""
        if (name, by_keys) not in self._details:
            layout, order = self.layout, self.named[name]
            table, key = layout.tables[name], layout.key(name)
            pointed = self._pointed_at(name, table, remaining=False, seen=(name,))
            needed = sa.case((sa.or_(*pointed), 1), else_=0) if pointed else sa.literal_column("0")
            flags = [sa.case((layout.kept(rule, table), 1), else_=0) for rule in order.keeps]
            columns = [layout.readable(table.c[column]) for column in self.maskable(name)]
            where = [layout.belongs(name, table, own=True)]
            if by_keys:
                where.append(layout.among(key))
            query = sa.select(key, needed, *flags, *columns).where(*where).order_by(key)
            self._details[name, by_keys] = query.with_for_update(of=table) if by_keys else query
        return self._details[name, by_keys]

    def maskable(self, name: str) -> tuple[str, ...]:
        """Return every column that may have to be masked in this table."""
        return tuple(dict.fromkeys((*self.layout.map_of(name).personal, *self.named[name].columns_to_mask)))


def no(*conditions: Condition) -> Condition:
    """Return "none of these is true"; unlike NOT, an unknown condition counts as not true."""
    return sa.case((sa.or_(*conditions), 1), else_=0) == 0


def _no_text() -> sa.ColumnElement[str]:
    return sa.cast(sa.null(), sa.String())


def _nothing() -> Query:
    columns: list[sa.ColumnElement[Any]] = [sa.literal_column(text) for text in ("0", "''", "0")]
    return sa.select(*columns).where(sa.false())
