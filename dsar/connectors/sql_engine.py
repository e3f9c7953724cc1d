"""Connections to a company's database: one engine per process and address, bounded transactions, named errors."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from dsar.connectors.base import SourceBroken, SourceError, SourceUnavailable

# A step's lease is 60 s. No statement starts after DEADLINE, none runs longer than STATEMENT, and a process that sleeps
# or has vanished inside a transaction loses it (and its locks) after IDLE: together below the lease.
STATEMENT_SECONDS = 15
LOCK_SECONDS = 5
IDLE_SECONDS = 10
DEADLINE_SECONDS = 30

_LIMITS = (
    f"SELECT set_config('statement_timeout', '{STATEMENT_SECONDS}s', true), "
    f"set_config('lock_timeout', '{LOCK_SECONDS}s', true), set_config('TimeZone', 'UTC', true), "
    f"set_config('idle_in_transaction_session_timeout', '{IDLE_SECONDS}s', true), "
    "set_config('max_parallel_workers_per_gather', '0', true)"
)
_SQLSTATES = {
    "57014": SourceUnavailable("timeout"), "25P03": SourceUnavailable("timeout"), "55P03": SourceUnavailable("locked"),
    "40P01": SourceUnavailable("conflict"), "40001": SourceUnavailable("conflict"),
    "42501": SourceBroken("permission"), "25006": SourceBroken("permission"),
    "42P01": SourceBroken("schema_changed"), "42703": SourceBroken("schema_changed"),
    "42804": SourceBroken("schema_changed"), "42883": SourceBroken("schema_changed"),
    "3F000": SourceBroken("schema_changed"),
}  # fmt: skip
_SQLITE_CODES = {
    sqlite3.SQLITE_BUSY: SourceUnavailable("locked"), sqlite3.SQLITE_LOCKED: SourceUnavailable("locked"),
    sqlite3.SQLITE_INTERRUPT: SourceUnavailable("timeout"), sqlite3.SQLITE_CANTOPEN: SourceUnavailable("unreachable"),
    sqlite3.SQLITE_READONLY: SourceBroken("permission"), sqlite3.SQLITE_SCHEMA: SourceBroken("schema_changed"),
    sqlite3.SQLITE_ERROR: SourceBroken("schema_changed"), sqlite3.SQLITE_NOTADB: SourceBroken("not_a_database"),
    sqlite3.SQLITE_CORRUPT: SourceBroken("not_a_database"), sqlite3.SQLITE_PERM: SourceBroken("permission"),
}  # fmt: skip

Result = sa.CursorResult[*tuple[Any, ...]]

_engines: dict[str, sa.Engine] = {}
_lock = threading.Lock()


def _forget_inherited() -> None:
    """A forked worker must not speak on its parent's connections, nor close them for the parent."""
    for engine in _engines.values():
        engine.dispose(close=False)
    _engines.clear()


os.register_at_fork(after_in_child=_forget_inherited)


def engine_for(url: str) -> sa.Engine:
    """Return this process's engine for an address. Opens no connection. Raises SourceBroken("bad_address")."""
    engine = _engines.get(url)
    if engine is None:
        with _lock:
            engine = _engines.get(url) or _make(url)
            _engines[url] = engine
    return engine


def forget(url: str) -> None:
    """Close this process's connections to an address; the next use opens new ones."""
    with _lock:
        engine = _engines.pop(url, None)
    if engine is not None:
        engine.dispose()


def _make(address: str) -> sa.Engine:
    try:
        url = sa.make_url(address.replace("postgres://", "postgresql://", 1))
    except sa.exc.ArgumentError as error:
        raise SourceBroken("bad_address") from error
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": LOCK_SECONDS}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return sa.create_engine(
        url,
        pool_size=2,
        max_overflow=4,
        pool_timeout=LOCK_SECONDS,
        pool_recycle=600,
        connect_args={"connect_timeout": LOCK_SECONDS} if url.get_backend_name() == "postgresql" else {},
        hide_parameters=True,
    )


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # A statement that runs too long is interrupted here, as SQLite has no time-out of its own for that.
    limits = record.info
    limits["until"] = 0.0
    connection.set_progress_handler(lambda: int(time.monotonic() > limits["until"]), 20_000)


