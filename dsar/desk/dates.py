"""Every date of a request, explained, and drawn on a line: received, our target, the law's dates, what was waited for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dsar import clock_book
from dsar.models import PrivacyRequest

# The line is drawn in units of its own: a margin on both sides, so that no mark is cut off.
WIDTH: Final = 300
MARGIN: Final = 8


@dataclass(frozen=True)
class Mark:
    """A day on the line: where, and its class, which is also the key of its legend."""

    x: float
    kind: str
    label: str
    day: date


@dataclass(frozen=True)
class Stretch:
    """A time on the line: gone by, or waited for."""

    x: float
    width: float
    kind: str


def panel(request: PrivacyRequest) -> dict[str, Any]:
    """`book`: every date with its reasons; `line`: the drawing, None where there is nothing ahead to draw."""
    book = clock_book.of(request)
    return {"book": book, "line": line(request, book)}


def line(request: PrivacyRequest, book: clock_book.Book) -> dict[str, Any] | None:
    """Marks and stretches from receipt to the last date, and the same in one sentence."""
    days = list(_days(request, book))
    last = max((day for _kind, _label, day in days), default=book.received_on)
    span = (last - book.received_on).days
    if span <= 0 or request.is_ended:
        return None

    def place(day: date) -> float:
        gone = min(max((day - book.received_on).days, 0), span)
        return round(MARGIN + (WIDTH - 2 * MARGIN) * gone / span, 1)

    start, now = place(book.received_on), place(book.today)
    stretches = [Stretch(start, round(now - start, 1), "gone")]
    for waiting in book.waitings:
        asked, answered = place(waiting.asked), place(waiting.answered or book.today)
        stretches.append(Stretch(asked, max(round(answered - asked, 1), 3), "waited"))
    marks = [Mark(place(day), kind, label, day) for kind, label, day in days]
    said = ", ".join(f"{mark.label} {date_format(mark.day)}" for mark in marks)
    return {"marks": marks, "stretches": stretches, "width": WIDTH, "said": said, "waited": bool(book.waitings)}


def _days(request: PrivacyRequest, book: clock_book.Book) -> Iterator[tuple[str, str, date]]:
    yield "received", _("Received"), book.received_on
    target = next((one.date for one in book.entries if one.kind == "target"), None)
    if target:
        yield "target", _("Our own target"), target
    if request.extended_at and request.original_due_on:
        yield "first", _("First date"), request.original_due_on
    if book.answer.date:
        yield "legal", _("Answer due"), book.answer.date
    guided = next((one.date for one in book.entries if one.kind == "by_guidance"), None)
    if guided and guided != book.answer.date:
        yield "guided", _("By guidance"), guided
    if book.today > book.received_on:
        yield "today", _("Today"), book.today
