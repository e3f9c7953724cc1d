"""What the guards are tried with: raw SQL, and rows to try it on."""

import pytest
from django.db import DatabaseError, connection, models, transaction

from dsar.enums import BOUND_STATES, State

POSTGRESQL = connection.vendor == "postgresql"
REQUEST, PLAN, USER = "dsar_privacyrequest", "dsar_plan", "accounts_user"
UNBOUND = [state for state in State if state not in BOUND_STATES]


def run(sql: str, *params: object) -> int:
    """Execute raw SQL; deferred constraints are checked too, so that a refusal is never theirs by accident."""
    with transaction.atomic(), connection.cursor() as cursor:
        if POSTGRESQL:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql, params)
        return int(cursor.rowcount)


# Words that one of the two databases does not know: there is nothing to refuse.
FOREIGN = ("INSERT OR REPLACE", "REPLACE", "UPDATE OR REPLACE") if POSTGRESQL else ("TRUNCATE",)


def refused(by: str, sql: str, *params: object) -> None:
    """The statement fails, and for the reason named: a guard or a constraint of ours."""
    if sql.startswith(FOREIGN):
        return
    with pytest.raises(DatabaseError) as caught:
        run(sql, *params)
    assert by in str(caught.value), str(caught.value)


def everything(model: type[models.Model], pk: object) -> dict[str, object]:
    """A row as it stands, every column."""
    return model._default_manager.filter(pk=pk).values().get()


def copied(model: type[models.Model], pk: object, how: str, tail: str = "", **changed: str) -> str:
    """`INSERT … SELECT` of a row onto itself, with some columns replaced by SQL expressions."""
    columns = [field.column for field in model._meta.concrete_fields]
    picked = ", ".join(changed.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    # "WHERE" keeps SQLite from reading ON CONFLICT as a join's ON.
    table = model._meta.db_table
    return f"{how} INTO {table} ({names}) SELECT {picked} FROM {table} WHERE id = {pk} {tail}"
