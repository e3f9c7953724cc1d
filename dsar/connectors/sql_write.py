"""Closing, refunding, erasing in a company's database, and looking whether it is done."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dsar.connectors.base import Intent, KeepRule, Operation, Outcome, Residual, Tally, until_for
from dsar.connectors.masks import mask_value
from dsar.connectors.sql_book import DUE, SHELL, Book, Count, Query
from dsar.connectors.sql_engine import Work
from dsar.connectors.sql_read import Reader, lost_because, split_cursor
from dsar.connectors.sql_schema import Layout
from dsar.datamap.schema import AutoTopupMap, PurchasesMap


def next_chunk(book: Book, work: Work, ref: Any, cursor: str, limit: int) -> Intent:
    """See Connector.next_chunk: one statement, whatever the number of tables."""
    names = tuple(order.table for order in book.orders)
    start, after = split_cursor(book.layout, names, cursor)
    values = {"ref": ref, "n": limit + 1}
    if after is not None:
        values["after"] = after
    by_table: dict[int, list[tuple[str, int]]] = {}
    for number, key, kept in work.run(book.listing(start, after is not None), values):
        by_table.setdefault(number, []).append((key, kept))
    found = [(number, key, kept) for number in sorted(by_table) for key, kept in by_table[number]]
    chunk = found[:limit]
    grouped: dict[tuple[int, str], list[str]] = {}
    for number, key, kept in chunk:
        op = "mask" if kept or book.orders[number].disposal == "mask" else "delete"
        grouped.setdefault((number, op), []).append(key)
    operations = tuple(
        Operation(
            book.orders[number].table, book.orders[number].category, "mask" if op == "mask" else "delete", tuple(k)
        )
        for (number, op), k in grouped.items()
    )
    place = f"{names[chunk[-1][0]]}:{chunk[-1][1]}" if chunk else cursor
    return Intent(operations, place, last=len(found) <= limit)


@dataclass(frozen=True, slots=True)
class Job:
    """What one transaction works with. `ref` is the person's key in its own type."""

    book: Book
    work: Work
    ref: Any
    step_key: bytes
    redo: bool = False


def erase(job: Job, intent: Intent) -> Outcome:
    """See Connector.erase. `job.work` is the one transaction."""
    tallies = [tally for operation in intent.operations if (tally := _carry_out(job, operation))]
    if intent.last:
        tallies += [kept(count) for count in job.book.census(job.work, job.ref) if count.own and count.rule]
    return Outcome(tuple(tallies))


def kept(count: Count) -> Tally:
    """Return what the letter says about rows that stay."""
    rule = count.rule
    assert rule is not None
    return Tally(
        count.order.category, count.order.table, kept=count.rows, code=rule.code, citation=rule.citation,
        until=until_for(rule, count.last_anchor), review_on=rule.review_on,
    )  # fmt: skip


def _carry_out(job: Job, operation: Operation) -> Tally | None:
    name, intended = operation.table, len(operation.keys)
    order = job.book.named.get(name)
    keys = [native for key in operation.keys if (native := job.book.layout.native(name, key)) is not None]
    if order is None or order.disposal == "keep" or not keys:
        return None
    removed = 0
    if order.disposal == "erase" and operation.op == "delete":
        removed = _delete(job, name, keys)
        if removed == intended:
            return Tally(operation.category, name, removed=removed)
    states = list(_states(job, name, keys))
    lapsed = [state.key for state in states if state.due and order.disposal == "erase"]
    masking = [state for state in states if not (state.due and order.disposal == "erase")]
    _write_masks(job, name, [state for state in masking if not state.clean])
    # What a rule kept when the intent was written, and keeps no longer, goes now.
    late = _delete(job, name, lapsed) if lapsed else 0
    masked = sum(state.rule is None and not state.clean for state in masking)
    before = sum(state.rule is None and state.clean for state in masking)
    gone = intended - removed - len(states)
    tally = Tally(
        operation.category, name, removed=removed + late, anonymised=masked, absent=gone + before,
        failed=len(lapsed) - late,
    )  # fmt: skip
    if operation.op == "mask" and order.disposal == "erase":
        # Kept rows that lost columns are counted as kept, once, at the end.
        tally = replace(tally, absent=0)
    elif job.redo and order.disposal == "erase":
        tally = replace(tally, removed=tally.removed + gone, anonymised=masked + before, absent=0)
    elif job.redo:
        tally = replace(tally, anonymised=masked + before + gone, absent=0)
    return tally if tally.removed or tally.anonymised or tally.absent or tally.failed else None


def _delete(job: Job, name: str, keys: list[Any]) -> int:
    return job.work.run(job.book.delete(name), {"ref": job.ref, "keys": keys}).rowcount


