"""Reads the data map and keeps it until the file changes."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from dsar.datamap.schema import DataMap

_cache: dict[Path, tuple[tuple[int, int], DataMap]] = {}

# Ten times as fast where libyaml is there, and as safe.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DataMapError(Exception):
    """The file cannot be used. `messages` says where and why, one line each, without values from the file."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def load(path: str | Path) -> DataMap:
    """Return the data map in the file `path`, read again only when its time or size has changed.

    Raises DataMapError where the file is missing, is no YAML or breaks a rule of the schema.
    """
    path = Path(path)
    try:
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = _cache.get(path)
        if known and known[0] == stamp:
            return known[1]
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataMapError([f"{path.name}: cannot be read ({type(error).__name__})"]) from error
    result = parse(text, path.name)
    _cache[path] = (stamp, result)
    return result


def parse(text: str, name: str = "data map") -> DataMap:
    """Return the data map written in `text` (YAML). Raises DataMapError as `load` does."""
    try:
        data = yaml.load(text, Loader=LOADER)  # noqa: S506  safe, one way or the other
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise DataMapError([f"{name}: no YAML, line {line}: {error.problem}"]) from error
    except yaml.YAMLError as error:
        raise DataMapError([f"{name}: no YAML"]) from error
    try:
        return DataMap.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise DataMapError([f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found]) from error


def current() -> DataMap:
    """Return the data map that the setting DATA_MAP names."""
    from django.conf import settings

    return load(settings.DATA_MAP)
