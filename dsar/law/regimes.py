"""Finding and choosing regimes: one TOML file per law, read once, frozen.

A file `regimes/<id>.toml` is the newest version; an older one that requests still hold on to stands beside it
as `regimes/<id>@<version>.toml`, so that changing a law never changes a request already received.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from dsar.law import countries
from dsar.law.errors import LawError, RegimeFileError
from dsar.law.regime_files import read
from dsar.law.shapes import NEVER_VERIFIED, RIGHTS, Clock, Extension, PauseRule, Regime

__all__ = [
    "FALLBACK", "FOLDER", "NEVER_VERIFIED", "RIGHTS", "Clock", "Extension", "LawError", "PauseRule", "Regime",
    "RegimeFileError", "all_ids", "guess", "guess_reason", "load", "protection", "versions",
]  # fmt: skip

FOLDER: Final = Path(__file__).parent / "regimes"
LISTED: Final = "versions.toml"  # beside them: which version had which content
FALLBACK: Final = "eu_gdpr"  # where nothing is known of a person's place
EVERYWHERE: Final = "default"  # where no law of these files applies


def all_ids() -> tuple[str, ...]:
    """The ids of all regimes that exist here, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml") if "@" not in path.stem and path.name != LISTED))


@lru_cache(maxsize=2048)
def load(regime_id: str, version: str | None = None, on: date | None = None) -> Regime:
    """The regime in its newest version, in the version a request was received under, or in the one that holds for what is
    received on a day, however much later it is recorded.

    On a day before the first version that is known, that one. Raises LawError (`unknown_regime`,
    `unknown_version`) and RegimeFileError (a file not to be used).
    """
    if regime_id not in all_ids():
        raise LawError("unknown_regime", regime=regime_id)
    current = read(FOLDER / f"{regime_id}.toml")
    if version is not None and version != current.version:
        if version not in versions(regime_id):
            raise LawError("unknown_version", regime=regime_id, version=version)
        return read(FOLDER / f"{regime_id}@{version}.toml")
    if version is not None or on is None or current.version_from <= on:
        return current
    every = [current, *(read(FOLDER / f"{regime_id}@{name}.toml") for name in versions(regime_id))]
    begun = [regime for regime in every if regime.version_from <= on]
    if begun:
        return max(begun, key=lambda regime: regime.version_from)
    return min(every, key=lambda regime: regime.version_from)


def versions(regime_id: str) -> tuple[str, ...]:
    """The older versions of a regime that stand beside it, in alphabetical order."""
    return tuple(sorted(path.stem.partition("@")[2] for path in FOLDER.glob(f"{regime_id}@*.toml")))


def guess(
    country: str | None, state: str | None = None, on: date | None = None, established: Iterable[str] = ()
) -> str:
    """The regime for what a person says about where they live (codes or plain names, both may be empty) on a day.

    `established`: where the company is ("DE", "US-CA"); a law that reaches whoever a company there deals with
    (EU, UK, Switzerland) applies where the person's place has none of its own, and is weighed with the others where
    there is doubt about that place (no country, or no state where it matters). In doubt the more protective (see
    `protection`). A place that is named keeps its own law. Both sides can correct it later. Without a day today counts.
    """
    return _guess(country, state, on, tuple(established))[0]


def guess_reason(
    country: str | None, state: str | None = None, on: date | None = None, established: Iterable[str] = ()
) -> str:
    """Why `guess` chose as it did: a key of `words.GUESSES`."""
    return _guess(country, state, on, tuple(established))[1]


def protection(regime: Regime) -> tuple[int, int, int, int, bool]:
    """How much a law protects, to be compared: the one with more rights; of these the one whose answer can take less
    long with every extension, then without, then for an opt-out; then the one that has receipt acknowledged.

    Months count as 31 days, business days as 7 for 5, and an extension of open length as a year.
    """
    first, extension = regime.governing("access"), regime.extension("response", "access")
    more = 0 if extension is None else 366 if extension.kind == "open" else _days(extension.value, extension.unit)
    answer = _days(first.value, first.unit, first.days)
    stop = regime.clock("opt_out_sale", "opt_out") or first
    acknowledged = any(clock.kind == "acknowledgement" for clock in regime.clocks)
    return len(regime.rights), -answer - more, -answer, -_days(stop.value, stop.unit, stop.days), acknowledged


def _days(value: int, unit: str, days: str = "calendar") -> int:
    return value * 31 if unit == "months" else -(-value * 7 // 5) if days == "business" else value


def _guess(country: str | None, state: str | None, on: date | None, established: tuple[str, ...]) -> tuple[str, str]:
    day = on or datetime.now(UTC).date()
    where, part = countries.understood(country, state)
    laws = [law for law in (load(name, on=day) for name in all_ids()) if law.id != EVERYWHERE and law.in_force(day)]
    at_home = [law for law in laws if law.reaches_abroad and not _places(law).isdisjoint(established)]
    if not where and not part:
        return _best([*(law for law in laws if law.id == FALLBACK), *at_home]), "unknown_more_protective"
    whole = [law for law in laws if where in law.regions]
    of_parts = [law for law in laws if law not in whole and where in _places(law)]
    if exact := [law for law in laws if part and f"{where}-{part}" in law.regions]:
        return _best(exact), "state"
    if not part and of_parts:
        return _best([*whole, *of_parts, *at_home]), "state_not_given"
    if whole:
        return _best(whole), "country"
    if at_home:
        return _best(at_home), "establishment"
    return EVERYWHERE, "no_law_there"


def _places(law: Regime) -> set[str]:
    """The countries and parts to which a law belongs."""
    return {*law.regions, *(place.partition("-")[0] for place in law.regions)}


def _best(laws: list[Regime]) -> str:
    return max(laws, key=lambda law: (protection(law), law.id)).id