class _State:
    """One row that is still there: what keeps it, and what it would take to mask it."""

    def __init__(self, book: Book, name: str, row: Any, step_key: bytes) -> None:
        order, table_map = book.named[name], book.layout.map_of(name)
        flags, columns = row[2 : 2 + len(order.keeps)], book.maskable(name)
        current = dict(zip(columns, row[2 + len(order.keeps) :], strict=True))
        keeping = [rule for rule, flag in zip(order.keeps, flags, strict=True) if flag]
        self.key = row[0]
        self.needed = bool(row[1])
        self.rule: KeepRule | None = keeping[0] if keeping else None
        if any(not rule.keep_columns for rule in keeping):
            targets: tuple[str, ...] = ()
        elif keeping:
            spared = {column for rule in keeping for column in rule.keep_columns}
            targets = tuple(column for column in table_map.personal if column not in spared)
        else:
            targets = order.columns_to_mask if order.disposal == "mask" else table_map.personal
        wanted = {column: _masked(book.layout, name, column, str(row[0]), step_key) for column in targets}
        self.clean = all(_same(current[column], value) for column, value in wanted.items())
        self.change = {"key_": row[0], **{f"m_{column}": value for column, value in wanted.items()}}
        self.due = self.rule is None and not self.needed


def _states(job: Job, name: str, keys: list[Any] | None = None) -> Iterator[_State]:
    """Yield rows of these keys, locked, or all own rows."""
    values = {"ref": job.ref} if keys is None else {"ref": job.ref, "keys": keys}
    for part in job.work.run(job.book.detail(name, by_keys=keys is not None), values).partitions(500):
        for row in part:
            yield _State(job.book, name, row, job.step_key)


def _masked(layout: Layout, name: str, column: str, key: str, step_key: bytes) -> Any:
    live = layout.tables[name].c[column]
    kind = layout.map_of(name).columns[column].mask
    if kind is None and name == layout.identity.table and column == layout.identity.email and not live.nullable:
        kind = "address"
    return mask_value(
        kind, step_key=step_key, table=name, key=key, column=column, type_=live.type.python_type,
        nullable=bool(live.nullable), unique=layout.is_unique(name, column), length=getattr(live.type, "length", None),
        aware=bool(getattr(live.type, "timezone", False)),
    )  # fmt: skip


def _same(current: Any, wanted: Any) -> bool:
    if isinstance(wanted, date) and isinstance(current, str):
        return current.startswith(wanted.isoformat()[:10])
    return bool(current == wanted)


def _write_masks(job: Job, name: str, states: list[_State]) -> None:
    layout = job.book.layout
    table, key = layout.tables[name], layout.key(name)
    own = layout.belongs(name, table, own=True)
    for state in states:
        columns = [column[2:] for column in state.change if column != "key_"]
        masks = {column: sa.bindparam(f"m_{column}", type_=table.c[column].type) for column in columns}
        statement = sa.update(table).where(key == sa.bindparam("key_", type_=key.type), own).values(masks)
        job.work.run(statement, {**state.change, "ref": job.ref})


def verify(job: Job) -> Residual:
    """See Connector.verify: one statement where everything is gone, one more per table that may stay masked."""
    left = []
    suspects: dict[str, Count] = {}
    for count in job.book.census(job.work, job.ref):
        if not count.own:
            continue
        if count.fate == DUE and count.order.disposal == "erase":
            left.append(Tally(count.order.category, count.order.table, failed=count.rows))
        elif count.fate in {DUE, SHELL} or (count.rule and count.rule.keep_columns and count.order.disposal != "keep"):
            suspects[count.order.table] = count
    for name, count in suspects.items():
        order = count.order
        # Rows that should be gone altogether are counted above.
        unmasked = sum(not s.clean for s in _states(job, name) if not s.due or order.disposal == "mask")
        if unmasked:
            left.append(Tally(order.category, name, failed=unmasked))
    return Residual(tuple(left))


def close(layout: Layout, work: Work, ref: Any) -> Outcome:
    """See Connector.close: the actions of the data map, on the person's own rows, in their order."""
    now = datetime.now(UTC)
    tallies = []
    for action, (statement, moments) in zip(
        layout.source.close, layout.once("close", lambda: _closing(layout)), strict=True
    ):
        columns = layout.tables[action.table].c
        values = {f"now_{name}": layout.value(columns[name], "now", now) for name in moments}
        done = work.run(statement, {"ref": ref, **values}).rowcount
        category = layout.map_of(action.table).category
        removed, changed = (done, 0) if action.delete else (0, done)
        tallies.append(Tally(category, action.table, removed=removed, changed=changed))
    return Outcome(tuple(tally for tally in tallies if tally.removed or tally.changed))


