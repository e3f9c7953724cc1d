"""One line of a calculation, told in words, and stored as code and values so that it can be told again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format

from dsar.law import words

Value = str | int | date


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a calculation: a key of `words.STEPS` and its values. `str()` says it in the active
    language.
    """

    code: str
    values: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, code: str, **values: Value) -> Step:
        """A step with these values."""
        return cls(code, tuple(values.items()))

    def __str__(self) -> str:
        shown = {key: date_format(value) if isinstance(value, date) else value for key, value in self.values}
        return str(words.STEPS[self.code] % shown) if shown else str(words.STEPS[self.code])

    def as_json(self) -> dict[str, Any]:
        """For a JSON column; dates become `{"date": "2026-11-22"}`."""
        values = {k: {"date": v.isoformat()} if isinstance(v, date) else v for k, v in self.values}
        return {"code": self.code, "values": values}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Step:
        """The step that `as_json` stored."""
        values = {k: date.fromisoformat(v["date"]) if isinstance(v, dict) else v for k, v in stored["values"].items()}
        return cls.of(stored["code"], **values)
