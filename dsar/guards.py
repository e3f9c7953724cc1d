"""Guards: triggers that hold the irreversible even against raw SQL, on PostgreSQL and SQLite.

Constraints say what a row may look like; guards say what may not happen to it. They are put in place after every
migrate (SQLite drops a table's triggers when a migration rebuilds it), and nothing starts without them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from dsar.enums import FINAL_STATES, State

PREFIX = "guard_"
REFUSAL = "rightsdesk guard"


@dataclass(frozen=True)
class Guard:
    """Refuse `event` on `table` where `when` holds. `when` may use OLD and NEW; empty means always.

    `vendors` limits it to databases that know the event; `lookup` marks a condition with a sub-query, which
    PostgreSQL allows only inside a function.
    """

    name: str
    table: str
    event: str
    message: str
    when: str = ""
    vendors: tuple[str, ...] = ("postgresql", "sqlite")
    lookup: bool = False

    @property
    def trigger(self) -> str:
        """The trigger's name in the database."""
        return f"{PREFIX}{self.name}"


REQUEST, USER = "dsar_privacyrequest", "accounts_user"
FINAL = ", ".join(f"'{state.value}'" for state in FINAL_STATES)


def _changed(*columns: str) -> str:
    return " OR ".join(f"(NEW.{column} IS DISTINCT FROM OLD.{column})" for column in columns)


def _append_only(name: str, table: str, unique: str, message: str) -> Iterator[Guard]:
    yield Guard(f"{name}_update", table, "UPDATE", message)
    yield Guard(f"{name}_delete", table, "DELETE", message)
    yield from _no_replace(name, table, unique, "", message)


def _no_replace(name: str, table: str, unique: str, only: str, message: str) -> Iterator[Guard]:
    """TRUNCATE on PostgreSQL; INSERT OR REPLACE and UPDATE OR REPLACE on SQLite, which pass a delete trigger."""
    yield Guard(f"{name}_truncate", table, "TRUNCATE", message, vendors=("postgresql",))
    exists = f"EXISTS (SELECT 1 FROM {table} held WHERE ({unique}){' AND ' + only if only else ''})"
    yield Guard(f"{name}_replace", table, "INSERT", message, exists, vendors=("sqlite",), lookup=True)


def guards() -> list[Guard]:
    """Every guard of the house."""
    bound = "A confirmed deletion is bound: nothing leads back."
    closed = "A closed account never opens again."
    forward = (
        f"(OLD.state = '{State.RELEASING}' AND NEW.state IN ('{State.RELEASING}', '{State.FULFILLING}', '{State.COMPLETED}'))"
        f" OR (OLD.state = '{State.FULFILLING}' AND NEW.state IN ('{State.FULFILLING}', '{State.COMPLETED}'))"
        f" OR (OLD.state = '{State.COMPLETED}' AND NEW.state = '{State.COMPLETED}')"
    )
    found = [
        Guard(
            "request_bound", REQUEST, "UPDATE", bound,
            f"OLD.confirmed_at IS NOT NULL AND ({_changed('id', 'uid', 'confirmed_at', 'quiet_until', 'case_id')}"
            f" OR NEW.\"right\" <> OLD.\"right\" OR NOT ({forward})"
            " OR (OLD.released_at IS NOT NULL AND NEW.released_at IS DISTINCT FROM OLD.released_at))",
        ),
        Guard(
            "request_final", REQUEST, "UPDATE", "A request that has ended stays ended.",
            f"OLD.state IN ({FINAL}) AND ({_changed('id', 'uid', 'state', 'outcome', 'ended_at')})",
        ),
        Guard(
            "request_identity", REQUEST, "UPDATE", "A request keeps its number.", _changed("id", "uid"),
        ),
        Guard("request_delete", REQUEST, "DELETE", "No request is ever deleted."),
        Guard(
            "request_forged", REQUEST, "INSERT", "A request begins unconfirmed.",
            "NEW.confirmed_at IS NOT NULL OR NEW.released_at IS NOT NULL",
        ),
        Guard(
            "request_frozen", REQUEST, "UPDATE", "A confirmation needs a frozen plan.",
            "OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM dsar_plan held WHERE held.request_id = NEW.id AND held.frozen_at IS NOT NULL)",
            lookup=True,
        ),
        *_no_replace("request", REQUEST, "held.id = NEW.id OR held.uid = NEW.uid", "", "No request is ever replaced."),
        Guard(
            "plan_update", "dsar_plan", "UPDATE", "A frozen plan never changes.",
            "OLD.frozen_at IS NOT NULL",
        ),
        Guard("plan_delete", "dsar_plan", "DELETE", "A frozen plan never goes.", "OLD.frozen_at IS NOT NULL"),
        *_no_replace(
            "plan", "dsar_plan", "held.id = NEW.id OR (held.request_id = NEW.request_id AND held.version = NEW.version)",
            "held.frozen_at IS NOT NULL", "A frozen plan never goes.",
        ),
        Guard(
            "user_closed", USER, "UPDATE", closed,
            f"OLD.closed_at IS NOT NULL AND (NEW.is_active OR {_changed('id', 'closed_at')})",
        ),
        Guard("user_delete", USER, "DELETE", closed, "OLD.closed_at IS NOT NULL"),
        *_no_replace(
            "user", USER, "held.id = NEW.id OR held.email = NEW.email OR held.external_id = NEW.external_id",
            "held.closed_at IS NOT NULL", closed,
        ),
        Guard(
            "user_displace", USER, "UPDATE", closed,
            f"EXISTS (SELECT 1 FROM {USER} held WHERE held.id <> OLD.id AND held.closed_at IS NOT NULL"
            " AND (held.id = NEW.id OR held.email = NEW.email OR held.external_id = NEW.external_id))",
            vendors=("sqlite",), lookup=True,
        ),
        Guard(
            "tombstone_update", "dsar_tombstone", "UPDATE", "A tombstone never changes.",
        ),
        Guard(
            "tombstone_delete", "dsar_tombstone", "DELETE", "A tombstone stays until its period ends.",
            "OLD.expires_on >= CURRENT_DATE",
        ),
        *_no_replace("tombstone", "dsar_tombstone", "held.id = NEW.id", "", "A tombstone never changes."),
        *_append_only(
            "audit", "dsar_auditevent", "held.id = NEW.id OR (held.chain = NEW.chain AND held.number = NEW.number)",
            "The audit trail is append-only.",
        ),
        *_append_only("checkpoint", "dsar_checkpoint", "held.id = NEW.id", "Checkpoints are append-only."),
        *_append_only("decision", "dsar_decision", "held.id = NEW.id", "Decisions are append-only."),
    ]  # fmt: skip
    for table in ("dsar_case", "dsar_intake", "dsar_step"):
        name = table.removeprefix("dsar_")
        found.append(Guard(f"{name}_delete", table, "DELETE", "Nothing received is lost."))
        found.append(Guard(f"{name}_truncate", table, "TRUNCATE", "Nothing received is lost.", vendors=("postgresql",)))
        found.append(Guard(f"{name}_identity", table, "UPDATE", "Nothing received is lost.", _changed("id")))
        found.append(
            Guard(
                f"{name}_replace", table, "INSERT", "Nothing received is lost.",
                f"EXISTS (SELECT 1 FROM {table} held WHERE held.id = NEW.id)", vendors=("sqlite",), lookup=True,
            )  # fmt: skip
        )
    return found


