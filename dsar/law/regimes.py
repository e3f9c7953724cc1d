"""Finding and choosing regimes: one TOML file per law, read once, frozen.

A file `regimes/<id>.toml` is the version in force; an older one that requests still hold on to stands
beside it as `regimes/<id>@<version>.toml`, so that changing a law never changes a request already received.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from dsar.law.errors import LawError, RegimeFileError
from dsar.law.regime_files import read
from dsar.law.shapes import NEVER_VERIFIED, RIGHTS, Clock, Extension, PauseRule, Regime

__all__ = [
    "FALLBACK", "FOLDER", "NEVER_VERIFIED", "RIGHTS", "Clock", "Extension", "LawError", "PauseRule", "Regime",
    "RegimeFileError", "all_ids", "guess", "guess_reason", "load",
]  # fmt: skip

FOLDER: Final = Path(__file__).parent / "regimes"
FALLBACK: Final = "eu_gdpr"


def all_ids() -> tuple[str, ...]:
    """The ids of all regimes that exist here, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml") if "@" not in path.stem))


@lru_cache(maxsize=256)
def load(regime_id: str, version: str | None = None) -> Regime:
    """The regime in the version in force, or in the version a request was received under.

    Raises LawError (`unknown_regime`, `unknown_version`) and RegimeFileError (a file not to be used).
    """
    if regime_id not in all_ids():
        raise LawError("unknown_regime", regime=regime_id)
    current = read(FOLDER / f"{regime_id}.toml")
    if version is None or version == current.version:
        return current
    older = FOLDER / f"{regime_id}@{version}.toml"
    if version not in _versions(regime_id):
        raise LawError("unknown_version", regime=regime_id, version=version)
    return read(older)


def _versions(regime_id: str) -> set[str]:
    return {path.stem.partition("@")[2] for path in FOLDER.glob(f"{regime_id}@*.toml")}


def guess(country: str | None, state: str | None = None) -> str:
    """The regime for what a person says about where they live (ISO code or plain name, both may be empty).

    In doubt the more protective law. Both sides can correct it later.
    """
    return _guess(country, state)[0]


def guess_reason(country: str | None, state: str | None = None) -> str:
    """Why `guess` chose as it did: a key of `words.GUESSES`."""
    return _guess(country, state)[1]


_UNITED_STATES: Final = frozenset(
    {"us", "usa", "u.s.", "u.s.a.", "united states", "united states of america", "america"}
)
_CALIFORNIA: Final = frozenset({"ca", "us-ca", "calif.", "california"})


def _guess(country: str | None, state: str | None) -> tuple[str, str]:
    where, part = (" ".join((text or "").split()).casefold() for text in (country, state))
    if where in {"us-ca", "california"} or (not where and part in {"us-ca", "california"}):
        return "us_ca_ccpa", "state"
    if where in _UNITED_STATES:
        if part in _CALIFORNIA:
            return "us_ca_ccpa", "state"
        return FALLBACK, "regime_not_modelled_yet" if part else "state_not_given"
    if where.upper() in load("eu_gdpr").regions:
        return "eu_gdpr", "country"
    if len(where) == 2 and where.isalpha():
        return FALLBACK, "regime_not_modelled_yet"
    return FALLBACK, "unknown_more_protective"
