"""Reading TOML tables strictly: each key known, taken once, of its type; what is left over is an error."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from dsar.law.errors import RegimeFileError
from dsar.law.shapes import RIGHTS


def content(path: Path) -> dict[str, Any]:
    """What stands in a TOML file. Raises RegimeFileError where it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RegimeFileError(path.name, f"cannot be read ({type(error).__name__}: {error})") from error


class Table:
    """One TOML table being read: takes each key once, with its type, and rejects what is left."""

    def __init__(self, source: str, where: str, content: object) -> None:
        self.source, self.where = source, where
        if not isinstance(content, dict):
            raise RegimeFileError(source, f"{where or 'file'}: a table is expected")
        self.left: dict[str, Any] = dict(content)

    def fail(self, key: str, message: str) -> RegimeFileError:
        name = f"{self.where}.{key}" if self.where else key
        return RegimeFileError(self.source, f"{name}: {message}")

    def _take(self, key: str, kind: type, what: str, default: Any) -> Any:
        if key not in self.left:
            if default is None:
                raise self.fail(key, "is missing")
            return default
        value = self.left.pop(key)
        if type(value) is not kind:
            raise self.fail(key, f"{what} is expected")
        return value

    def text(self, key: str, *, among: tuple[str, ...] = (), default: str | None = None) -> str:
        value: str = self._take(key, str, "a text", default)
        if among and value not in among and value != default:
            raise self.fail(key, f"'{value}' is none of {', '.join(among)}")
        return value

    def cited(self, key: str = "citation") -> str:
        value = self.text(key)
        if not value.strip():
            raise self.fail(key, "names no article of law")
        return value

    def number(self, key: str, *, least: int = 0, most: int = 10_000, default: int | None = None) -> int:
        value: int = self._take(key, int, "a whole number", default)
        if not least <= value <= most:
            raise self.fail(key, f"{value} is not between {least} and {most}")
        return value

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        return bool(self._take(key, bool, "true or false", default))

    def day(self, key: str) -> date:
        value: date = self._take(key, date, "a date", None)
        return value

    def day_or_none(self, key: str) -> date | None:
        return self.day(key) if key in self.left else None

    def texts(self, key: str, *, among: tuple[str, ...] = (), empty: bool = False) -> tuple[str, ...]:
        values: list[Any] = self._take(key, list, "a list", [] if empty else None)
        if not values and not empty:
            raise self.fail(key, "is empty")
        for value in values:
            if not isinstance(value, str) or (among and value not in among):
                raise self.fail(key, f"'{value}' is not allowed here")
        if len(set(values)) != len(values):
            raise self.fail(key, "names something twice")
        return tuple(values)

    def rights(self, key: str = "rights", *, empty: bool = False) -> tuple[str, ...]:
        values = self.texts(key, among=(*RIGHTS, "*"), empty=empty)
        if "*" in values and len(values) > 1:
            raise self.fail(key, "'*' stands alone")
        return values

    def table(self, key: str) -> Table:
        if key not in self.left:
            raise self.fail(key, "is missing")
        return Table(self.source, f"{self.where}.{key}" if self.where else key, self.left.pop(key))

    def tables(self, key: str) -> list[Table]:
        content = self.left.pop(key, [])
        if not isinstance(content, list):
            raise self.fail(key, "a list of tables is expected")
        return [Table(self.source, f"{key}[{index}]", item) for index, item in enumerate(content)]

    def optional(self, key: str) -> Table | None:
        """The table of this name, or None where the file has none."""
        return self.table(key) if key in self.left else None

    def done(self) -> None:
        for key in self.left:
            raise self.fail(key, "is not known")
