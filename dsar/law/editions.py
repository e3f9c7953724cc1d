"""Which version of a law had which content, so that no version is ever changed once requests may rest on it.

`regimes/versions.toml` lists a digest for every id and version. It is taken of what a file says, not of how it is
written: comments and order may be mended. A changed law is a new version, and the old file stays beside it:

    manage.py regimes --new-version ID VERSION --from DAY
                                   keeps the file as ID@OLD.toml, names the new version and its day in ID.toml
    (edit ID.toml)
    manage.py regimes --record ID  writes the new version into the list

What was received before that day keeps the old version, also when it is recorded later. Neither web nor worker starts with
a file that does not say what was recorded (`require`). The tables that all laws share are held the same way: see
`table_editions`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from dsar.law import regimes
from dsar.law.errors import RegimeFileError
from dsar.law.regime_files import read
from dsar.law.tables import content

HEAD: Final = """\
# What each version of each law said when requests began to rest on it (see dsar/law/editions.py). Lines are added by
# `manage.py regimes --record ID`, and never changed.
"""


def digest(path: Path) -> str:
    """The digest of what a file says. Raises RegimeFileError where it cannot be read."""
    return of(content(path))


def of(said: Any) -> str:
    """The digest of something said, whatever order it is written in."""
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, default=_day)
    return hashlib.sha256(text.encode()).hexdigest()


def listed() -> Mapping[str, Mapping[str, str]]:
    """Digests by id and version, as the list has them. Raises RegimeFileError."""
    path = regimes.FOLDER / regimes.LISTED
    return content(path) if path.exists() else {}


def problems() -> list[str]:
    """What is wrong with the files and the list, each with what to do; empty where all is well."""
    found: list[str] = []
    known = listed()
    files = {
        (path.stem.partition("@")[0], path) for path in regimes.FOLDER.glob("*.toml") if path.name != regimes.LISTED
    }
    there: set[tuple[str, str]] = set()
    begins: dict[tuple[str, date], str] = {}
    for regime_id, path in sorted(files):
        try:
            regime = read(path)
            version = regime.version
            there.add((regime_id, version))
            other = begins.setdefault((regime_id, regime.version_from), version)
            if other != version:
                found.append(
                    f"{regime_id}: versions {other} and {version} both hold from {regime.version_from} on. Give the newer"
                    f" one the day of receipt from which it holds: version_from in {regime_id}.toml"
                )
            elif "@" in path.stem and regime.version_from > regimes.load(regime_id).version_from:
                found.append(f"{path.name}: holds from a later day on than the version in {regime_id}.toml")
            wanted = known.get(regime_id, {}).get(version)
            if wanted is None:
                found.append(
                    f"{path.name}: version {version} is not in {regimes.LISTED}. Once the file is ready: manage.py regimes"
                    f" --record {regime_id}"
                )
            elif wanted != digest(path):
                found.append(
                    f"{path.name}: what it says was changed, but it still calls itself version {version}, by which requests"
                    f" are judged. Put the file back as it was; then: manage.py regimes --new-version {regime_id} VERSION,"
                    f" make the change, and: manage.py regimes --record {regime_id}"
                )
        except RegimeFileError as error:
            found.append(f"{error}")
    for regime_id, versions in known.items():
        found += [
            f"{regime_id}: version {version} is in {regimes.LISTED}, and its file is gone. Requests may rest on it: put it"
            f" back as {regime_id}@{version}.toml"
            for version in versions
            if (regime_id, version) not in there
        ]
    return found


def record(regime_id: str) -> str:
    """Write the version that a file names into the list, and return it. Raises RegimeFileError where that version stands
    there with other content, LawError for an unknown law."""
    regime = regimes.load(regime_id)
    path = regimes.FOLDER / f"{regime_id}.toml"
    known = {name: dict(versions) for name, versions in listed().items()}
    there, now = known.get(regime_id, {}).get(regime.version), digest(path)
    if there is not None and there != now:
        raise RegimeFileError(
            path.name, f"version {regime.version} is recorded with other content; it is never replaced"
        )
    known.setdefault(regime_id, {})[regime.version] = now
    blocks = [
        f"[{name}]\n" + "".join(f'"{version}" = "{known[name][version]}"\n' for version in sorted(known[name]))
        for name in sorted(known)
    ]
    (regimes.FOLDER / regimes.LISTED).write_text("\n".join([HEAD, *blocks]), encoding="utf-8")
    return regime.version


def new_version(regime_id: str, version: str, begins: date) -> Path:
    """Keep the file of a law aside under its version, let the one in its place name the new one, which holds for what is
    received from `begins` on, and return where the old one lies. Raises RegimeFileError where the file was changed already,
    the version exists or does not begin later than the old one, LawError for an unknown law."""
    regime = regimes.load(regime_id)
    path = regimes.FOLDER / f"{regime_id}.toml"
    known = listed().get(regime_id, {})
    if known.get(regime.version) != digest(path):
        raise RegimeFileError(
            path.name, f"version {regime.version} is not recorded as it stands: put it back or record it"
        )
    if version in known or version in (regime.version, *regimes.versions(regime_id)):
        raise RegimeFileError(path.name, f"version {version} exists")
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,32}", version):
        raise RegimeFileError(path.name, "version: letters, digits, dots and hyphens are expected, 32 at most")
    if begins <= regime.version_from:
        raise RegimeFileError(
            path.name, f"version_from: must lie after {regime.version_from}, the day of {regime.version}"
        )
    text = path.read_text(encoding="utf-8")
    old = regimes.FOLDER / f"{regime_id}@{regime.version}.toml"
    old.write_text(text, encoding="utf-8")
    text = re.sub(r"(?m)^version_from = .*\n", "", text)
    named = f'version = "{version}"\nversion_from = {begins}'
    path.write_text(re.sub(r'(?m)^version = "[^"]*"', named, text, count=1), encoding="utf-8")
    regimes.load.cache_clear()
    return old


def _day(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
