"""What the company promises beyond the law: a small TOML file that may be stricter than the law and never laxer.

    [all]                        # at most, wherever the law gives longer
    response_days = 30
    target_margin_days = 5       # how long before the safe date we mean to be done

    [us_ca_ccpa]                 # for one law by its id
    response_days = 40
    acknowledgement_days = 5
    opt_out_days = 10
    appeal_days = 30

Calendar days from where the law's own time begins, days that it does not count added. A promise is the day that we work
to and name; the law's date stays beside it, and whether an answer is late or an extension came in time is judged by that.
A promise never outlives the law: whichever comes first counts. An extension that the law allows lifts the promise, not
the law. What an appeal is called in a law (complaint, grievance) changes nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dsar.law import regimes
from dsar.law.errors import RegimeFileError
from dsar.law.shapes import Clock, Regime
from dsar.law.tables import Table

ALL: Final = "all"
SHORTEST_MONTH: Final = 28
MARGIN: Final = "target_margin_days"
KINDS: Final[Mapping[str, str]] = MappingProxyType({
    "response": "response_days", "acknowledgement": "acknowledgement_days", "opt_out": "opt_out_days",
    "appeal": "appeal_days",
})  # fmt: skip
# Other clocks for which a promise stands too.
SAME: Final[Mapping[str, str]] = MappingProxyType({
    "complaint": "appeal", "grievance": "appeal", "complaint_ack": "acknowledgement",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised under one law: days by kind of clock, and the margin of the target (None: as the house has it)."""

    days: tuple[tuple[str, int], ...] = ()
    margin: int | None = None

    def of(self, kind: str) -> int:
        """The days promised for a kind of clock; 0 where nothing is."""
        return dict(self.days).get(SAME.get(kind, kind), 0)


def read(path: Path | None) -> Mapping[str, Promise]:
    """The promises in a file by regime id, and under "all". Raises RegimeFileError, also for what is laxer than a law."""
    if path is None:
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RegimeFileError(path.name, f"cannot be read ({type(error).__name__}: {error})") from error
    return parse(content, path.name)


def parse(content: Mapping[str, object], source: str) -> Mapping[str, Promise]:
    """The promises of a parsed file. Raises RegimeFileError naming the file, the key and what is wrong."""
    found: dict[str, Promise] = {}
    for name, facts in content.items():
        if name != ALL and name not in regimes.all_ids():
            raise RegimeFileError(source, f"{name}: is no law here; 'all' or one of {', '.join(regimes.all_ids())}")
        table = Table(source, name, facts)
        days = {kind: table.number(key, least=1, most=600) for kind, key in KINDS.items() if key in table.left}
        margin = table.number(MARGIN, most=60) if MARGIN in table.left else None
        table.done()
        if name != ALL:
            _not_laxer(regimes.load(name), days, table)
        found[name] = Promise(tuple(days.items()), margin)
    return MappingProxyType(found)


def for_law(promises: Mapping[str, Promise], regime: Regime) -> Promise:
    """What is promised under a law: its own entry before that for all."""
    own, everywhere = promises.get(regime.id, Promise()), promises.get(ALL, Promise())
    margin = everywhere.margin if own.margin is None else own.margin
    return Promise(tuple((dict(everywhere.days) | dict(own.days)).items()), margin)


def _not_laxer(regime: Regime, days: Mapping[str, int], table: Table) -> None:
    for kind, promised in days.items():
        for clock in regime.clocks:
            if SAME.get(clock.kind, clock.kind) == kind and promised > _least(clock):
                unit = clock.unit if clock.value > 1 else clock.unit.removesuffix("s")
                law = f"{clock.value} {'business ' if clock.days == 'business' else ''}{unit}"
                raise table.fail(
                    KINDS[kind],
                    f"{promised} days are laxer than the law ({law}, so at most {_least(clock)} days; {clock.citation})",
                )


def _least(clock: Clock) -> int:
    """The days that the law's period has at the least: a month may be February, a business day is a day."""
    return clock.value * SHORTEST_MONTH if clock.unit == "months" else clock.value
