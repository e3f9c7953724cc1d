"""Keyset paging: a page begins after the last row of the one before: depth costs nothing and no row is skipped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db.models import BooleanField, Field, Func, Model, QuerySet, Value
from django.db.models.expressions import F
from django.db.models.lookups import GreaterThan, LessThan
from django.http import QueryDict

PAGE = 50
M = TypeVar("M", bound=Model)


class Row(Func):
    """A row value `(a, b)`: compared as one, so that an index over both columns is read as a single range."""

    template = "(%(expressions)s)"
    output_field = BooleanField()


@dataclass(frozen=True)
class Page:
    """Rows in their order, and the query strings of the neighbours ("" where there is none)."""

    rows: list[Any]
    next: str = ""
    previous: str = ""


def page(rows: QuerySet[M], asked: QueryDict, order: str, *, descending: bool = False, size: int = PAGE) -> Page:
    """The page that `asked` names by `after` or `before` ("value.id"); the first where it names none or nonsense.

    `order` is a column that is never empty in these rows; the id decides among equals. One query; a second where the
    named page has vanished meanwhile.
    """
    field: Field[Any, Any] = rows.model._meta.get_field(order)  # type: ignore[assignment]
    after = _key(field, asked.get("after", ""))
    before = None if after else _key(field, asked.get("before", ""))
    key = after or before
    down = descending != bool(before)
    wanted = rows.order_by(*((f"-{order}", "-pk") if down else (order, "pk")))
    if key:
        wanted = wanted.filter(_beyond(field, order, key, down=down))
    found = list(wanted[: size + 1])
    if key and not found:
        return page(rows, QueryDict(_rest(asked)), order, descending=descending, size=size)
    more, found = len(found) > size, found[:size]
    if before:
        found.reverse()
    return Page(
        found,
        next=_link(asked, "after", found[-1], order) if found and (more or before) else "",
        previous=_link(asked, "before", found[0], order) if found and (after or (before and more)) else "",
    )


def _key(field: Field[Any, Any], text: str) -> tuple[Any, int] | None:
    value, _, number = text.rpartition(".")
    if not value or not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    try:
        return field.to_python(value), int(number)
    except Exception:  # whatever a typed address holds, it names no page
        return None


def _beyond(field: Field[Any, Any], order: str, key: tuple[Any, int], *, down: bool) -> GreaterThan | LessThan:
    mark = Row(Value(key[0], output_field=field), Value(key[1]))
    compare = LessThan if down else GreaterThan
    return compare(Row(F(order), F("pk")), mark)


def _rest(asked: QueryDict) -> str:
    kept = asked.copy()
    for name in ("after", "before"):
        kept.pop(name, None)
    return kept.urlencode()


def _link(asked: QueryDict, name: str, row: Model, order: str) -> str:
    value: date | datetime | int = getattr(row, order)
    text = value.isoformat() if isinstance(value, date) else str(value)
    made = QueryDict(_rest(asked)).copy()
    made[name] = f"{text}.{row.pk}"
    return f"?{made.urlencode()}"
