"""Where a person finds the authority to which they may complain: its own website, as authorities.toml has it today.

The laws that demand a way online (`authority_link`) have an address there, or the file says why none is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from dsar.law.tables import Table, content

FILE: Final = Path(__file__).parent / "authorities.toml"


@dataclass(frozen=True, slots=True)
class Site:
    """An address as a screen opens it (`link`), and as it is written on paper (`bare`)."""

    link: str

    @property
    def bare(self) -> str:
        """The address without what only a screen needs."""
        return self.link.removeprefix("https://")


@dataclass(frozen=True, slots=True)
class Way:
    """`links`: addresses of websites (https). `unknown`: why there are none; one of the two is empty."""

    links: tuple[str, ...] = ()
    unknown: str = ""

    @property
    def sites(self) -> tuple[Site, ...]:
        """The same addresses, for letters and pages."""
        return tuple(Site(link) for link in self.links)


NOWHERE: Final = Way()


def way(regime_id: str) -> Way:
    """The way to the authority of a law; empty for a law of which the file says nothing."""
    return _all().get(regime_id, NOWHERE)


@lru_cache(maxsize=1)
def _all() -> Mapping[str, Way]:
    return parse(content(FILE), FILE.name)


def parse(document: Mapping[str, Any], source: str) -> Mapping[str, Way]:
    """The ways of a parsed file by law. Raises RegimeFileError saying what is wrong."""
    found: dict[str, Way] = {}
    for regime_id, said in document.items():
        table = Table(source, regime_id, said)
        links, unknown = table.texts("links", empty=True), table.text("unknown", default="")
        if bool(links) == bool(unknown):
            raise table.fail("links", "either addresses, or 'unknown' says why there are none")
        for link in links:
            parts = urlsplit(link)
            if parts.scheme != "https" or "." not in parts.netloc or parts.query or parts.fragment or "@" in link:
                raise table.fail("links", f"'{link}' is no plain https address")
        table.done()
        found[regime_id] = Way(links, unknown)
    return found
