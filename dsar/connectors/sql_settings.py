"""Settings of the data map on a person's own rows: choices (opt-outs, consent) and marks of a restriction, set and taken
back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from dsar.connectors.base import Outcome, Scalar, Tally
from dsar.connectors.sql_engine import Work
from dsar.connectors.sql_schema import Layout
from dsar.datamap.schema import Setting


def apply(layout: Layout, work: Work, ref: Any, settings: Sequence[Setting], *, on: bool) -> Outcome:
    """Set what the data map says, in its order, or take it back where it is as `set` left it. Repeatable."""
    now = datetime.now(UTC)
    tallies = []
    for setting in settings:
        wanted = setting.set if on else setting.undo
        if not wanted:
            continue
        columns = layout.tables[setting.table].c
        values = {name: layout.value(columns[name], value, now) for name, value in wanted.items()}
        done = work.run(_statement(layout, setting, wanted, values, on=on), {"ref": ref}).rowcount
        tallies.append(Tally(layout.map_of(setting.table).category, setting.table, changed=done))
    return Outcome(tuple(tally for tally in tallies if tally.changed))


def _statement(
    layout: Layout, setting: Setting, wanted: dict[str, Scalar], values: dict[str, Any], *, on: bool
) -> sa.Update:
    """An update of those own rows alone that are not yet as they are wanted, so that a repeat changes none."""
    table = layout.tables[setting.table]
    # What took the moment cannot be asked for again: it is wanted to hold something.
    conditions = setting.only if on else {name: value for name, value in setting.set.items() if value != "now"}
    where = [layout.belongs(setting.table, table, own=True)]
    where += [table.c[name].is_not_distinct_from(_literal(table, name, value)) for name, value in conditions.items()]
    different = [
        table.c[name].is_(None) if value == "now" else table.c[name].is_distinct_from(_literal(table, name, value))
        for name, value in wanted.items()
    ]
    return sa.update(table).where(*where, sa.or_(*different)).values(values)


def _literal(table: sa.Table, name: str, value: Scalar) -> sa.ColumnElement[Any]:
    return sa.literal(value, table.c[name].type)
