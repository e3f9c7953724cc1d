"""Correcting in a company's database: bounded, on the person's own rows alone, repeatable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from dsar.connectors.base import Outcome, SourceBroken, Tally
from dsar.connectors.sql_engine import Work
from dsar.connectors.sql_schema import Condition, Layout


def current(layout: Layout, work: Work, ref: Any, fields: tuple[str, ...], most: int) -> dict[str, tuple[str, ...]]:
    """See Connector.current."""
    found: dict[str, dict[str, None]] = {}
    for name, table_map in layout.source.tables.items():
        for column, classified in table_map.columns.items():
            field = classified.says
            if field is None or field not in fields or classified.secret:
                continue
            table = layout.tables[name]
            query = (
                sa.select(layout.readable(table.c[column]))
                .where(layout.belongs(name, table, own=True))
                .distinct()
                .limit(most)
            )
            said = found.setdefault(field, {})
            said.update(dict.fromkeys(str(value) for (value,) in work.run(query, {"ref": ref}) if value is not None))
    return {field: tuple(sorted(values)) for field, values in found.items()}


def fits(layout: Layout, changes: dict[str, str]) -> bool:
    """See Connector.fits."""
    try:
        for name in layout.source.tables:
            _written(layout, name, changes)
    except SourceBroken:
        return False
    return True


def rectify(layout: Layout, work: Work, ref: Any, changes: dict[str, str]) -> Outcome:
    """See Connector.rectify. `work` is the one transaction."""
    if not changes or set(changes) - layout.source.correctable:
        raise SourceBroken("bad_value")
    return Outcome(
        tuple(tally for name in layout.source.tables for tally in _correct(layout, work, ref, name, changes))
    )


def _correct(layout: Layout, work: Work, ref: Any, name: str, changes: dict[str, str]) -> Iterator[Tally]:
    table, table_map = layout.tables[name], layout.map_of(name)
    own = layout.belongs(name, table, own=True)
    written = _written(layout, name, changes)
    if not written:
        return
    rows: int = work.run(sa.select(sa.func.count()).select_from(table).where(own), {"ref": ref}).scalar_one()
    differs: list[Condition] = [
        table.c[column].is_distinct_from(sa.literal(value, table.c[column].type)) for column, value in written.items()
    ]
    emptied = {
        column: sa.null() for column, classified in table_map.columns.items() if classified.derived_from in changes
    }
    statement = sa.update(table).where(own, sa.or_(*differs)).values({**written, **emptied})
    changed = work.run(statement, {"ref": ref}).rowcount
    if rows:
        yield Tally(table_map.category, name, changed=changed, absent=rows - changed)


def _written(layout: Layout, name: str, changes: dict[str, str]) -> dict[str, Any]:
    """Column -> what it shall say, of one table."""
    return {
        column: _native(layout.tables[name].c[column], changes[classified.correct])
        for column, classified in layout.map_of(name).columns.items()
        if classified.correct in changes and classified.correct is not None
    }


def _native(column: sa.Column[Any], value: str) -> Any:
    """Return a value in the column's type. Raises SourceBroken("bad_value") for one that does not fit."""
    length = getattr(column.type, "length", None)
    if length is not None and len(value) > length:
        # SQLite would take it, and PostgreSQL cut nothing off.
        raise SourceBroken("bad_value")
    try:
        kind = column.type.python_type
        if kind is datetime:
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if getattr(column.type, "timezone", False) else moment
        if kind is date:
            return date.fromisoformat(value)
        if kind is bool:
            # bool("no") is True: what a yes or a no is called, the data map does not say.
            raise SourceBroken("bad_value")
        return value if kind is str else kind(value)
    except (NotImplementedError, TypeError, ValueError, ArithmeticError) as error:
        raise SourceBroken("bad_value") from error
