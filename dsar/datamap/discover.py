"""Looks at a live database: which tables and columns it has. Reads the catalogue only, never a row."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """One column as the database declares it. `kind` is a Python type name such as "str" or "datetime"."""

    name: str
    kind: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class LiveTable:
    """One table: columns, primary key, and the tables its foreign keys point to."""

    name: str
    columns: tuple[LiveColumn, ...]
    primary_key: tuple[str, ...]
    refers_to: tuple[str, ...]


def live_tables(engine: sa.Engine, schema: str | None = None) -> dict[str, LiveTable]:
    """Return every table of the schema by name. Database errors pass through as SQLAlchemy raises them."""
    inspector = sa.inspect(engine)
    tables = {}
    for name in sorted(inspector.get_table_names(schema=schema)):
        columns = tuple(
            LiveColumn(column["name"], _kind(column["type"]), bool(column["nullable"]))
            for column in inspector.get_columns(name, schema=schema)
        )
        key = tuple(inspector.get_pk_constraint(name, schema=schema)["constrained_columns"])
        refers = tuple(sorted({fk["referred_table"] for fk in inspector.get_foreign_keys(name, schema=schema)}))
        tables[name] = LiveTable(name, columns, key, refers)
    return tables


def _kind(type_: sa.types.TypeEngine[object]) -> str:
    try:
        return type_.python_type.__name__
    except NotImplementedError:
        return "unknown"
