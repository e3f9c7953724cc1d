"""The guards themselves: in place after every migrate, noticed when they are not."""

from dataclasses import replace

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, models

from dsar import checks, guards
from dsar.models import (
    PrivacyRequest,
)  # fmt: skip
from tests.guards.attacks import POSTGRESQL, REQUEST, run

# --- the guards themselves --------------------------------------------------------------------------------------------


def test_every_guard_is_in_place_after_a_migrate(db: None) -> None:
    assert guards.missing() == []
    guards.require()
    guards.install()
    assert guards.missing() == []


@pytest.mark.parametrize("name", ["request_bound", "audit_update", "user_closed", "case_delete", "request_frozen"])
def test_a_dropped_guard_is_named_and_nothing_starts(db: None, name: str) -> None:
    guard = next(one for one in guards.guards() if one.name == name)
    run(f"DROP TRIGGER {guard.trigger}" + (f" ON {guard.table}" if POSTGRESQL else ""))
    assert guards.missing() == [name]
    with pytest.raises(ImproperlyConfigured, match=name):
        guards.require()
    with pytest.raises(ImproperlyConfigured, match=name):
        checks.require_all()
    guards.install()
    checks.require_all()


@pytest.mark.parametrize("name", ["request_bound", "request_frozen", "audit_delete"])
def test_an_altered_guard_is_named(db: None, name: str) -> None:
    guard = next(one for one in guards.guards() if one.name == name)
    made = [
        sql for sql in guards.statements(guard, connection.vendor) if not sql.startswith("CREATE OR REPLACE FUNCTION")
    ]
    for sql in made:
        if guard.lookup and POSTGRESQL:
            continue
        harmless = " WHEN (OLD.id < 0)" if POSTGRESQL else " WHEN OLD.id < 0"
        run(
            sql.partition(" FOR EACH ROW")[0] + " FOR EACH ROW" + harmless + " " + _action(sql)
            if "CREATE" in sql
            else sql
        )
    if guard.lookup and POSTGRESQL:
        run(
            f"CREATE OR REPLACE FUNCTION {guard.trigger}() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN NEW; END $$"
        )
    assert guards.missing() == [name]
    guards.install()
    assert guards.missing() == []


def _action(sql: str) -> str:
    word = "EXECUTE FUNCTION" if POSTGRESQL else "BEGIN SELECT"
    return word + sql.partition(word)[2]


def test_a_guard_that_is_switched_off_is_named(db: None) -> None:
    for how in ("DISABLE TRIGGER", "ENABLE REPLICA TRIGGER"):
        if POSTGRESQL:
            run(f"ALTER TABLE {REQUEST} {how} guard_request_bound")
        else:
            # SQLite switches no single trigger off: dropping it is the only way.
            run("DROP TRIGGER IF EXISTS guard_request_bound")
        assert guards.missing() == ["request_bound"]


def test_a_guard_that_an_older_version_put_there_is_not_enough(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    before = guards.guards()
    changed = [replace(one, message="Said differently.") if one.name == "audit_delete" else one for one in before]
    monkeypatch.setattr(guards, "guards", lambda: changed)
    assert guards.missing() == ["audit_delete"]


def test_a_guard_whose_function_lets_everything_pass_is_named(db: None) -> None:
    passing = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
    if POSTGRESQL:
        run(f"CREATE OR REPLACE FUNCTION guard_refuse() {passing}")
    else:
        # SQLite has no functions of its own; the nearest is a trigger that does nothing.
        for name in ("request_bound", "audit_delete"):
            table, event = (REQUEST, "UPDATE") if name == "request_bound" else ("dsar_auditevent", "DELETE")
            run(f"DROP TRIGGER guard_{name}")
            run(f"CREATE TRIGGER guard_{name} BEFORE {event} ON {table} BEGIN SELECT 1; END")
    assert {"request_bound", "audit_delete"} <= set(guards.missing())


def test_a_guard_on_the_wrong_table_is_no_guard(db: None) -> None:
    guard = next(one for one in guards.guards() if one.name == "audit_delete")
    run(f"DROP TRIGGER {guard.trigger}" + (f" ON {guard.table}" if POSTGRESQL else ""))
    run(guards.statements(guard, connection.vendor)[-1].replace("dsar_auditevent", "dsar_message"))
    assert guards.missing() == ["audit_delete"]


def test_the_guards_outlive_a_table_that_a_migration_rebuilds(desk: None) -> None:
    old = PrivacyRequest._meta.get_field("paused_reason")
    new = models.CharField(max_length=41, blank=True)
    new.set_attributes_from_name("paused_reason")
    new.model = PrivacyRequest
    try:
        with connection.schema_editor() as editor:
            editor.alter_field(PrivacyRequest, old, new)
        # SQLite rebuilt the table and forgot its triggers; nothing starts before they are back.
        assert (guards.missing() != []) == (not POSTGRESQL)
        emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
        assert guards.missing() == []
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(PrivacyRequest, new, old)
        guards.install()
    assert guards.missing() == []


def test_a_partial_migrate_is_waited_out(db: None) -> None:
    run("ALTER TABLE dsar_checkpoint RENAME TO dsar_checkpoint_away")
    guards.install_after_migrate()
    run("ALTER TABLE dsar_checkpoint_away RENAME TO dsar_checkpoint")
    guards.install_after_migrate()
    assert guards.missing() == []


def test_every_guarded_table_is_one_of_ours() -> None:
    tables = {model._meta.db_table for model in apps.get_models()}
    assert {guard.table for guard in guards.guards()} <= tables
    names = [guard.name for guard in guards.guards()]
    assert len(names) == len(set(names))
