"""The contract between the desk and a system that holds personal data.

A connector finds a person by one proven identifier, shuts the account, and erases, masks or copies that person's rows
in bounded, repeatable pieces. It says item by item what it did. tests/contracts/ holds the promises every connector
keeps. What a source cannot do raises NotSupported and becomes a task for a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Protocol

from django.conf import settings

from dsar.datamap.orders import Disposal, KeepRule, Period, Scalar, Stored, TableOrder, as_date, until_for

__all__ = [
    "Account", "Candidate", "Connector", "Disposal", "Holding", "Identity", "Intent", "KeepRule", "Located", "Money",
    "NotSupported", "Operation", "Outcome", "Page", "Period", "Residual", "Row", "Scalar", "SourceBroken",
    "SourceError", "SourceUnavailable", "Stored", "TableOrder", "Tally", "until_for",
]  # fmt: skip

MASKED_DOMAIN = "@invalid"
VALUES_SHOWN = 5

_NOBODY = {
    "", "-", "anonymous", "customer", "do-not-reply", "donotreply", "email", "example", "n/a", "na", "nil", "no-reply",
    "nobody", "noemail", "none", "noreply", "null", "placeholder", "undefined", "unknown",
}  # fmt: skip


def changed_lately(changed: date | datetime | str, today: date) -> bool:
    """Whether contact details that changed on this day (UTC, a column's value) changed within CONTACT_CHANGE_DAYS."""
    return (today - as_date(changed)).days < settings.CONTACT_CHANGE_DAYS


class SourceError(Exception):
    """A source did not answer as it should. `code` is a short word for people and logs, never a driver's text."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SourceUnavailable(SourceError):
    """Try again later: unreachable, timeout, locked, conflict."""


class SourceBroken(SourceError):
    """Needs a person: schema_changed, permission, constraint, bad_cursor, bad_map, bad_value."""


class NotSupported(Exception):
    """The source cannot do this. `reason` is a sentence for the colleague who does it by hand."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Identity:
    """A proven e-mail address, normalised. One that is empty or a placeholder is not `usable` and matches nothing."""

    email: str

    def __post_init__(self) -> None:
        # str.casefold() would make "straße@" and "strasse@" one person. And a foreign letter whose small form is a
        # plain ASCII one (the Kelvin sign) stays what it is: proving that mailbox must not open another.
        kept = (char if not char.isascii() and char.lower().isascii() else char.lower() for char in self.email or "")
        object.__setattr__(self, "email", "".join(kept).strip())

    @property
    def usable(self) -> bool:
        """Whether the address can name one person."""
        local, at, domain = self.email.rpartition("@")
        if not (local and at and domain) or self.email.endswith((MASKED_DOMAIN, ".invalid")):
            return False
        return local.split("+")[0] not in _NOBODY and domain not in _NOBODY


@dataclass(frozen=True, slots=True)
class Holding(Stored):
    """Rows of one table that share one fate. Rows of an organisation stand apart, with no code, under `keep`.

    `until` is the last day the last of the kept rows stays. `indeterminate` counts rows whose anchor is empty: they
    are kept, by the same code, until somebody looks (`review_on`).
    """

    category: str
    table: str
    erase: int = 0
    mask: int = 0
    keep: int = 0
    code: str = ""
    citation: str = ""
    until: date | None = None
    review_on: date | None = None
    owner: Literal["own", "organisation"] = "own"
    indeterminate: int = 0


@dataclass(frozen=True, slots=True)
class Money(Stored):
    """Prepaid credits in whole cents of one currency. What is not refunded is lost, for the reasons named.

    `others` holds further currencies.
    """

    currency: str
    balance_cents: int
    refund_cents: int
    refund_by_days: int
    lost_cents: int
    lost_reasons: tuple[str, ...] = ()
    auto_topup: bool = False
    others: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate(Stored):
    """Perhaps the same person, perhaps not: shown masked to staff, never acted upon."""

    hint: str
    reason: Literal["same_phone", "same_email"]


@dataclass(frozen=True, slots=True)
class Located(Stored):
    """What a source holds. Only status "one" carries a `ref`; "unknown" means that only a person can look.

    `flags`: contact_changed, organisation_data, sole_owner, security_flag, staff, several_matches, indeterminate.
    """

    status: Literal["none", "one", "several", "unknown"]
    ref: str = ""
    holdings: tuple[Holding, ...] = ()
    flags: tuple[str, ...] = ()
    money: Money | None = None
    candidates: tuple[Candidate, ...] = ()
    organisations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """An account that carries an address: `created_at` is None where the data map does not say."""

    ref: str
    email: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Operation(Stored):
    """Rows of one table, by key, that one transaction is about to delete or mask."""

    table: str
    category: str
    op: Literal["delete", "mask"]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Intent(Stored):
    """One chunk of work. `cursor` stands after it. The last one is carried out even where it names no rows,
    because its outcome says what was kept."""

    operations: tuple[Operation, ...]
    cursor: str
    last: bool


@dataclass(frozen=True, slots=True)
class Tally(Stored):
    """What became of rows of one table. Kept rows name their code. `changed` counts rows that closing, correcting,
    restricting or a choice wrote, `copied` those that went into a copy."""

    category: str
    table: str
    removed: int = 0
    anonymised: int = 0
    kept: int = 0
    absent: int = 0
    failed: int = 0
    changed: int = 0
    copied: int = 0
    code: str = ""
    citation: str = ""
    until: date | None = None
    review_on: date | None = None


@dataclass(frozen=True, slots=True)
class Outcome(Stored):
    tallies: tuple[Tally, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Residual(Stored):
    """Rows that should be gone, or masked, and are not (counted as `failed`). Empty means verified."""

    left: tuple[Tally, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One exported row. Values are JSON values; secret columns are absent."""

    category: str
    table: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Row, ...]
    cursor: str
    last: bool


class Connector(Protocol):
    """What every source can be asked. All of it may raise SourceUnavailable, SourceBroken or NotSupported."""

    key: str
    label: str

    def ping(self) -> None:
        """Raise SourceUnavailable or SourceBroken where the source cannot be worked with."""

    def locate(self, identity: Identity, orders: tuple[TableOrder, ...]) -> Located:
        """Find the person and count what `orders` would do. Changes nothing."""

    def close(self, ref: str) -> Outcome:
        """Shut the account: sign-in, sessions, own keys, auto top-up. Repeatable. An organisation's rows stay."""

    def settle(self, ref: str, request_ref: str, today: date) -> Outcome:
        """Write the refund that is due, once, and switch auto top-up off. Repeatable."""

    def next_chunk(self, ref: str, orders: tuple[TableOrder, ...], cursor: str, limit: int) -> Intent:
        """Name up to `limit` rows to work on after `cursor` (empty: from the start). Changes nothing.

        Children come before parents, the person's own row last.
        """

    def erase(
        self,
        ref: str,
        orders: tuple[TableOrder, ...],
        intent: Intent,
        step_key: bytes,
        redo: bool,
        before_commit: Callable[[], None] | None = None,
    ) -> Outcome:
        """Carry the intent out in one transaction of the source.

        A row that a rule keeps by now stays, whatever the intent says. With `redo`, an earlier attempt may have
        committed: intended rows that are absent or already masked count as done; otherwise they count as absent.
        Masks derive from `step_key`, so that a repeat writes the same. `before_commit` is called at the end of the
        transaction; what it raises undoes the chunk (a worker that slept past its lease).
        """

    def verify(self, ref: str, orders: tuple[TableOrder, ...], step_key: bytes) -> Residual:
        """Count what is left although it should be gone. `step_key` is the one erase() had. Changes nothing."""

    def account(self, ref: str) -> Account | None:
        """Return the account with this key, or None: not there, or masked. Changes nothing."""

    def accounts(self, after: str, limit: int) -> tuple[Account, ...]:
        """Return up to `limit` accounts with keys after this one (empty: from the start), in their order.

        Masked ones are left out. Changes nothing.
        """

    def export(self, ref: str, cursor: str, limit: int) -> Page:
        """Return up to `limit` of the person's own rows after `cursor` (GDPR Art. 15(3), 20). Changes nothing."""

    def current(self, ref: str, fields: tuple[str, ...], most: int = VALUES_SHOWN) -> dict[str, tuple[str, ...]]:
        """Return what the source says in these fields of the data map now, as text, per field, each value once and at
        most so many of a column.

        Fields that this source does not know are absent. Changes nothing.
        """

    def fits(self, changes: dict[str, str]) -> bool:
        """Whether the columns of these fields can hold these values (see rectify). Fields that this source does not know
        hinder nothing. Changes nothing."""

    def rectify(self, ref: str, changes: dict[str, str]) -> Outcome:
        """Write these fields (GDPR Art 16) into the person's own rows, in one transaction. Repeatable.

        `changes`: field of the data map -> what it should say (a day as ISO 8601). Columns that derive from a field are
        emptied where it changes. Rows that say so already count as `absent`, the others as `changed`. Raises
        SourceBroken("bad_value") for a field that this source does not know and for a value that fits no column.
        """

    def restrict(self, ref: str) -> Outcome:
        """Mark the person's own rows as restricted, as the data map says (GDPR Art 18). Repeatable."""

    def lift(self, ref: str) -> Outcome:
        """Take the marks of restrict() back. Repeatable."""

    def apply(self, ref: str, choice: str, *, on: bool) -> Outcome:
        """Carry a choice of the person out (`on`), or take it back, as the data map says, in one transaction.

        `choice` is a right of enums.UNVERIFIED_RIGHTS (GDPR Art 7(3), 21(2); Cal. Civ. Code 1798.120, 1798.121).
        Repeatable: `changed` counts rows that this call changed, a repeat changes none. Taking back touches only rows
        that are as the choice left them. An organisation's rows stay. Raises NotSupported for a choice that the data
        map does not describe here.
        """


class ByHand:
    """Operations that no automatic connector does yet: each becomes a person's task."""

    label: str

    def account(self, ref: str) -> Account | None:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: look by hand whether the account is there.")

    def accounts(self, after: str, limit: int) -> tuple[Account, ...]:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: look by hand whether what was deleted is there again.")

    def current(self, ref: str, fields: tuple[str, ...], most: int = VALUES_SHOWN) -> dict[str, tuple[str, ...]]:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: look by hand what it says.")

    def fits(self, changes: dict[str, str]) -> bool:
        """Whoever corrects by hand sees what fits."""
        return True

    def rectify(self, ref: str, changes: dict[str, str]) -> Outcome:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: correct these data by hand.")

    def restrict(self, ref: str) -> Outcome:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: restrict the use of these data by hand.")

    def lift(self, ref: str) -> Outcome:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: lift the restriction by hand.")

    def apply(self, ref: str, choice: str, *, on: bool) -> Outcome:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: record this choice by hand.")
