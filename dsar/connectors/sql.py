"""Any database that SQLAlchemy reaches, described by the data map."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import sqlalchemy as sa

from dsar.connectors import sql_change, sql_settings, sql_write
from dsar.connectors.base import (
    VALUES_SHOWN,
    Account,
    ByHand,
    Identity,
    Intent,
    Located,
    NotSupported,
    Outcome,
    Page,
    Residual,
    SourceBroken,
    TableOrder,
)
from dsar.connectors.sql_book import Book
from dsar.connectors.sql_engine import Work, transaction, translated
from dsar.connectors.sql_read import Reader
from dsar.connectors.sql_schema import Layout
from dsar.datamap.schema import SourceMap

_BOOKS = 64


def utc_today() -> date:
    """Return the current day, UTC."""
    return datetime.now(UTC).date()


class SqlConnector(ByHand):
    """One company database. `url` is an SQLAlchemy address; `schema` a PostgreSQL schema or None.

    The catalogue is read once per process, and again after the database has turned out to be different.
    """

    def __init__(
        self, key: str, source: SourceMap, url: str, schema: str | None = None, clock: Callable[[], date] = utc_today
    ) -> None:
        self.key = key
        self.label = source.label
        self.source = source
        self.url = url
        self.schema = schema or source.schema_
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[Layout, Reader] | None = None
        self._books: dict[tuple[TableOrder, ...], Book] = {}

    @contextmanager
    def _work(self, *, write: bool = False) -> Iterator[tuple[Work, Layout, Reader]]:
        try:
            with transaction(self.url, write=write) as work:
                layout, reader = self._layout(work)
                yield work, layout, reader
        except SourceBroken as error:
            if error.code == "schema_changed":
                self._forget()
            raise

    def _layout(self, work: Work) -> tuple[Layout, Reader]:
        known = self._known
        if known is None:
            with self._lock:
                if self._known is None:
                    try:
                        layout = Layout(work, self.source, self.schema)
                        self._known = (layout, Reader(layout))
                    except sa.exc.SQLAlchemyError as error:
                        raise translated(error) from error
                    except KeyError as error:
                        raise SourceBroken("schema_changed") from error
                known = self._known
        return known

    def _forget(self) -> None:
        with self._lock:
            self._known = None
            self._books = {}

    def _book(self, layout: Layout, orders: tuple[TableOrder, ...]) -> Book:
        book = self._books.get(orders)
        if book is None or book.layout is not layout:
            if len(self._books) >= _BOOKS:
                self._books = {}
            book = self._books[orders] = Book(layout, orders)
        return book

    def ping(self) -> None:
        """See Connector.ping: connects, and reads the catalogue where that has not been done."""
        with self._work():
            pass

    def locate(self, identity: Identity, orders: tuple[TableOrder, ...]) -> Located:
        """See Connector.locate."""
        if not identity.usable:
            return Located("none")
        with self._work() as (work, layout, reader):
            return reader.locate(work, identity, self._book(layout, orders), self._clock())

    def close(self, ref: str) -> Outcome:
        """See Connector.close."""
        with self._work(write=True) as (work, layout, _):
            native = layout.native_ref(ref)
            return Outcome() if native is None else sql_write.close(layout, work, native)

    def settle(self, ref: str, request_ref: str, today: date) -> Outcome:
        """See Connector.settle."""
        with self._work(write=True) as (work, layout, reader):
            native = layout.native_ref(ref)
            if native is None or layout.source.money is None:
                return Outcome()
            return sql_write.settle(reader, work, native, request_ref, today)

    def next_chunk(self, ref: str, orders: tuple[TableOrder, ...], cursor: str, limit: int) -> Intent:
        """See Connector.next_chunk."""
        with self._work() as (work, layout, _):
            native = layout.native_ref(ref)
            if native is None:
                return Intent((), cursor, True)
            return sql_write.next_chunk(self._book(layout, orders), work, native, cursor, limit)

    def erase(
        self,
        ref: str,
        orders: tuple[TableOrder, ...],
        intent: Intent,
        step_key: bytes,
        redo: bool,
        before_commit: Callable[[], None] | None = None,
    ) -> Outcome:
        """See Connector.erase."""
        with self._work(write=True) as (work, layout, _):
            native = layout.native_ref(ref)
            if native is None:
                return Outcome()
            job = sql_write.Job(self._book(layout, orders), work, native, step_key, redo)
            outcome = sql_write.erase(job, intent)
            if before_commit:
                before_commit()
            return outcome

    def verify(self, ref: str, orders: tuple[TableOrder, ...], step_key: bytes) -> Residual:
        """See Connector.verify."""
        with self._work() as (work, layout, _):
            native = layout.native_ref(ref)
            if native is None:
                return Residual()
            return sql_write.verify(sql_write.Job(self._book(layout, orders), work, native, step_key))

    def apply(self, ref: str, choice: str, *, on: bool) -> Outcome:
        """See Connector.apply."""
        if choice not in self.source.choices:
            raise NotSupported(f"{self.label}: record this choice by hand.")
        with self._work(write=True) as (work, layout, _):
            native = layout.native_ref(ref)
            return (
                Outcome()
                if native is None
                else sql_settings.apply(layout, work, native, layout.source.choices[choice], on=on)
            )

    def account(self, ref: str) -> Account | None:
        """See Connector.account."""
        with self._work() as (work, layout, reader):
            native = layout.native_ref(ref)
            return None if native is None else reader.account(work, native)

    def accounts(self, after: str, limit: int) -> tuple[Account, ...]:
        """See Connector.accounts."""
        with self._work() as (work, layout, reader):
            return reader.accounts(work, layout.native_ref(after) if after else None, limit)

    def export(self, ref: str, cursor: str, limit: int) -> Page:
        """See Connector.export."""
        with self._work() as (work, layout, reader):
            native = layout.native_ref(ref)
            return Page((), cursor, True) if native is None else reader.export(work, native, cursor, limit)

    def current(self, ref: str, fields: tuple[str, ...], most: int = VALUES_SHOWN) -> dict[str, tuple[str, ...]]:
        """See Connector.current."""
        with self._work() as (work, layout, _):
            native = layout.native_ref(ref)
            return {} if native is None else sql_change.current(layout, work, native, fields, most)

    def fits(self, changes: dict[str, str]) -> bool:
        """See Connector.fits."""
        with self._work() as (_work, layout, _):
            return sql_change.fits(layout, changes)

    def rectify(self, ref: str, changes: dict[str, str]) -> Outcome:
        """See Connector.rectify."""
        with self._work(write=True) as (work, layout, _):
            native = layout.native_ref(ref)
            return Outcome() if native is None else sql_change.rectify(layout, work, native, changes)

    def restrict(self, ref: str) -> Outcome:
        """See Connector.restrict."""
        return self._mark(ref, on=True)

    def lift(self, ref: str) -> Outcome:
        """See Connector.lift."""
        return self._mark(ref, on=False)

    def _mark(self, ref: str, *, on: bool) -> Outcome:
        marks = self.source.restrict
        if not marks or not (on or all(mark.undo for mark in marks)):
            raise NotSupported(f"{self.label}: it has no mark for a restriction.")
        with self._work(write=True) as (work, layout, _):
            native = layout.native_ref(ref)
            return Outcome() if native is None else sql_settings.apply(layout, work, native, marks, on=on)
