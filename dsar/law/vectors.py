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
from dsar.law.clocks import DueDate, Pause, due, extend, local_date, status
from dsar.law.errors import LawError, RegimeFileError
from dsar.law.shapes import PROCEDURES, RIGHTS, Regime

COLUMNS: Final = (
    "vector_id", "regime", "right", "deadline_kind", "received_at", "deadline_timezone", "events",
    "evaluate_on", "holiday_calendar", "expected_due_date", "expected_due_at", "safe_due_date",
    "expected_status",
)  # fmt: skip
# Names of dates in such tables that are not ours. Where a date is called by a right, it is the answer to that right.
KINDS: Final = {
    "ack": "acknowledgement",
    "acknowledgment": "acknowledgement",
    "record_retention_until": "record_retention",
    "opt_out_sale": "opt_out",
    "opt_out_targeted": "opt_out",
    "opt_out_profiling": "opt_out",
    "limit_sensitive": "opt_out",
    "marketing_opt_out": "opt_out",
    "withdraw_consent": "opt_out",
    "reoffer_opt_in_not_before": "reoffer",
    "opt_out_marketing": "opt_out",
    "objection_marketing": "opt_out",
    "consent_withdrawal": "opt_out",
    "complaint_acknowledgement": "complaint_ack",
    "complaint_to_controller_ack": "complaint_ack",
    "complaint_to_controller": "complaint",
    "complaint_outcome": "complaint",
}
# Names of rights in such tables that are not ours.
RIGHTS_CALLED: Final = {
    "human_review_of_automated_decision": "human_review",
    "automated_decision": "human_review",
    "objection_marketing": "marketing_opt_out",
    "opt_out_marketing": "marketing_opt_out",
    "opt_out_profiling": "opt_out_targeted",
    "consent_withdrawal": "withdraw_consent",
    "suspension": "restriction",
    "access_full": "access",
    "access_simplified": "know",
    "rights_request": "know",
    "other_rights": "deletion",
    "correction_deletion": "correction",
    "complaint_to_controller": "complaint",
}
SEVERAL: Final = frozenset({"rights_request", "other_rights", "correction_deletion"})
EVERY_RIGHT: Final = frozenset({"", "*", "all", "any", "n/a", "none"})
# What stands for a calendar: the law's own, or none, so that weekends alone count.
CALENDARS: Final = {"n/a": None, "n/a (calendar days)": None, "none": ""}
ASKED: Final = {
    "identity_requested": "identity",
    "clarification_requested": "clarification",
    "fee_requested": "fee",
}
# What may come without being asked for and then begins the clock: that it was checked later changes nothing.
UNASKED: Final = frozenset({"identity_received", "fee_paid"})
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
    """One row checked: outcome "pass" or "fail", `note` why a row could not be computed.

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
    try:
        found = compute(row)
    except (ArithmeticError, AttributeError, LawError, LookupError, RegimeFileError, TypeError, ValueError) as error:
        note = f"{type(error).__name__}: {error}"
        return Result(row["vector_id"], row["regime"], "fail", expected, empty, note)
    same = found[:3] == expected[:3] and _sense(found[3]) == _sense(expected[3])
    outcome = "pass" if same else "fail"
    return Result(row["vector_id"], row["regime"], outcome, expected, found)


def compute(row: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Date, end of that date, safe date and status of a row, as texts; dates empty while paused.

    An extension notice among the events extends the answer if it was in time and is void if it was not; it changes
    nothing where the date knows no extension.
    The status is that of `evaluate_on` or, without it, of the day of the last event.
    """
    regime = regimes.load(row["regime"])
    received = datetime.fromisoformat(row["received_at"])
    zone = row["deadline_timezone"] or None
    calendar = CALENDARS.get(row["holiday_calendar"].casefold(), row["holiday_calendar"] or None)
    extended = row["deadline_kind"].endswith("_extended")
    right, kind = _names(regime, row["right"], row["deadline_kind"].removesuffix("_extended"))
    items = json.loads(row["events"] or "[]")
    events = [(str(item["event"]), _day(item["on"], zone or regime.zone)) for item in items]
    evaluated = _day(row["evaluate_on"], zone or regime.zone) if row["evaluate_on"] else None
    if evaluated is not None:
        events = [event for event in events if event[1] <= evaluated]
    pauses = _pauses(events)
    notices = sorted(on for name, on in events if name == "extension_notice_sent")
    counts = regime.governing(right).kind if kind == "response" else kind
    extension = regime.extension(counts, right)
    until = _named(items, zone or regime.zone)
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
                kind=counts,
                pauses=pauses,
                calendar=calendar,
                zone=zone,
            )
        except LawError as error:
            if error.reason != "notice_late":
                raise
    if found is None:
        longest = extended and not notices and extension is not None and extension.kind == "fixed"
        found = due(
            regime,
            right,
            kind,
            received,
            pauses=pauses,
            extended=longest,
            calendar=calendar,
            zone=zone,
        )
    last = evaluated or max((on for _, on in events), default=found.received_on)
    identity_open = any(pause.kind == "identity" and pause.answered is None for pause in pauses)
    return _texts(found, _status(regime, found, last, identity_open))


def _names(regime: Regime, right: str, kind: str) -> tuple[str, str]:
    """Right and kind of clock by our names, from those of a row. Raises LawError `unknown_right`."""
    right, called = RIGHTS_CALLED.get(right, right), RIGHTS_CALLED.get(kind, kind)
    if called in RIGHTS and not (kind in SEVERAL and right in RIGHTS):
        # The name of the date says more closely than the row's other word which right it is about.
        right = called
    kind = KINDS.get(kind) or ("response" if called in RIGHTS else kind)
    if right in PROCEDURES and kind == "response":
        kind = right
    if kind in PROCEDURES and not any(clock.kind == kind for clock in regime.clocks):
        # Going back to the company bears one name in one law and another in the next.
        kind = next((clock.kind for clock in regime.clocks if clock.kind in PROCEDURES), kind)
    if right in EVERY_RIGHT:
        of = "response" if kind == "extension_notice" else kind
        right = next((one for one in RIGHTS if regime.clock(one, of)), right)
    return right, kind


def _day(text: str, zone: str) -> date:
    """A day, or the day in the zone of an aware moment. Raises ValueError, LawError, TypeError."""
    return local_date(datetime.fromisoformat(text), zone) if "T" in text else date.fromisoformat(text)


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


def _named(items: Iterable[Mapping[str, str]], zone: str) -> date | None:
    """The day that a notice of extension names, under whatever key it stands, or None."""
    for item in items:
        if item["event"] == "extension_notice_sent":
            for key, value in item.items():
                if key not in ("event", "on") and re.match(r"\d{4}-\d{2}-\d{2}", value):
                    return _day(value, zone)
    return None


def _pauses(events: Iterable[tuple[str, date]]) -> list[Pause]:
    """Questions and answers paired. Proof or a fee that nobody had asked for counts as asked for that day, once; what
    comes when nothing is asked any more, and our own check of what came before, are nothing.
    """
    waiting: dict[str, date] = {}
    pauses: list[Pause] = []
    for name, on in sorted(events, key=lambda event: event[1]):
        if name in ASKED:
            waiting.setdefault(ASKED[name], on)
        elif name in ANSWERED:
            kind = ANSWERED[name]
            if kind in waiting or (name in UNASKED and all(pause.kind != kind for pause in pauses)):
                pauses.append(Pause(kind, waiting.pop(kind, on), on))
        elif name != "extension_notice_sent":
            raise ValueError(f"unknown event {name}")
    return pauses + [Pause(kind, asked) for kind, asked in waiting.items()]
