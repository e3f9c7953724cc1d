"""Guards: triggers that hold the irreversible even against raw SQL, on PostgreSQL and SQLite.

Constraints say what a row may look like; guards say what may not happen to it. They are put in place after every
migrate (SQLite drops a table's triggers when a migration rebuilds it), and nothing starts without them.
"""

import hashlib
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
USER_UNIQUE = (("email",), ("lower(email)",), ("external_id",))
FINAL = ", ".join(f"'{state.value}'" for state in FINAL_STATES)


def _changed(*columns: str) -> str:
    return " OR ".join(f"(NEW.{column} IS DISTINCT FROM OLD.{column})" for column in columns)


Unique = tuple[tuple[str, ...], ...]


def _append_only(name: str, table: str, unique: Unique, message: str) -> Iterator[Guard]:
    yield Guard(f"{name}_update", table, "UPDATE", message)
    yield Guard(f"{name}_delete", table, "DELETE", message)
    yield from _no_replace(name, table, unique, message)


def _no_replace(name: str, table: str, unique: Unique, message: str, only: str = "") -> Iterator[Guard]:
    """TRUNCATE on PostgreSQL; INSERT OR REPLACE on SQLite, which passes a delete trigger.

    `unique` are the groups of columns beside the key by which one row can push another out; `only` limits what is
    protected.
    """
    yield Guard(f"{name}_truncate", table, "TRUNCATE", message, vendors=("postgresql",))
    pushed = _pushed(table, unique, only)
    yield Guard(f"{name}_replace", table, "INSERT", message, pushed, vendors=("sqlite",), lookup=True)


def _no_displacement(name: str, table: str, unique: Unique, message: str, only: str = "") -> Guard:
    """UPDATE OR REPLACE on SQLite: a row that takes a unique value of another deletes that one past its trigger."""
    # Looked up only where such a value changes at all: most updates touch none.
    changed = _changed("id", *(column.removeprefix("lower(").removesuffix(")") for group in unique for column in group))
    when = f"({changed}) AND {_pushed(table, unique, only, 'held.id <> OLD.id')}"
    return Guard(f"{name}_displace", table, "UPDATE", message, when, vendors=("sqlite",), lookup=True)


def _pushed(table: str, unique: Unique, *more: str) -> str:
    """Whether the new row would push out another one: it shares its key or a unique value with it."""

    def of(row: str, column: str) -> str:
        return f'lower({row}."{column[6:-1]}")' if column.startswith("lower(") else f'{row}."{column}"'

    shared = " OR ".join(
        "(" + " AND ".join(f"{of('held', column)} = {of('NEW', column)}" for column in group) + ")"
        for group in (("id",), *unique)
    )
    return " ".join(
        ["EXISTS (SELECT 1 FROM", table, "held WHERE", " AND ".join([f"({shared})", *filter(None, more)]), ")"]
    )


