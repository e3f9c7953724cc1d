"""When two ways of writing the same thing are the same: what a person states, and what a system says."""

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from typing import Final

from django.utils.translation import gettext_lazy as _

from dsar.datamap.tables import FieldMap

# How to write what is read in one way alone; shown beside the field, and again where it was not so.
HINTS: Final = {
    "date": _("As year-month-day, for instance 1990-12-31."),
    "country": _("Its two letters, for instance DE or US."),
    "phone": _("With or without the country."),
}

# A telephone number without its country is compared with one that has it from so many figures on.
LEAST_FIGURES = 7
# Two of which neither says by a + where its country ends: from so many figures on, less than which may be a number
# without its town.
LEAST_NATIONAL = 8
# The calling codes of countries (ITU-T E.164): one figure, two, or three.
COUNTRY = re.compile(
    r"[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|(?:2[1-689]|3[578]|42|5[09]|6[7-9]|8[058]|9[679])\d"
)


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
        # 05/04/1990 is a day in April or in May, by who writes it: nobody's try is spent on a guess.
        return len(_days(stated)) != 1
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
    """A day as ISO 8601; empty where it is none. A system of ours that writes 05/04/1990 is taken to mean April."""
    return next(iter(_days(value)), "")


def _days(value: str) -> list[str]:
    """What a day may mean, as ISO 8601, the likelier first: of a moment its day; of 31.12.1990, 31/12/1990 or 12/31/1990
    the only day that it can be, and of 05/04/1990 two."""
    text = value.strip()
    if found := re.fullmatch(r"(\d{1,2})([./ -])(\d{1,2})\2(\d{4})", text):
        first, _between, second, year = found.groups()
        readings = [(year, second, first), (year, first, second)]
    elif found := re.match(r"(\d{4})([./-])(\d{1,2})\2(\d{1,2})(?!\d)", text):
        year, _between, month, day = found.groups()
        readings = [(year, month, day)]
    else:
        return []
    days: dict[str, None] = {}
    for reading in readings:
        with suppress(ValueError):
            days[date(*map(int, reading)).isoformat()] = None
    return list(days)


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
    if first.startswith("+") and second.startswith("+"):
        return first == second
    if not (first.startswith("+") or second.startswith("+")):
        return bool(first) and (first == second or _same_at_home(first, second))
    abroad, home = (first, second) if first.startswith("+") else (second, first)
    # The same with and without its country: what is dialled at home, less the nought before it.
    national = home.removeprefix("0")
    return len(national) >= LEAST_FIGURES and abroad.endswith(national)


def _same_at_home(one: str, other: str) -> bool:
    """1 212 555 0100 and 212 555 0100: the same with and without its country, and neither writes a +."""
    short, long = sorted((one.removeprefix("0"), other.removeprefix("0")), key=len)
    if len(short) < LEAST_NATIONAL:
        return False
    return short == long or (long.endswith(short) and bool(COUNTRY.fullmatch(long.removesuffix(short))))