def _begin_sqlite(connection: sa.Connection) -> None:
    # A reader takes no lock; a writer takes it at once, so that it never fails half way for want of it.
    connection.info["until"] = time.monotonic() + STATEMENT_SECONDS
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


class Work:
    """A transaction of a source that is watched by the clock."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.deadline = time.monotonic() + DEADLINE_SECONDS
        self.sqlite = connection.dialect.name == "sqlite"

    def run(self, statement: sa.Executable, values: Any = None) -> Result:
        """Execute a statement with bound values. Raises SourceUnavailable("timeout") past the deadline."""
        now = time.monotonic()
        if now > self.deadline:
            raise SourceUnavailable("timeout")
        if self.sqlite:
            self.connection.info["until"] = now + STATEMENT_SECONDS
        return self.connection.execute(statement, values)


@contextmanager
def transaction(url: str, *, write: bool) -> Iterator[Work]:
    """Open one bounded transaction: committed at the end, rolled back on any error.

    Raises SourceUnavailable or SourceBroken for what the database answers, never a driver's exception.
    """
    engine = engine_for(url)
    if engine.dialect.name == "sqlite":
        _must_exist(engine.url)
    try:
        connection = _begun(engine, write)
    except sa.exc.SQLAlchemyError as error:
        raise translated(error) from error
    try:
        yield Work(connection)
        connection.commit()
    except sa.exc.SQLAlchemyError as error:
        raise translated(error) from error
    finally:
        _leave(connection)


def _leave(connection: sa.Connection) -> None:
    """Roll back what was not committed. Where the database has ended the connection there is nothing to roll back, and
    the error that brought us here must not be hidden by that."""
    try:
        connection.close()
    except sa.exc.SQLAlchemyError:
        if not connection.closed:
            connection.invalidate()


def _must_exist(url: sa.URL) -> None:
    """SQLite would make an empty database of a file that is missing."""
    name = url.database or ""
    if name not in ("", ":memory:") and not name.startswith("file:") and not Path(name).exists():
        raise SourceUnavailable("unreachable")


def _begun(engine: sa.Engine, write: bool) -> sa.Connection:
    """Return a connection inside a transaction, its limits set.

    A pooled connection may have died since it was last used; as nothing has been done on it, one fresh try is safe.
    """
    for attempt in (1, 2):
        connection = engine.connect()
        try:
            connection = connection.execution_options(writing=write)
            connection.begin()
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(_LIMITS)
            return connection
        except sa.exc.DBAPIError as error:
            connection.close()
            if attempt == 2 or not error.connection_invalidated:
                raise
        except BaseException:
            connection.close()
            raise
    raise AssertionError("unreachable")


def translated(error: sa.exc.SQLAlchemyError) -> SourceError:
    """Return the named error for one of SQLAlchemy's, without its text (it may quote data)."""
    if isinstance(error, sa.exc.TimeoutError):
        return SourceUnavailable("busy")
    if isinstance(error, sa.exc.NoSuchTableError | sa.exc.NoReferencedTableError | sa.exc.CompileError):
        return SourceBroken("schema_changed")
    if not isinstance(error, sa.exc.DBAPIError):
        return SourceBroken("bad_value" if isinstance(error, sa.exc.StatementError) else "bad_map")
    if isinstance(error, sa.exc.IntegrityError):
        return SourceBroken("constraint")
    if error.connection_invalidated:
        return SourceUnavailable("unreachable")
    if known := by_driver(error.orig):
        return known
    if isinstance(error, sa.exc.DataError):
        return SourceBroken("bad_value")
    return SourceUnavailable("unreachable") if isinstance(error, sa.exc.OperationalError) else SourceBroken("refused")


def by_driver(original: Any) -> SourceError | None:
    """Return the named error for a driver's exception, judged by its code, or None for a code not listed."""
    known = _SQLSTATES.get(getattr(original, "sqlstate", None) or "")
    code = getattr(original, "sqlite_errorcode", None)
    if known is None and code is not None:
        known = _SQLITE_CODES.get(code & 0xFF)
    return type(known)(known.code) if known else None
