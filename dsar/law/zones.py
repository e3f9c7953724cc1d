"""Which time zones belong to a country, by the table that the system keeps beside its zones (ISO 3166, tz database)."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

TABLE: Final = "zone.tab"


def of(countries: Iterable[str]) -> frozenset[str]:
    """The zones of countries ("DE"), by their names; empty where the system keeps no such table."""
    wanted = set(countries)
    return frozenset(zone for country, zone in _table() if country in wanted)


def fits(zone: str, countries: Iterable[str]) -> bool:
    """Whether a zone, or one that keeps the same time under another name, is that of one of these countries; also where
    the system cannot say."""
    zones = of(countries)
    return not _table() or zone in zones or (bool(zones) and _content(zone) in {_content(name) for name in zones})


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[str, str], ...]:
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / TABLE
        if path.exists():
            lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line[:1] != "#")
            return tuple((line[0], line[2]) for line in lines if len(line) > 2)
    return ()


def _content(zone: str) -> bytes:
    paths = (Path(folder) / zone for folder in zoneinfo.TZPATH)
    return next((path.read_bytes() for path in paths if path.is_file()), zone.encode())
