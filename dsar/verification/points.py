"""When two ways of writing the same thing are the same: what a person states, and what a system says."""

import re
import unicodedata
from collections.abc import Iterable

from dsar.datamap.tables import FieldMap

# A telephone number without its country is compared with one that has it from so many figures on.
LEAST_FIGURES = 7


def same(kind: str, stated: str, known: Iterable[str]) -> bool:
    """Whether what somebody states of a field of this kind is one of the values that are known. Empty is never the same."""
    if kind == "phone":
        return sum(_same_phone(stated, value) for value in known) > 0
    plain = _plain(kind, stated)
    # Every value is looked at, whichever fits.
    return bool(plain) and sum(plain == _plain(kind, value) for value in known) > 0


def part(kind: str, value: str) -> str:
    """The part of a value that a question asks for: the last two figures of a telephone number, the day of the month of a
    date. Empty where it has none."""
    if kind == "phone":
        figures = _figures(value)
        return figures[-2:] if len(figures) > LEAST_FIGURES else ""
    day = _day(value)
    return str(int(day[8:10])) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) else ""


def problem(field: FieldMap, stated: str) -> bool:
    """Whether this cannot be a value of the field at all, so that comparing it would waste an attempt."""
    if field.kind == "phone":
        return len(_figures(stated)) < LEAST_FIGURES
    if field.kind == "date":
        return not re.fullmatch(r"\d{4}-\d{2}-\d{2}", _day(stated))
    if field.kind == "country":
        return not re.fullmatch(r"[A-Za-z]{2}", stated.strip())
    return not _plain(field.kind, stated)


def _plain(kind: str, value: str) -> str:
    """A value without what people write differently: case, accents of width, blanks, dots, hyphens."""
    if kind == "date":
        return _day(value)
    folded = unicodedata.normalize("NFKC", value).casefold()
    return "".join(char for char in folded if char.isalnum())


def _day(value: str) -> str:
    """A day as ISO 8601: of a moment its day, and of 31.12.1990 or 31/12/1990 too."""
    text = value.strip()
    if found := re.fullmatch(r"(\d{1,2})[./ ](\d{1,2})[./ ](\d{4})", text):
        day, month, year = found.groups()
        return f"{year}-{int(month):02}-{int(day):02}"
    return text[:10]


def _figures(value: str) -> str:
    """The figures of a telephone number, with a leading + where it names its country (+49 and 0049 are the same)."""
    text = unicodedata.normalize("NFKC", value).strip()
    figures = "".join(char for char in text if char.isascii() and char.isdigit())
    # "+49 (0)30": the nought in brackets is not dialled from abroad.
    if text.startswith("+") or figures.startswith("00"):
        figures = "".join(char for char in text.replace("(0)", "") if char.isascii() and char.isdigit())
        return "+" + (figures[2:] if figures.startswith("00") else figures)
    return figures


def _same_phone(one: str, other: str) -> bool:
    first, second = _figures(one), _figures(other)
    if first.startswith("+") == second.startswith("+"):
        return bool(first) and first == second
    abroad, home = (first, second) if first.startswith("+") else (second, first)
    # The same with and without its country: what is dialled at home, less the nought before it.
    national = home.removeprefix("0")
    return len(national) >= LEAST_FIGURES and abroad.endswith(national)
