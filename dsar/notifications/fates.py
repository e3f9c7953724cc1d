"""Why something stays, and until when: in the same words on pages, in letters and on paper."""

from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsar.law import codes


def why(item: dict[str, Any], body: dict[str, Any]) -> str:
    """The reason of one item of a plan; empty for what goes. What is kept by a code that this law does not know waits
    for a person: it is nobody else's for that (law 6)."""
    if item["action"] == "refer":
        return _("It belongs to your organisation. Please turn to it.")
    if item["action"] == "backup":
        days = body["sources"].get(item["source"], {}).get("rotation_days")
        return in_backups(days)
    return kept_for(item["code"], body["regime"]) if item["action"] == "keep" else ""


def kept_for(code: str, regime: str) -> str:
    """Why something is kept, by its code."""
    found = codes.valid(code, regime) if code else None
    return str(found.text) if found else _("It stays until somebody here has decided about it.")


def in_backups(days: int | None = None) -> str:
    """What becomes of backups. `days`: how long they turn, counted from the deletion; none where the day is named."""
    if days is None:
        return _("Backups are overwritten in turn; it goes with them.")
    return ngettext(
        "Backups are overwritten in turn: it goes with them within %(days)s day of the deletion.",
        "Backups are overwritten in turn: it goes with them within %(days)s days of the deletion.",
        days,
    ) % {"days": days}


def later(line: dict[str, Any], item: dict[str, Any]) -> None:
    """Put the dates of an item, or of a worker's tally, on a line: `until` (it goes) and `review_on` (we look again)."""
    until, review_on = (date.fromisoformat(item[name]) if item.get(name) else None for name in ("until", "review_on"))
    latest(line, until, review_on)


def latest(line: dict[str, Any], until: date | None, review_on: date | None) -> None:
    """Put dates on a line; of several the latest counts."""
    for name, found in (("until", until), ("review_on", review_on)):
        line[name] = max(filter(None, (line.get(name), found)), default=None)
