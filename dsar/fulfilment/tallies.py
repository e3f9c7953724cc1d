"""Itemised counts: added up over the chunks of a step, and in sum for the audit trail."""

from collections.abc import Iterable
from typing import Any

from dsar.connectors.base import Outcome

COUNTED = ("removed", "anonymised", "kept", "absent", "failed", "changed", "copied")


def merged(tallies: Iterable[dict[str, Any]], outcome: Outcome) -> list[dict[str, Any]]:
    """Add an outcome's itemised counts to those a step already has."""
    lines = {(line["category"], line["table"], line.get("code", "")): dict(line) for line in tallies}
    for tally in outcome.tallies:
        given = tally.as_json()
        line = lines.setdefault((tally.category, tally.table, tally.code), {**given, **dict.fromkeys(COUNTED, 0)})
        for name in COUNTED:
            # Kept rows are counted afresh by each look; the others add up over the chunks.
            line[name] = given.get(name, 0) if name == "kept" else line.get(name, 0) + given.get(name, 0)
        line["until"] = given.get("until") or line.get("until")
    return list(lines.values())


def counts(outcome: Outcome) -> dict[str, int]:
    """Totals for the audit trail."""
    totals = {name: sum(getattr(tally, name) for tally in outcome.tallies) for name in COUNTED}
    return {name: number for name, number in totals.items() if number}
