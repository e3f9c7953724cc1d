"""What a law wants counted as one number in the yearly measures, though this house knows it as several rights (11 CCR
7102(a)(1): requests to know, requests to opt out of sale or sharing). Stands in counted.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dsar.law import regimes
from dsar.law.tables import Table

FILE: Final = Path(__file__).with_name("counted.toml")
LABELS: Final[Mapping[str, Promise]] = MappingProxyType(
    {"know": _("Requests to know, in all"), "opt_out": _("Requests to opt out of sale or sharing, in all")}
)


@dataclass(frozen=True, slots=True)
class Group:
    """Rights that are counted together, by which article. `key` is its name in files."""

    key: str
    rights: tuple[str, ...]
    citation: str

    @property
    def label(self) -> Promise:
        """What it is, in words."""
        return LABELS[self.key]


def groups(regime_id: str) -> tuple[Group, ...]:
    """What this law counts together, in the order of the file; nothing for most laws."""
    return _all().get(regime_id, ())


@cache
def _all() -> Mapping[str, tuple[Group, ...]]:
    return read(FILE.read_text())


def read(text: str) -> Mapping[str, tuple[Group, ...]]:
    """The groups of each law in a text like counted.toml. Raises RegimeFileError: an unknown law, group or right, a right that
    its law does not know, or that would be counted twice."""
    found = {}
    for regime_id, content in tomllib.loads(text).items():
        table = Table(FILE.name, regime_id, content)
        if regime_id not in regimes.all_ids():
            raise table.fail("", "is no law that we know")
        citation, known = table.cited(), regimes.load(regime_id).rights
        made = tuple(Group(key, table.texts(key, among=known), citation) for key in LABELS if key in table.left)
        table.done()
        every = [right for group in made for right in group.rights]
        if len(every) != len(set(every)):
            raise table.fail("", "counts a right twice")
        found[regime_id] = made
    return MappingProxyType(found)
