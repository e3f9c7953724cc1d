"""What is to happen to one table: the order a plan freezes and a connector carries out.

Pure data and date arithmetic. A retention rule of the data map becomes a `KeepRule` (retention.py decides whether
the law of a case allows it); a connector puts the rule into the WHERE of its deletes and shows, through `until_for`,
how long a row stays.
"""

from __future__ import annotations

import calendar
import types
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

Disposal = Literal["erase", "mask", "keep"]
CountedFrom = Literal["event", "financial_year_end"]
Scalar = str | int | bool | None


class Stored:
    """A frozen dataclass that survives a JSON column: `from_json(x.as_json()) == x`."""

    def as_json(self) -> dict[str, Any]:
        """Return the fields as plain JSON values (dates as ISO text, tuples as lists)."""
        plain: dict[str, Any] = _plain(self)
        return plain

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild the object; a missing field takes its default, an unknown one raises TypeError."""
        built: Self = _build(cls, data)
        return built


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _build(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(kind) if option is not type(None)]
        return _build(options[0], value) if len(options) == 1 else value
    if origin is tuple:
        inner = get_args(kind)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(_build(inner[0], item) for item in value)
        return tuple(_build(option, item) for option, item in zip(inner, value, strict=True))
    if kind is date:
        return date.fromisoformat(value)
    if is_dataclass(kind) and isinstance(kind, type):
        unknown = set(value) - set(_hints(kind))
        if unknown:
            raise TypeError(f"{kind.__name__} has no field {sorted(unknown)}")
        return kind(**{name: _build(_hints(kind)[name], item) for name, item in value.items()})
    return value


def add_months(day: date, months: int) -> date:
    """Return the same-numbered day `months` later; a day that does not exist becomes the month's last."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class Period(Stored):
    """How long a row is kept, counted from its anchor or from the end of the financial year that holds it.

    `financial_year_end` is "MM-DD"; "02-29" means the last day of February.
    """

    years: int = 0
    months: int = 0
    days: int = 0
    counted_from: CountedFrom = "event"
    financial_year_end: str = "12-31"

    def end(self, anchor: date) -> date:
        """Return the last day on which a row with this anchor must be kept; date.max where no calendar reaches."""
        try:
            base = anchor if self.counted_from == "event" else self.year_end(anchor)
            return add_months(base, self.years * 12 + self.months) + timedelta(days=self.days)
        except (ValueError, OverflowError):
            return date.max

    def year_end(self, day: date) -> date:
        """Return the last day of the financial year that contains `day`."""
        end = self._year_end_in(day.year)
        return end if day <= end else self._year_end_in(day.year + 1)

    def _year_end_in(self, year: int) -> date:
        month, day = (int(part) for part in self.financial_year_end.split("-"))
        return date(year, month, min(day, calendar.monthrange(year, month)[1]))

    def cutoff(self, today: date) -> date:
        """Return the last anchor whose period is over on `today`: later anchors are still kept.

        So a row is kept exactly while `end(anchor) >= today`. Periods end on whole days; nothing is rounded in
        favour of keeping.
        """
        if self.counted_from == "financial_year_end":
            end = self._year_end_in(today.year + 1)
            while self.end(end) >= today:
                end = self._year_end_in(end.year - 1)
            return end
        guess = add_months(today - timedelta(days=self.days), -(self.years * 12 + self.months)) + timedelta(days=3)
        while self.end(guess) >= today:
            guess -= timedelta(days=1)
        return guess


@dataclass(frozen=True, slots=True)
class KeepRule(Stored):
    """One lawful reason to keep rows of a table.

    A row is kept while `column` is None or lies after `after`, and every equality in `when` holds. A row whose
    anchor column is empty is kept and counted as indeterminate: nobody can say that its period is over. With
    `keep_columns`, every other personal column of a kept row is masked.
    """

    code: str
    citation: str
    column: str | None = None
    after: date | None = None
    when: tuple[tuple[str, Scalar], ...] = ()
    keep_columns: tuple[str, ...] = ()
    period: Period | None = None
    review_on: date | None = None


@dataclass(frozen=True, slots=True)
class TableOrder(Stored):
    """What happens to the person's own rows of one table. `disposal` "keep" keeps all, by the first rule's code."""

    table: str
    category: str
    disposal: Disposal
    keeps: tuple[KeepRule, ...] = ()
    columns_to_mask: tuple[str, ...] = ()


def until_for(rule: KeepRule, anchor_value: date | datetime | str | None) -> date | None:
    """Return the last day a row with this anchor is kept, or None where only a review date can be given.

    `anchor_value` may be a date, a datetime (read in UTC; a naive one is UTC) or ISO text.
    """
    if rule.period is None or anchor_value is None or anchor_value == "":
        return None
    return rule.period.end(as_date(anchor_value))


def as_date(value: date | datetime | str) -> date:
    """Return the UTC day of a date, a datetime or ISO text. Raises ValueError for text that is no date."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    return date.fromisoformat(value[:10])
