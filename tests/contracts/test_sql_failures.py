"""What the sql connector does when the database does not play along: named errors, nothing half done."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from dsar.connectors import sql_engine
from dsar.connectors.base import Identity, SourceBroken, SourceUnavailable
from dsar.connectors.sql import SqlConnector

from .backends import company, shop
from .shop import Shop, open_shop
from .suite import KEY, Totals, erase_all, intents, ref_of

__all__ = ["company", "shop"]

ANN = "ann@example.com"


@pytest.fixture
def own_shop(company: Shop, tmp_path: Path) -> Iterator[Shop]:
    """Tables that a test may break."""
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}" if company.schema is None else company.url
    with open_shop(url, company.schema and f"{company.schema}_own") as found:
        found.fill()
        yield found


@contextmanager
def failing_delete(shop: Shop, table: str) -> Iterator[None]:
    """Let the database refuse to delete from one table, as if the process had been killed there."""
    place = f"{shop.schema}." if shop.schema else ""
    if shop.schema:
        shop.run(
            f"CREATE FUNCTION {place}refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'query_canceled'; END $$"
        )
        shop.run(f"CREATE TRIGGER refuse BEFORE DELETE ON {place}{table} EXECUTE FUNCTION {place}refuse()")
    else:
        shop.run(f"CREATE TRIGGER refuse BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END")
    yield
    shop.run(f"DROP TRIGGER refuse ON {place}{table}" if shop.schema else "DROP TRIGGER refuse")
    if shop.schema:
        shop.run(f"DROP FUNCTION {place}refuse")


def test_killed_in_the_middle_of_a_chunk_nothing_is_erased_and_the_redo_ends_the_same(shop: Shop) -> None:
    expected = erase_all(shop, ref_of(shop, "bob@example.com"))
    ref = ref_of(shop, ANN)
    [intent] = intents(shop, ref)
    before = shop.snapshot()
    with failing_delete(shop, "prompts"), pytest.raises((SourceUnavailable, SourceBroken)):
        shop.connector().erase(ref, shop.orders, intent, KEY, False)
    assert shop.snapshot() == before
    assert Totals().add(shop.connector().erase(ref, shop.orders, intent, KEY, True).tallies) == expected


@pytest.mark.parametrize("statement", ["ALTER TABLE {}prompts DROP COLUMN body", "DROP TABLE {}topups"])
def test_a_drifted_schema_needs_a_person_and_is_seen_again_when_mended(own_shop: Shop, statement: str) -> None:
    connector = own_shop.connector()
    located = connector.locate(Identity(ANN), own_shop.orders)
    place = f"{own_shop.schema}." if own_shop.schema else ""
    own_shop.run(statement.format(place))
    with pytest.raises(SourceBroken, match="schema_changed"):
        connector.export(located.ref, "", 100)
        connector.locate(Identity(ANN), own_shop.orders)
    # What a company mends in its database or its map works at once: nothing stale is remembered.
    with pytest.raises(SourceBroken, match="schema_changed"):
        connector.ping()
    if "prompts" in statement:
        own_shop.run(f"ALTER TABLE {place}prompts ADD COLUMN body TEXT")
    else:
        own_shop.table("topups").create(own_shop.engine)
    connector.ping()
    assert connector.locate(Identity(ANN), own_shop.orders).ref == located.ref


def test_a_row_that_somebody_else_holds_is_tried_again_later(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = ref_of(shop, ANN)
    [intent] = intents(shop, ref)
    before = shop.snapshot()
    limits = sql_engine._LIMITS.replace(f"'{sql_engine.LOCK_SECONDS}s'", "'20ms'")
    monkeypatch.setattr(sql_engine, "_LIMITS", limits)
    monkeypatch.setattr(sql_engine, "LOCK_SECONDS", 0.02)
    sql_engine.forget(shop.url)
    with shop.engine.begin() as connection:
        connection.execute(sa.update(shop.table("prompts")).values(body="held"))
        with pytest.raises(SourceUnavailable, match="locked"):
            shop.connector().erase(ref, shop.orders, intent, KEY, False)
        connection.rollback()
    assert shop.snapshot() == before
    sql_engine.forget(shop.url)


def test_a_statement_that_takes_too_long_is_stopped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sql_engine, "_LIMITS", sql_engine._LIMITS.replace(f"'{sql_engine.STATEMENT_SECONDS}s'", "'20ms'")
    )
    monkeypatch.setattr(sql_engine, "STATEMENT_SECONDS", 0.02)
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(SourceUnavailable, match="timeout"), sql_engine.transaction(shop.url, write=False) as work:
        work.run(sa.text(endless))


def test_no_statement_starts_after_the_deadline(shop: Shop) -> None:
    with pytest.raises(SourceUnavailable, match="timeout"), sql_engine.transaction(shop.url, write=False) as work:
        work.deadline = 0.0
        work.run(sa.text("SELECT 1"))


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.sqlite3", "postgresql://nobody@127.0.0.1:1/nothing"])
def test_a_source_that_is_down_says_so_without_details(shop: Shop, url: str) -> None:
    connector = SqlConnector("down", shop.source, url)
    with pytest.raises(SourceUnavailable) as caught:
        connector.ping()
    assert str(caught.value) == "unreachable"


def test_an_address_that_is_none_is_a_persons_task(shop: Shop) -> None:
    with pytest.raises(SourceBroken, match="bad_address"):
        SqlConnector("bad", shop.source, "not an address").ping()


def test_a_missing_file_is_not_made(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "absent.sqlite3"
    with pytest.raises(SourceUnavailable, match="unreachable"):
        SqlConnector("absent", shop.source, f"sqlite:///{path}").ping()
    assert not path.exists()


def test_a_file_that_is_no_database_is_a_persons_task(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "text.sqlite3"
    path.write_text("not a database " * 100)
    with pytest.raises(SourceBroken, match="not_a_database"):
        SqlConnector("text", shop.source, f"sqlite:///{path}").ping()


def test_a_read_only_database_refuses_by_name(own_shop: Shop, tmp_path: Path) -> None:
    ref = ref_of(own_shop, ANN)
    if own_shop.schema is None:
        connector = SqlConnector("ro", own_shop.source, f"sqlite:///file:{tmp_path / 'own.sqlite3'}?mode=ro&uri=true")
    else:
        connector = SqlConnector(
            "ro", own_shop.source, own_shop.url + "?options=-cdefault_transaction_read_only%3Don", own_shop.schema
        )
    with pytest.raises(SourceBroken, match="permission"):
        connector.close(ref)


def test_errors_never_quote_data(own_shop: Shop) -> None:
    ref = ref_of(own_shop, ANN)
    place = f"{own_shop.schema}." if own_shop.schema else ""
    own_shop.run(f"DROP TABLE {place}topups")
    with pytest.raises(SourceBroken) as caught:
        own_shop.connector().locate(Identity(ANN), own_shop.orders)
    assert str(caught.value) == "schema_changed" and ref not in repr(caught.value)


def test_a_dropped_connection_is_replaced_before_any_work(shop: Shop) -> None:
    connector = shop.connector()
    connector.ping()
    if shop.schema:
        shop.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
                 "pid <> pg_backend_pid() AND query LIKE '%set_config%' OR state = 'idle' AND pid <> pg_backend_pid() "
                 f"AND query LIKE '%{shop.schema}%'")  # fmt: skip
    assert connector.locate(Identity(ANN), shop.orders).status == "one"


def test_a_forked_worker_opens_connections_of_its_own(shop: Shop) -> None:
    connector = shop.connector()
    ref = connector.locate(Identity(ANN), shop.orders).ref
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = "other" if sql_engine._engines else connector.locate(Identity(ANN), shop.orders).ref
        except BaseException as error:
            answer = type(error).__name__
        os.write(writing, answer.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as answer_of_child:
        assert answer_of_child.read() == ref
    assert connector.locate(Identity(ANN), shop.orders).ref == ref


def test_sqlite_keeps_foreign_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite3"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        raw.execute("CREATE TABLE b (a_id INTEGER REFERENCES a (id))")
    raw.close()
    with (
        pytest.raises(SourceBroken, match="constraint"),
        sql_engine.transaction(f"sqlite:///{path}", write=True) as work,
    ):
        work.run(sa.text("INSERT INTO b VALUES (7)"))
