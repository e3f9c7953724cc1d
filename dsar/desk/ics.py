"""A calendar as RFC 5545 wants it: whole days only, no person in it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

FOLD: Final = 75
PRODUCT: Final = "-//Rightsdesk//Dates//EN"


@dataclass(frozen=True)
class Day:
    """An event of one whole day. `uid` is the same each time, so that a calendar moves it instead of doubling it."""

    uid: str
    on: date
    summary: str
    description: str
    url: str


def calendar(name: str, days: Iterable[Day], now: datetime) -> str:
    """The text of a calendar; `now` (aware) is when it was made."""
    return "".join(f"{line}\r\n" for made in _lines(name, days, now) for line in fold(made))


def _lines(name: str, days: Iterable[Day], now: datetime) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH")
    yield from (f"X-WR-CALNAME:{escaped(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H")
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    for day in days:
        yield from ("BEGIN:VEVENT", f"UID:{escaped(day.uid)}", f"DTSTAMP:{stamp}")
        # The end of a whole day is the day after it (3.6.1).
        yield f"DTSTART;VALUE=DATE:{day.on:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{day.on + timedelta(days=1):%Y%m%d}"
        yield f"SUMMARY:{escaped(day.summary)}"
        yield f"DESCRIPTION:{escaped(day.description)}"
        yield f"URL:{day.url}"
        yield from ("TRANSP:TRANSPARENT", "CLASS:PRIVATE", "END:VEVENT")
    yield "END:VCALENDAR"


def escaped(text: str) -> str:
    """A text value (3.3.11)."""
    kept = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "\\n".join(kept.splitlines())


def fold(line: str) -> Iterator[str]:
    """A content line in pieces of at most 75 octets, each after the first behind a blank, no character cut (3.1)."""
    piece, size = "", 0
    for character in line:
        width = len(character.encode())
        if size + width > FOLD:
            yield piece
            piece, size = " ", 1
        piece, size = piece + character, size + width
    yield piece