def _closing(layout: Layout) -> list[tuple[sa.Delete | sa.Update, tuple[str, ...]]]:
    """Return the statement of every close action, and its columns that take the moment."""
    found: list[tuple[sa.Delete | sa.Update, tuple[str, ...]]] = []
    for action in layout.source.close:
        table = layout.tables[action.table]
        where = [layout.belongs(action.table, table, own=True)]
        if action.only_null:
            where.append(table.c[action.only_null].is_(None))
        if action.delete:
            found.append((sa.delete(table).where(*where), ()))
            continue
        moments = tuple(name for name, value in action.set.items() if value == "now")
        fixed = {name: value for name, value in action.set.items() if value != "now"}
        kept = _terminated(layout, action.table, table, fixed)
        if fixed or not action.only_null:
            # Only rows that differ, so that a repeat changes none; a moment alone always differs.
            different = [
                table.c[name].is_distinct_from(sa.literal(value, table.c[name].type)) for name, value in fixed.items()
            ]
            where.append(sa.or_(*different, *(table.c[name].is_(None) for name in moments)))
        written = {name: sa.bindparam(f"now_{name}", type_=table.c[name].type) for name in moments}
        found.append((sa.update(table).where(*where).values({**fixed, **kept, **written}), moments))
    return found


def _terminated(layout: Layout, name: str, table: sa.Table, fixed: dict[str, Any]) -> dict[str, sa.ColumnElement[Any]]:
    """Closing does not wash away that an account was terminated for a violation: what is refunded depends on it."""
    identity = layout.source.identity
    mark = identity.terminated if identity and identity.table == name else None
    if mark is None or mark.column not in fixed:
        return {}
    column = table.c[mark.column]
    return {mark.column: sa.case((column == mark.equals, column), else_=sa.literal(fixed[mark.column], column.type))}


def settle(reader: Reader, work: Work, ref: Any, request_ref: str, today: date) -> Outcome:
    """See Connector.settle. The credit is taken off in the transaction that writes the refund, so it happens once."""
    layout = reader.layout
    money = layout.source.money
    if money is None:
        return Outcome()
    bought, back = money.purchases, money.refunds
    purchases, refunds = layout.tables[bought.table], layout.tables[back.table]
    key = layout.key(bought.table)
    written, now = 0, datetime.now(UTC)
    rows = work.run(layout.once("purchases", lambda: _unspent(layout, bought)), {"ref": ref}).all()
    terminated = bool(rows) and reader.terminated(work, ref)
    for number, cents, currency, method, reference, until in rows:
        if lost_because(method, until, today, terminated, bought.never_refunded):
            continue
        row = {
            back.person: ref, back.reference: reference, back.amount: cents, back.currency: currency,
            back.status: back.due, back.request: request_ref, back.due_on: today + timedelta(days=money.refund_days),
            **{name: layout.value(refunds.c[name], value, now) for name, value in back.set.items()},
        }  # fmt: skip
        kind = refunds.c[back.key].type.python_type
        if kind in (str, uuid.UUID):
            row[back.key] = uuid.uuid4() if kind is uuid.UUID else uuid.uuid4().hex
        work.run(sa.insert(refunds).values(row))
        work.run(sa.update(purchases).where(key == number).values({bought.remaining: 0}))
        written += 1
    tallies = [Tally(layout.map_of(back.table).category, back.table, changed=written)] if written else []
    if topup := money.auto_topup:
        off = work.run(layout.once("topup", lambda: _topup_off(layout, topup)), {"ref": ref}).rowcount
        if off:
            tallies.append(Tally(layout.map_of(topup.table).category, topup.table, changed=off))
    return Outcome(tuple(tallies))


def _unspent(layout: Layout, bought: PurchasesMap) -> Query:
    table, key = layout.tables[bought.table], layout.key(bought.table)
    expires = layout.as_text(table.c[bought.expires_on]) if bought.expires_on else sa.cast(sa.null(), sa.String())
    names = (bought.remaining, bought.currency, bought.method, bought.reference)
    return (
        sa.select(key, *(table.c[name] for name in names), expires)
        .where(layout.belongs(bought.table, table, own=True), table.c[bought.remaining] > 0)
        .order_by(key)
        .with_for_update(of=table)
    )


def _topup_off(layout: Layout, topup: AutoTopupMap) -> sa.Update:
    table = layout.tables[topup.table]
    enabled = table.c[topup.enabled]
    own = layout.belongs(topup.table, table, own=True)
    return sa.update(table).where(own, enabled.is_(True)).values({enabled.name: False})
