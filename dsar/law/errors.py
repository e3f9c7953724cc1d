"""The two ways in which the law package says no."""

from __future__ import annotations

from datetime import date


class LawError(Exception):
    """A question that the law answers with no: a late notice, a clock that does not exist.

    `reason` is a short closed code (see `words.ERRORS`); `values` holds dates and numbers, never personal
    data.
    """

    def __init__(self, reason: str, **values: str | int | date) -> None:
        self.reason = reason
        self.values = values
        super().__init__(reason)


class RegimeFileError(Exception):
    """A regime or code file that must not be used: `source` names it, the message says what is wrong."""

    def __init__(self, source: str, message: str) -> None:
        self.source = source
        super().__init__(f"{source}: {message}")