def statements(guard: Guard, vendor: str) -> list[str]:
    """The SQL that puts one guard in place."""
    text = f"{REFUSAL} {guard.name}: {guard.message}".replace("'", "''")
    drop = f"DROP TRIGGER IF EXISTS {guard.trigger}"
    if vendor == "sqlite":
        when = f" WHEN {guard.when.replace('CURRENT_DATE', 'date()')}" if guard.when else ""
        when = when.replace("IS DISTINCT FROM", "IS NOT")
        return [
            drop,
            f"CREATE TRIGGER {guard.trigger} BEFORE {guard.event} ON {guard.table} FOR EACH ROW{when}"
            f" BEGIN SELECT RAISE(ABORT, '{text}'); END",
        ]
    row = "STATEMENT" if guard.event == "TRUNCATE" else "ROW"
    if guard.lookup:
        made = (
            f"CREATE OR REPLACE FUNCTION {guard.trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {guard.when} THEN RAISE EXCEPTION '{text}' USING ERRCODE = 'integrity_constraint_violation'; END IF;"
            " RETURN NEW; END $$"
        )
        call, when = f"{guard.trigger}()", ""
    else:
        made = (
            "CREATE OR REPLACE FUNCTION guard_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        call, when = f"guard_refuse('{text}')", f" WHEN ({guard.when})" if guard.when else ""
    return [
        made,
        f"{drop} ON {guard.table}",
        f"CREATE TRIGGER {guard.trigger} BEFORE {guard.event} ON {guard.table} FOR EACH {row}{when} EXECUTE FUNCTION {call}",
    ]


def install(using: str = "default") -> None:
    """Put every guard in place; repeatable."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for guard in guards():
            if connection.vendor in guard.vendors:
                for statement in statements(guard, connection.vendor):
                    cursor.execute(statement)


def install_after_migrate(using: str = "default", **_: Any) -> None:
    """Receiver of post_migrate. Waits until every guarded table is there (a partial migrate has fewer)."""
    tables = set(connections[using].introspection.table_names())
    if {guard.table for guard in guards()} <= tables and apps.ready:
        install(using)


def missing(using: str = "default") -> list[str]:
    """The names of guards that are absent, switched off or altered."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute(
                "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE %s AND tgenabled IN ('O', 'A')",
                [f"{PREFIX}%"],
            )
        held = dict(cursor.fetchall())
    wanted = [guard for guard in guards() if connection.vendor in guard.vendors]
    if connection.vendor == "sqlite":
        return [guard.name for guard in wanted if held.get(guard.trigger) != statements(guard, "sqlite")[-1]]
    return [guard.name for guard in wanted if held.get(guard.trigger, "").split(".")[-1].strip('"') != guard.table]


def require(using: str = "default") -> None:
    """Refuse to start without every guard; raises ImproperlyConfigured that names those missing."""
    absent = missing(using)
    if absent:
        raise ImproperlyConfigured(f"Guards are missing: {', '.join(absent)}. Run `manage.py migrate`.")
