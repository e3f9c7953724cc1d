"""Checking the clocks against a table of worked examples, one row per date.

Columns: vector_id, regime, right, deadline_kind, received_at, deadline_timezone, events (JSON list of
`{"event", "on"}`), evaluate_on, holiday_calendar, expected_due_date, expected_due_at, safe_due_date,
expected_status. Other columns are left alone.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from dsar.law import regimes
from dsar.law.clocks import DueDate, Pause, due, extend, status
from dsar.law.errors import LawError
from dsar.law.shapes import PROCEDURES

COLUMNS: Final = (
    "vector_id", "regime", "right", "deadline_kind", "received_at", "deadline_timezone", "events",
    "evaluate_on", "holiday_calendar", "expected_due_date", "expected_due_at", "safe_due_date",
    "expected_status",
)  # fmt: skip
KINDS: Final = {
    "ack": "acknowledgement",
    "record_retention_until": "record_retention",
    "opt_out_sale": "opt_out",
    "opt_out_targeted": "opt_out",
    "limit_sensitive": "opt_out",
    "marketing_opt_out": "opt_out",
    "withdraw_consent": "opt_out",
    "reoffer_opt_in_not_before": "reoffer",
    "opt_out_marketing": "opt_out",
    "consent_withdrawal": "opt_out",
    "complaint_acknowledgement": "complaint_ack",
    "complaint_outcome": "complaint",
}
# Names of rights in such tables that are not ours.
RIGHTS: Final = {
    "human_review_of_automated_decision": "human_review",
    "automated_decision": "human_review",
    "objection_marketing": "marketing_opt_out",
    "suspension": "restriction",
}
ASKED: Final = {
    "identity_requested": "identity",
    "clarification_requested": "clarification",
    "fee_requested": "fee",
}
ANSWERED: Final = {
    "identity_received": "identity",
    "identity_verified": "identity",
    "clarification_received": "clarification",
    "fee_paid": "fee",
}
STATUSES: Final = {
    "withdrawn": "withdrawn (what was asked stayed unanswered)",
    "open": "open",
    "paused": "paused (no due date while open)",
    "may_refuse_unproven": "deny permitted: cannot verify; answer still due",
}


@dataclass(frozen=True, slots=True)
class Result:
    """One row checked: outcome "pass", "fail" or "not modelled".

    `expected` and `found` are (due date, end of that date, safe date, status) as texts.
    """

    vector_id: str
    regime: str
    outcome: str
    expected: tuple[str, str, str, str]
    found: tuple[str, str, str, str]
    note: str = ""


def read(lines: Iterable[str]) -> list[dict[str, str]]:
    """The rows of a CSV text. Raises ValueError where a column is missing."""
    reader = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise ValueError(f"columns missing: {', '.join(missing)}")
    return [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]


def check(row: Mapping[str, str]) -> Result:
    """Compute one row and compare. A row that cannot be read fails with a note; it never raises."""
    wanted = tuple(row[name] for name in ("expected_due_date", "expected_due_at", "safe_due_date", "expected_status"))
    expected = (wanted[0], wanted[1], wanted[2], wanted[3])
    empty = ("", "", "", "")
    if row["regime"] not in regimes.all_ids():
        return Result(row["vector_id"], row["regime"], "not modelled", expected, empty)
    try:
        found = compute(row)
    except (LawError, ValueError, KeyError, TypeError) as error:
        note = f"{type(error).__name__}: {error}"
        return Result(row["vector_id"], row["regime"], "fail", expected, empty, note)
    same = found[:3] == expected[:3] and _sense(found[3]) == _sense(expected[3])
    outcome = "pass" if same else "fail"
    return Result(row["vector_id"], row["regime"], outcome, expected, found)


def compute(row: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Date, end of that date, safe date and status of a row, as texts; dates empty while paused.

    An extension notice among the events extends the answer if it was in time and is void if it was not.
    The status is that of `evaluate_on` or, without it, of the day of the last event.
    """
    regime = regimes.load(row["regime"])
    received = datetime.fromisoformat(row["received_at"])
    zone, calendar = row["deadline_timezone"] or None, row["holiday_calendar"] or None
    right = RIGHTS.get(row["right"], row["right"])
    base = row["deadline_kind"].removesuffix("_extended")
    kind = KINDS.get(base, base)
    if kind in PROCEDURES and not any(clock.kind == kind for clock in regime.clocks):
        # Going back to the company bears one name in one law and another in the next.
        kind = next((clock.kind for clock in regime.clocks if clock.kind in PROCEDURES), kind)
    items = json.loads(row["events"] or "[]")
    events = [(str(item["event"]), date.fromisoformat(item["on"])) for item in items]
    evaluated = date.fromisoformat(row["evaluate_on"]) if row["evaluate_on"] else None
    if evaluated is not None:
        events = [event for event in events if event[1] <= evaluated]
    pauses = _pauses(events)
    notices = sorted(on for name, on in events if name == "extension_notice_sent")
    extension = regime.extension(kind, right)
    until = _named(items)
    found: DueDate | None = None
    # Where the law leaves the length to the notice, one that names no day extends nothing that could be computed.
    if notices and extension is not None and (until is not None or extension.kind == "fixed"):
        try:
            found = extend(
                regime,
                right,
                received,
                notices[0],
                until=until,
                kind=kind,
                pauses=pauses,
                calendar=calendar,
                zone=zone,
            )
        except LawError as error:
            if error.reason != "notice_late":
                raise
    if found is None:
        extended = base != row["deadline_kind"] and not notices and extension is not None and extension.kind == "fixed"
        found = due(
            regime,
            right,
            kind,
            received,
            pauses=pauses,
            extended=extended,
            calendar=calendar,
            zone=zone,
        )
    last = evaluated or max((on for _, on in events), default=found.received_on)
    identity_open = any(pause.kind == "identity" and pause.answered is None for pause in pauses)
    return _texts(found, _status(regime, found, last, identity_open))


