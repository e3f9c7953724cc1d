"""What a law calls a duty of ours that is neither a clock, a code nor a remedy: telling recipients, a second look by a
person, the end of a restriction.

One table for all regimes (articles.toml), so that no letter cites a law that is not the person's own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from dsar.enums import UNVERIFIED_RIGHTS, RestrictionGround, Right
from dsar.law.errors import RegimeFileError
from dsar.law.shapes import Regime

FILE: Final = Path(__file__).parent / "articles.toml"
HUMAN_REVIEW: Final = "human_review"
RESTRICTION_END: Final = "restriction_end"
REST_OF_DELETION: Final = "rest_of_deletion"
TOLD: Final[Mapping[str, str]] = {
    Right.DELETION: "told_deletion",
    Right.CORRECTION: "told_correction",
    Right.RESTRICTION: "told_restriction",
    **dict.fromkeys(UNVERIFIED_RIGHTS, "told_choice"),
}
DUTIES: Final = frozenset(
    {
        *TOLD.values(), *(f"ground_{ground}" for ground in RestrictionGround.values), HUMAN_REVIEW, RESTRICTION_END,
        REST_OF_DELETION,
    }
)  # fmt: skip


def of(duty: str, regime: Regime | str) -> str:
    """The article for a duty in a law; empty where that law has none. Raises KeyError for an unknown duty."""
    return _table()[duty].get(regime if isinstance(regime, str) else regime.id, "")


def told(right: str, regime: Regime | str) -> str:
    """The article by which those who received data are told what came of a request for this right; empty for none."""
    return of(TOLD[right], regime) if right in TOLD else ""


def ground(code: str, regime: Regime | str) -> str:
    """The article of a ground for restricting (enums.RestrictionGround) in a law; empty where it has none."""
    return of(f"ground_{code}", regime)


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Mapping[str, str]]:
    return parse(tomllib.loads(FILE.read_text(encoding="utf-8")), FILE.name)


def parse(content: Mapping[str, Any], source: str) -> Mapping[str, Mapping[str, str]]:
    """The articles of a parsed file by duty and regime. Raises RegimeFileError saying what is wrong."""
    if wrong := set(content) ^ DUTIES:
        raise RegimeFileError(source, f"{', '.join(sorted(wrong))}: unknown, or missing")
    for duty, cited in content.items():
        for regime, article in cited.items():
            if not isinstance(article, str) or not article.strip():
                raise RegimeFileError(source, f"{duty}.{regime}: names no article of law")
    return content