def guards() -> list[Guard]:
    """Every guard of the house."""
    bound = "A confirmed deletion is bound: nothing leads back."
    closed = "A closed account never opens again."
    forward = (
        f"(OLD.state = '{State.RELEASING}'"
        f" AND NEW.state IN ('{State.RELEASING}', '{State.FULFILLING}', '{State.COMPLETED}'))"
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
            f"OLD.state IN ({FINAL}) AND ({_changed('id', 'uid', 'state', 'outcome', 'ended_at')}"
            f" OR (OLD.answered_on IS NOT NULL AND ({_changed('answered_on')})))",
        ),
        Guard(
            "request_identity", REQUEST, "UPDATE", "A request keeps its number.", _changed("id", "uid"),
        ),
        Guard(
            "request_refused", REQUEST, "UPDATE", "A refusal takes two people.",
            "OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NULL"
            f" AND NEW.state = '{State.REFUSED}' AND OLD.state <> '{State.REFUSED}' AND NOT EXISTS"
            " (SELECT 1 FROM dsar_proposal held WHERE held.request_id = NEW.id AND held.kind = 'refuse'"
            " AND held.status IN ('standing', 'confirmed'))",
            lookup=True,
        ),
        Guard(
            "proposal_words", "dsar_proposal", "UPDATE", "What was proposed stays as it was written.",
            f"({_changed('id', 'request_id', 'kind', 'code', 'citation', 'text_sealed', 'keep', 'record_sealed')})"
            f" OR ({_changed('review_on', 'proposed_by_id', 'proposed_at', 'forbidden_by', 'forbidden_until', 'step_id')})"
            f" OR (OLD.status <> 'standing' AND ({_changed('status', 'decided_by_id', 'decided_at', 'note_sealed')}))",
        ),
        Guard("proposal_delete", "dsar_proposal", "DELETE", "What was proposed stays as it was written."),
        *_no_replace(
            "proposal", "dsar_proposal", (), "What was proposed stays as it was written."
        ),
        Guard(
            "silence_found", "dsar_nondisclosure", "UPDATE", "What two people found may not be told stays as they found it.",
            f"({_changed('id', 'request_id', 'kind', 'source', 'category', 'code', 'citation', 'first_by_id', 'first_at')})"
            f" OR ({_changed('decision_id')})"
            f" OR (({_changed('redaction_id')}) AND (NEW.redaction_id IS NOT NULL OR OLD.ended_at IS NULL))"
            " OR (OLD.second_at IS NOT NULL AND"
            f" ({_changed('second_by_id', 'second_at', 'since', 'review_on', 'same_person')}))"
            f" OR (OLD.ended_at IS NOT NULL AND ({_changed('ended_at', 'ended_by_id')}))",
        ),
        Guard("silence_delete", "dsar_nondisclosure", "DELETE", "What two people found may not be told stays as they found it."),
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
        *_no_replace("request", REQUEST, (("uid",),), "No request is ever replaced."),
        Guard(
            "plan_update", "dsar_plan", "UPDATE", "A frozen plan never changes.",
            "OLD.frozen_at IS NOT NULL",
        ),
        Guard("plan_delete", "dsar_plan", "DELETE", "A frozen plan never goes.", "OLD.frozen_at IS NOT NULL"),
        *_no_replace(
            "plan", "dsar_plan", (("request_id", "version"),), "A frozen plan never goes.", "held.frozen_at IS NOT NULL"
        ),
        _no_displacement(
            "plan", "dsar_plan", (("request_id", "version"),), "A frozen plan never goes.", "held.frozen_at IS NOT NULL"
        ),
        Guard(
            "user_closed", USER, "UPDATE", closed,
            f"OLD.closed_at IS NOT NULL AND (NEW.is_active OR {_changed('id', 'closed_at')})",
        ),
        Guard("user_delete", USER, "DELETE", closed, "OLD.closed_at IS NOT NULL"),
        *_no_replace("user", USER, USER_UNIQUE, closed, "held.closed_at IS NOT NULL"),
        _no_displacement("user", USER, USER_UNIQUE, closed, "held.closed_at IS NOT NULL"),
        Guard(
            "lost_mailbox_told", "dsar_lostmailbox", "UPDATE", "What was announced of a new address stays as it was.",
            f"(OLD.noticed_at IS NOT NULL AND ({_changed('case_id', 'noticed_at', 'opens_at')}))"
            f" OR (OLD.objected_at IS NOT NULL AND ({_changed('objected_at', 'opened_at')}))",
        ),
        Guard(
            "appeal_final", "dsar_appeal", "UPDATE", "What was looked at again and decided stays as it was decided.",
            f"({_changed('request_id', 'kind', 'received_at')}) OR (OLD.outcome <> ''"
            f" AND ({_changed('outcome', 'decided_by_id', 'decided_at', 'reasons_sealed', 'words_sealed', 'opened_id')}))",
        ),
        Guard(
            "tombstone_update", "dsar_tombstone", "UPDATE", "A tombstone never changes.",
        ),
        Guard(
            "tombstone_delete", "dsar_tombstone", "DELETE", "A tombstone stays until its period ends.",
            "OLD.expires_on >= CURRENT_DATE",
        ),
        *_no_replace("tombstone", "dsar_tombstone", (("source", "index", "request_id"),), "A tombstone never changes."),
        Guard(
            # The day on which the answer left is written in once.
            "record_update", "dsar_requestrecord", "UPDATE", "The record of a request never changes.",
            "OLD.answered_on IS NOT NULL OR NEW.answered_on IS NULL OR NEW.keep_until < OLD.keep_until"
            " OR NEW.\"right\" <> OLD.\"right\""
            f" OR {_changed('id', 'request_id', 'regime', 'regime_version', 'take_back', 'begun_anew', 'channel')}"
            f" OR {_changed('received_on', 'outcome', 'basis', 'extended')}",
        ),
        Guard(
            "record_delete", "dsar_requestrecord", "DELETE", "The record of a request stays until its period ends.",
            "OLD.keep_until >= CURRENT_DATE",
        ),
        *_no_replace("record", "dsar_requestrecord", (("request_id",),), "The record of a request never changes."),
        *_append_only("audit", "dsar_auditevent", (("chain", "number"),), "The audit trail is append-only."),
        *_append_only("checkpoint", "dsar_checkpoint", (), "Checkpoints are append-only."),
        *_append_only("decision", "dsar_decision", (), "Decisions are append-only."),
        *_append_only("weighing", "dsar_weighing", (), "What was weighed stays as it was written."),
    ]  # fmt: skip
    lost = "Nothing received is lost."
    received: dict[str, Unique] = {
        "case": (("uid",), ("reference",)),
        "intake": (("uid",), ("dedupe",)),
        "appeal": (("opened_id",),),
        "step": (("request_id", "source", "kind"),),
        "evidence": (("uid",),),
        "ownertask": (("step_id",),),
        "message": (("dedupe",),),
    }
    # Of one step only one task is open: those that have ended push nothing out.
    only = {"ownertask": "(held.id = NEW.id OR (held.status = 'open' AND NEW.status = 'open'))"}
    for name, unique in received.items():
        table = f"dsar_{name}"
        found.append(Guard(f"{name}_delete", table, "DELETE", lost))
        found.append(Guard(f"{name}_identity", table, "UPDATE", lost, _changed("id")))
        found.extend(_no_replace(name, table, unique, lost, only.get(name, "")))
        found.append(_no_displacement(name, table, unique, lost, only.get(name, "")))
    # The reference on every letter stays the person's, until nothing of the case is to be found by it.
    found.append(
        Guard(
            "case_reference", "dsar_case", "UPDATE", "A reference changes only when its case is to be found no more.",
            f"{_changed('reference')} AND (OLD.purged_at IS NULL OR NEW.reference NOT LIKE 'GONE-%')",
        )
    )  # fmt: skip
    return found + _choices_stand()