def _status(regime: regimes.Regime, found: DueDate, on: date, identity_open: bool) -> str:
    stands = status(regime, found, on, identity_open=identity_open)
    return f"overdue at {stands.since}" if stands.code == "overdue" else STATUSES[stands.code]


def _texts(found: DueDate, stands: str) -> tuple[str, str, str, str]:
    return (
        found.date.isoformat() if found.date else "",
        found.at.isoformat() if found.at else "",
        # What the law takes as withdrawn is owed no answer, by any date.
        found.safe_date.isoformat() if found.safe_date and stands != STATUSES["withdrawn"] else "",
        stands,
    )


def _sense(status: str) -> tuple[str, str]:
    """What a status says, however it is worded: its first word that we know, and a date where it names one."""
    text = status.casefold()
    known = ("overdue", "paused", "deny", "withdrawn", "open")
    word = next((name for name in known if text.startswith(name)), text)
    dates = re.findall(r"\d{4}-\d{2}-\d{2}", text) if word == "overdue" else []
    return word, dates[0] if dates else ""


def _named(items: Iterable[Mapping[str, str]]) -> date | None:
    """The day that a notice of extension names, under whatever key it stands, or None."""
    for item in items:
        if item["event"] == "extension_notice_sent":
            for key, value in item.items():
                if key not in ("event", "on"):
                    return date.fromisoformat(value)
    return None


def _pauses(events: Iterable[tuple[str, date]]) -> list[Pause]:
    """Questions and answers paired. Proof or a fee that nobody had asked for counts as asked for that day."""
    waiting: dict[str, date] = {}
    pauses: list[Pause] = []
    for name, on in sorted(events, key=lambda event: event[1]):
        if name in ASKED:
            waiting.setdefault(ASKED[name], on)
        elif name in ANSWERED:
            kind = ANSWERED[name]
            if kind in waiting or kind != "clarification":
                pauses.append(Pause(kind, waiting.pop(kind, on), on))
        elif name != "extension_notice_sent":
            raise ValueError(f"unknown event {name}")
    return pauses + [Pause(kind, asked) for kind, asked in waiting.items()]
