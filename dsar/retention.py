"""Which rows the law lets the company keep, and until when (GDPR Art. 17(3), Cal. Civ. Code 1798.105(d)).

A rule of the data map counts only where its code is valid in the regime of the case, and so does what a person weighed: a
request may have come under another law since. A doubtful one makes the table a question for a person: never a silent
keep, never a silent erase.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Final, Literal

from dsar.datamap.orders import KeepRule, Scalar, TableOrder, add_months, until_for
from dsar.datamap.tables import Retention, TableMap
from dsar.law import codes

__all__ = [
    "Ask", "Erase", "Hold", "Keep", "Mask", "Verdict", "Weighed", "held", "hold_blocks", "keep_rule", "order_for",
    "until_for", "verdict",
]  # fmt: skip

REVIEW_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Erase:
    """Own rows go, except those a rule keeps."""

    keeps: tuple[KeepRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Mask:
    """Own rows stay without their personal columns, except those a rule keeps as they are."""

    columns: tuple[str, ...]
    keeps: tuple[KeepRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Keep:
    """All own rows stay. Exactly one of `until` (last day) and `review_on` is set."""

    code: str
    citation: str
    until: date | None
    review_on: date | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must decide. `reason`: code_not_valid, must_be_weighed (and the map names no weighing), no_end (the code
    needs a date on which it ends), no_reason. `code`: the code in question."""

    reason: Literal["code_not_valid", "must_be_weighed", "no_end", "no_reason"]
    code: str = ""


Verdict = Erase | Mask | Keep | Ask


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a person found on a doubtful reason of one request: that it holds, by which ground (code and article) and
    until which review, or that it does not and nothing stays for it. The ground holds in the laws that know it alone, and
    by the article that it has there."""

    holds: bool
    code: str = ""
    citation: str = ""
    review_on: date | None = None


NOTHING_WEIGHED: Final[Mapping[str, Weighed]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Hold:
    """The scope of a legal hold that is in force. Empty fields do not narrow it; `code` is its basis in law."""

    code: str
    citation: str
    source: str = ""
    categories: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    review_on: date | None = None


def verdict(
    table_map: TableMap, *, regime: str, today: date, weighed: Mapping[str, Weighed] = NOTHING_WEIGHED
) -> Verdict:
    """Return what is to happen to the person's own rows of a table, under one regime's law on one day.

    A rule with an anchor keeps a row exactly while its last day, counted from that anchor, is not before `today`.
    `weighed`: what a person found, by the code in doubt (empty: the map names no reason for keeping the whole table). What
    they found by a ground that this law does not know is asked about anew (Ask, with the code in doubt).
    """
    keeps, given_up = [], False
    for rule in table_map.retention:
        found, doubt = codes.valid(rule.code, regime), _doubt(rule, regime)
        said = weighed.get(rule.code) if doubt else None
        if doubt and said is None:
            return doubt
        if said is None:
            keeps.append(keep_rule(rule, found.citation if found else "", today))
        elif not said.holds:
            given_up = True
        elif (ground := codes.valid(said.code, regime)) is None:
            return Ask("code_not_valid", rule.code)
        else:
            keeps.append(replace(keep_rule(rule, ground.citation, today), code=ground.code, review_on=said.review_on))
    if table_map.disposal == "keep":
        return _whole(keeps, regime, weighed.get(""), given_up)
    if table_map.disposal == "mask":
        return Mask(table_map.personal, tuple(keeps))
    return Erase(tuple(keeps))


def _doubt(rule: Retention, regime: str) -> Ask | None:
    """Why a rule keeps nothing by itself under this law."""
    found = codes.valid(rule.code, regime)
    if found is None:
        return Ask("code_not_valid", rule.code)
    if found.weigh and not rule.weighed:
        return Ask("must_be_weighed", rule.code)
    if found.needs == "until" and rule.period is None:
        return Ask("no_end", rule.code)
    return None


def _whole(keeps: list[KeepRule], regime: str, said: Weighed | None, given_up: bool) -> Verdict:
    """The verdict on a table that the map keeps: whole by a reason that needs no look at its rows, or not at all once a
    person has given the reason up."""
    whole = [rule for rule in keeps if rule.column is None and not rule.when]
    if whole:
        return Keep(whole[0].code, whole[0].citation, None, whole[0].review_on)
    if said is not None and said.holds:
        ground = codes.valid(said.code, regime)
        return Keep(ground.code, ground.citation, None, said.review_on) if ground else Ask("code_not_valid")
    if said is not None or given_up:
        return Erase(tuple(keeps))
    return Ask("no_reason")


def keep_rule(rule: Retention, citation: str, today: date) -> KeepRule:
    """Return a rule of the data map as it stands on `today`: its period turned into a cutoff.

    Where no period can say when it ends, or a row's anchor is empty, somebody looks again after a year.
    """
    when: tuple[tuple[str, Scalar], ...] = tuple(sorted(rule.when.items()))
    period = rule.period
    return KeepRule(
        code=rule.code,
        citation=citation,
        column=rule.anchor,
        after=period.cutoff(today) if period else None,
        when=when,
        keep_columns=rule.keep_columns,
        period=period,
        review_on=add_months(today, REVIEW_MONTHS),
    )


def order_for(table: str, table_map: TableMap, found: Verdict) -> TableOrder:
    """Return the order that carries a verdict out. Raises ValueError for Ask: a person has to answer first."""
    if isinstance(found, Ask):
        raise ValueError(f"{table}: {found.reason} {found.code}".strip())
    if isinstance(found, Keep):
        rule = KeepRule(found.code, found.citation, review_on=found.review_on)
        return TableOrder(table, table_map.category, "keep", (rule,))
    if isinstance(found, Mask):
        return TableOrder(table, table_map.category, "mask", found.keeps, found.columns)
    return TableOrder(table, table_map.category, "erase", found.keeps)


def hold_blocks(holds: Iterable[Hold], order: TableOrder, source: str = "") -> tuple[Hold, ...]:
    """Return the holds whose scope covers a table of `source`. One is enough to leave its rows alone."""
    return tuple(
        hold
        for hold in holds
        if (not hold.source or not source or hold.source == source)
        and (not hold.categories or order.category in hold.categories)
        and (not hold.tables or order.table in hold.tables)
    )


def held(order: TableOrder, hold: Hold) -> TableOrder:
    """Return the order with everything kept by a hold, under the hold's own basis in law."""
    rule = KeepRule(hold.code, hold.citation, review_on=hold.review_on)
    return replace(order, disposal="keep", keeps=(rule,), columns_to_mask=())
