"""What somebody signs who shows by a declaration who they are (11 CCR 7062(c)), in the words that their law gives it weight
by."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from dsar.law.shapes import Regime

_PERJURY = _(
    "I declare under penalty of perjury under the laws of my state that I am the person whose personal data this request is"
    " about, and that what I have stated here is true."
)
_SOLEMN = _(
    "I declare that I am the person whose personal data this request is about, and that what I have stated here is true. I"
    " know that a false declaration can be punished."
)


def text(regime: Regime) -> Any:
    """The words above the signature (lazily translated)."""
    return _PERJURY if regime.id.startswith("us_") else _SOLEMN