def _choices_stand() -> list[Guard]:
    """A choice that was lost would silently bring its person back onto every list."""
    table, stands = "dsar_choice", "A choice stands until it is taken back."
    unique = (("email_index", "kind"),)
    only = "held.taken_back_at IS NULL AND (held.id = NEW.id OR NEW.taken_back_at IS NULL)"
    return [
        Guard("choice_delete", table, "DELETE", stands, "OLD.taken_back_at IS NULL"),
        Guard("choice_identity", table, "UPDATE", stands, _changed("id", "email_index", "kind")),
        *_no_replace("choice", table, unique, stands, only),
        _no_displacement("choice", table, unique, stands, only),
    ]


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
        f"CREATE TRIGGER {guard.trigger} BEFORE {guard.event} ON {guard.table} FOR EACH {row}{when}"
        f" EXECUTE FUNCTION {call}",
    ]


def install(using: str = "default") -> None:
    """Put every guard in place; repeatable. On PostgreSQL each is stamped with what it looked like then."""
    connection = connections[using]
    with connection.cursor() as cursor:
        wanted = [guard for guard in guards() if connection.vendor in guard.vendors]
        for guard in wanted:
            for statement in statements(guard, connection.vendor):
                cursor.execute(statement)
        if connection.vendor == "postgresql":
            found = _in_postgresql(cursor)
            for guard in wanted:
                stamp = f"{_meant(guard)} {found[guard.trigger].looks}"
                cursor.execute(f"COMMENT ON TRIGGER {guard.trigger} ON {guard.table} IS '{stamp}'")


def _meant(guard: Guard) -> str:
    """What this version of the code means a guard to be: one that an older version put there is not it."""
    return hashlib.sha256("".join(statements(guard, "postgresql")).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class _Found:
    """A trigger as PostgreSQL holds it: its table, its look (definition and function), the look it was stamped with."""

    table: str
    looks: str
    stamped: str


def _in_postgresql(cursor: Any) -> dict[str, _Found]:
    """Guards that are there and fire in every ordinary session."""
    cursor.execute(
        "SELECT held.tgname, held.tgrelid::regclass::text, md5(pg_get_triggerdef(held.oid) || made.prosrc),"
        " coalesce(obj_description(held.oid, 'pg_trigger'), '')"
        " FROM pg_trigger held JOIN pg_proc made ON made.oid = held.tgfoid"
        " WHERE held.tgname LIKE %s AND held.tgenabled IN ('O', 'A')",
        [f"{PREFIX}%"],
    )
    return {
        name: _Found(table.split(".")[-1].strip('"'), looks, stamped)
        for name, table, looks, stamped in cursor.fetchall()
    }


def install_after_migrate(using: str = "default", **_: Any) -> None:
    """Receiver of post_migrate. Waits until every guarded table is there (a partial migrate has fewer)."""
    tables = set(connections[using].introspection.table_names())
    if {guard.table for guard in guards()} <= tables and apps.ready:
        install(using)


def missing(using: str = "default") -> list[str]:
    """The names of guards that are absent, switched off or altered."""
    connection = connections[using]
    wanted = [guard for guard in guards() if connection.vendor in guard.vendors]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            held = dict(cursor.fetchall())
            return [guard.name for guard in wanted if held.get(guard.trigger) != statements(guard, "sqlite")[-1]]
        found = _in_postgresql(cursor)
    absent = _Found("", "", "")
    return [
        guard.name
        for guard in wanted
        for one in [found.get(guard.trigger, absent)]
        if one.table != guard.table or one.stamped != f"{_meant(guard)} {one.looks}"
    ]


def require(using: str = "default") -> None:
    """Refuse to start without every guard; raises ImproperlyConfigured that names those missing."""
    absent = missing(using)
    if absent:
        raise ImproperlyConfigured(f"Guards are missing: {', '.join(absent)}. Run `manage.py migrate`.")
