"""What the tables said that all laws share, edition by edition, so that none is changed unnoticed.

Codes and their articles, other articles, authorities, what is counted together, and the words of codes and laws are tables
of today: they hold for every request alike, also for one received before they were changed. What was decided keeps what it
said: a decision, a plan and a record store code and article as they were that day. `editions.toml` lists a digest for
every edition of each table; once a table says something else, nothing starts until that is recorded:

    manage.py regimes --record-tables EDITION      (a name never used before, such as the day)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from django.utils import translation

from dsar.law import articles, authorities, code_words, codes, counted, editions, regime_words
from dsar.law.errors import RegimeFileError
from dsar.law.tables import content

LISTED: Final = Path(__file__).parent / "editions.toml"
HEAD: Final = """\
# What each edition of the tables said that all laws share (see dsar/law/table_editions.py). Lines are added by
# `manage.py regimes --record-tables EDITION`, and never changed.
"""
TABLES: Final[Mapping[str, Callable[[], Any]]] = {
    "codes.toml": lambda: content(codes.FILE),
    "articles.toml": lambda: content(articles.FILE),
    "authorities.toml": lambda: content(authorities.FILE),
    "counted.toml": lambda: content(counted.FILE),
    "code_words.py": lambda: {code: [str(text) for text in texts] for code, texts in code_words.CODES.items()},
    "regime_words.py": lambda: {
        name: {key: str(text) for key, text in texts.items()} for name, texts in regime_words.REGIMES.items()
    },
}


def digests() -> dict[str, str]:
    """The digest of every table as it stands, words as they are before any translation. Raises RegimeFileError."""
    with translation.override(None):
        return {name: editions.of(said()) for name, said in TABLES.items()}


def listed() -> dict[str, dict[str, str]]:
    """Digests by table and edition, oldest first, as the list has them. Raises RegimeFileError."""
    return content(LISTED) if LISTED.exists() else {}


def problems() -> list[str]:
    """The tables that say something else than their newest edition, each with what to do."""
    known = listed()
    return [
        f"{name}: what it says was changed since it was recorded, for every request alike. Put it back, or record the new"
        " edition: manage.py regimes --record-tables EDITION"
        for name, digest in digests().items()
        if digest != next(reversed(known.get(name, {}).values()), "")
    ]


def record(edition: str) -> list[str]:
    """Write an edition of every table that was changed into the list; returns which. Raises RegimeFileError for a name that
    a changed table used before."""
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,32}", edition):
        raise RegimeFileError(LISTED.name, "an edition is named by letters, digits, dots and hyphens, 32 at most")
    known, named = listed(), []
    for name, digest in digests().items():
        before = known.setdefault(name, {})
        if digest == next(reversed(before.values()), ""):
            continue
        if edition in before:
            raise RegimeFileError(LISTED.name, f"{name}: edition {edition} is recorded with other content")
        before[edition] = digest
        named.append(name)
    blocks = [
        f'["{name}"]\n' + "".join(f'"{edition}" = "{digest}"\n' for edition, digest in known[name].items())
        for name in TABLES
    ]
    LISTED.write_text("\n".join([HEAD, *blocks]), encoding="utf-8")
    return named
