"""Closing, refunding, erasing in a company's database, and looking whether it is done."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dsar.connectors.base import Intent, KeepRule, Operation, Outcome, Residual, Tally, until_for
from dsar.connectors.masks import mask_value
from dsar.connectors.sql_book import DUE, SHELL, Book, Count
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
        Operation(book.orders[number].table, book.orders[number].category, "mask" if op == "mask" else "delete", tuple(k))
        for (number, op), k in grouped.items()
    )
    place = f"{names[chunk[-1][0]]}:{chunk[-1][1]}" if chunk else cursor
    return Intent(operations, place, last=len(found) <= limit)


def erase(book: Book, work: Work, ref: Any, intent: Intent, step_key: bytes, redo: bool) -> Outcome:
    """See Connector.erase. `work` is the one transaction."""
    tallies = [tally for operation in intent.operations if (tally := _carry_out(book, work, ref, operation, step_key, redo))]
    if intent.last:
        tallies += [kept(count) for count in book.census(work, ref) if count.own and count.rule]
    return Outcome(tuple(tallies))


def kept(count: Count) -> Tally:
    """Return what the letter says about rows that stay."""
    rule = count.rule
    assert rule is not None
    return Tally(
        count.order.category, count.order.table, kept=count.rows, code=rule.code, citation=rule.citation,
        until=until_for(rule, count.last_anchor), review_on=rule.review_on,
    )  # fmt: skip


def _carry_out(
    book: Book, work: Work, ref: Any, operation: Operation, step_key: bytes, redo: bool
) -> Tally | None:  # fmt: skip
    name, intended = operation.table, len(operation.keys)
    order = book.named.get(name)
    keys = [native for key in operation.keys if (native := book.layout.native(name, key)) is not None]
    if order is None or order.disposal == "keep" or not keys:
        return None
    values = {"ref": ref, "keys": keys}
    removed = 0
    if order.disposal == "erase" and operation.op == "delete":
        removed = work.run(book.delete(name), values).rowcount
        if removed == intended:
            return Tally(operation.category, name, removed=removed)
    masked = done_before = staying = 0
    changes: list[dict[str, Any]] = []
    lapsed: list[Any] = []
    for state in _states(book, work, name, values, by_keys=True, step_key=step_key):
        if state.rule is not None:
            staying += 1
        elif order.disposal == "erase" and not state.needed:
            lapsed.append(state.change["key_"])
            continue
        elif state.clean:
            done_before += 1
        else:
            masked += 1
        if not state.clean:
            changes.append(state.change)
    _write_masks(book, work, name, ref, changes)
    # What a rule kept when the intent was written, and keeps no longer, goes now.
    late = work.run(book.delete(name), {"ref": ref, "keys": lapsed}).rowcount if lapsed else 0
    failed = len(lapsed) - late
    removed += late
    gone = intended - removed - masked - done_before - staying - failed
    redaction = operation.op == "mask" and order.disposal == "erase"
    if redo:
        masked += done_before
        if order.disposal == "mask":
            masked += gone
        elif not redaction:
            removed += gone
    absent = 0 if redo or redaction else gone + done_before
    if not (removed or masked or absent or failed):
        return None
    return Tally(operation.category, name, removed=removed, anonymised=masked, absent=absent, failed=failed)


class _State:
    """One row that is still there: what keeps it, and what it would take to mask it."""

    def __init__(self, book: Book, name: str, row: Any, step_key: bytes) -> None:
        order, table_map = book.named[name], book.layout.map_of(name)
        flags, columns = row[2 : 2 + len(order.keeps)], book.maskable(name)
        current = dict(zip(columns, row[2 + len(order.keeps) :], strict=True))
        keeping = [rule for rule, flag in zip(order.keeps, flags, strict=True) if flag]
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


def _states(
    book: Book, work: Work, name: str, values: dict[str, Any], *, by_keys: bool, step_key: bytes
) -> Iterator[_State]:  # fmt: skip
    rows = work.run(book.detail(name, by_keys=by_keys), values)
    for part in rows.partitions(500):
        for row in part:
            yield _State(book, name, row, step_key)


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


def _write_masks(book: Book, work: Work, name: str, ref: Any, changes: list[dict[str, Any]]) -> None:
    table = book.layout.tables[name]
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for change in changes:
        by_columns.setdefault(tuple(change), []).append({**change, "ref": ref})
    for columns, rows in by_columns.items():
        masks = {column[2:]: sa.bindparam(column, type_=table.c[column[2:]].type) for column in columns[1:]}
        key = book.layout.key(name) == sa.bindparam("key_", type_=book.layout.key(name).type)
        own = book.layout.belongs(name, table, own=True)
        for row in rows:
            work.run(sa.update(table).where(key, own).values(masks), row)


def verify(book: Book, work: Work, ref: Any, step_key: bytes) -> Residual:
    """See Connector.verify: one statement where everything is gone, one more per table that may stay masked."""
    left = []
    suspects: dict[str, Count] = {}
    for count in book.census(work, ref):
        if not count.own:
            continue
        if count.fate == DUE and count.order.disposal == "erase":
            left.append(Tally(count.order.category, count.order.table, failed=count.rows))
        elif count.fate in (DUE, SHELL) or (count.rule and count.rule.keep_columns and count.order.disposal != "keep"):
            suspects[count.order.table] = count
    for name, count in suspects.items():
        order = count.order
        states = _states(book, work, name, {"ref": ref}, by_keys=False, step_key=step_key)
        # Rows that should be gone altogether are counted above.
        unmasked = sum(not s.clean for s in states if s.rule or s.needed or order.disposal == "mask")
        if unmasked:
            left.append(Tally(order.category, name, failed=unmasked))
    return Residual(tuple(left))


def close(layout: Layout, work: Work, ref: Any) -> Outcome:
    """See Connector.close: the actions of the data map, on the person's own rows, in their order."""
    now = datetime.now(UTC)
    tallies = []
    for action, (statement, moments) in zip(layout.source.close, layout.once("close", lambda: _closing(layout)), strict=True):
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
        if fixed or not action.only_null:
            # Only rows that differ, so that a repeat changes none; a moment alone always differs.
            different = [table.c[name].is_distinct_from(sa.literal(value, table.c[name].type)) for name, value in fixed.items()]
            where.append(sa.or_(*different, *(table.c[name].is_(None) for name in moments)))
        written = {name: sa.bindparam(f"now_{name}", type_=table.c[name].type) for name in moments}
        found.append((sa.update(table).where(*where).values({**fixed, **written}), moments))
    return found


def settle(layout: Layout, work: Work, ref: Any, request_ref: str, today: date, reader: Reader) -> Outcome:
    """See Connector.settle. The credit is taken off in the transaction that writes the refund, so it happens once."""
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


def _unspent(layout: Layout, bought: PurchasesMap) -> sa.Select[Any]:
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
