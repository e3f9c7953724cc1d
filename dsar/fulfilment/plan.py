"""What will be erased, masked and kept, per source: composed from what was located, the data map and the law.

The body of a plan is JSON:
  sources: {key: {label, status, ref, orders, closes, rotation_days}}   what each source is told to do
  items:   [{source, category, label, action, count, code, citation, reason, until, review_on}]   what people read
  money, flags, organisations, candidates           what stands beside it
  weighed: [{source, category, doubt, holds, code, citation, review_on}]   what a person found on doubtful reasons
`action` is erase, mask, keep, refer (an organisation's rows) or backup (goes by rotation).
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from dsar import retention
from dsar.connectors.base import Holding, Identity, Located, SourceError
from dsar.connectors.registry import connector, source_map
from dsar.datamap import loader
from dsar.datamap.orders import TableOrder
from dsar.datamap.schema import DataMap, SourceMap
from dsar.law import codes
from dsar.models import LegalHold, PrivacyRequest, Restriction, Source
from dsar.notifications import fates
from dsar.retention import Weighed

Body = dict[str, Any]
# By category and the code in doubt, within one source; and by source, category and code.
WeighedThere = Mapping[str, Mapping[str, Weighed]]
AllWeighed = dict[tuple[str, str, str], Weighed]
NOTHING_WEIGHED: WeighedThere = {}
ERASING = ("erase", "mask", "backup")


def orders_for(
    source: SourceMap, regime: str, today: date, weighed: WeighedThere = NOTHING_WEIGHED
) -> tuple[tuple[TableOrder, ...], list[str]]:
    """What the data map, the law and what people weighed (by category and doubt) say about each table on one day, and
    the codes that a person still has to weigh.

    A table whose rule the law does not know is kept until somebody has decided: doubt fails closed (law 5).
    """
    orders, doubts = [], []
    for name, table in source.tables.items():
        said = weighed.get(table.category, retention.NOTHING_WEIGHED)
        found = retention.verdict(table, regime=regime, today=today, weighed=said)
        if isinstance(found, retention.Ask):
            doubts.append(found.code or found.reason)
            found = retention.Keep(found.code, "", None, review_on=today + timedelta(days=30))
        orders.append(retention.order_for(name, table, found))
    return tuple(orders), doubts


def active_holds(email_index: str) -> list[LegalHold]:
    """Holds on a person, those that are being placed too."""
    if not email_index:
        return []
    return list(LegalHold.objects.in_force().filter(email_index=email_index).order_by("pk"))


def weighed_of(request: PrivacyRequest) -> AllWeighed:
    """What people weighed of a request; of one place the newest word counts."""
    return {
        (one.source, one.category, one.doubt): Weighed(one.holds, one.code, one.citation, one.review_on)
        for one in request.weighings.order_by("pk")
    }


def weighed_in(weighed: AllWeighed, source: str) -> WeighedThere:
    """The part of it that is about one source."""
    found: dict[str, dict[str, Weighed]] = {}
    for (key, category, doubt), one in weighed.items():
        if key == source:
            found.setdefault(category, {})[doubt] = one
    return found


def frozen_weighed(body: Body) -> AllWeighed:
    """What had been weighed when a plan was made."""
    return {
        (one["source"], one["category"], one["doubt"]): Weighed(
            one["holds"], one["code"], one["citation"],
            date.fromisoformat(one["review_on"]) if one["review_on"] else None,
        )
        for one in body.get("weighed", [])
    }  # fmt: skip


def marked(body: Body, silent: Collection[tuple[str, str, str]]) -> Body:
    """A plan in which the items that a law forbids to tell, (source, category, code), are marked so."""
    items = [
        {**{name: value for name, value in item.items() if name != "silent"}}
        | ({"silent": True} if (item["source"], item["category"], item["code"]) in silent else {})
        for item in body["items"]
    ]
    return {**body, "items": items}


def unweighed(body: Body) -> list[dict[str, Any]]:
    """What a plan keeps by no ground of this law, or by one that somebody must weigh first: nobody approves it so."""
    return [item for item in body.get("items", []) if item["action"] == "keep" and not item["citation"]]


def build(email: str, email_index: str, regime: str, today: date, weighed: AllWeighed | None = None) -> Body:
    """Ask every source of the data map and compose the plan. Reads only; a source that fails stands in the plan by the
    categories of the data map and never delays the others. `weighed`: what people found on doubtful reasons."""
    data_map = loader.current()
    held = active_holds(email_index)
    body: Body = {
        "regime": regime, "made_on": today.isoformat(), "sources": {}, "items": [], "money": None, "flags": [],
        "organisations": [], "candidates": [],
        "weighed": [
            {"source": source, "category": category, "doubt": doubt, "holds": one.holds, "code": one.code,
             "citation": one.citation, "review_on": one.review_on.isoformat() if one.review_on else None}
            for (source, category, doubt), one in (weighed or {}).items()
        ],
    }  # fmt: skip
    flags: set[str] = set()
    if held:
        flags.add("hold")
    if any(codes.valid(hold.code, regime) is None for hold in held):
        # Placed under another law: this one gives no ground for keeping, so that a person finds one or lifts it.
        flags.add("weigh")
    if Restriction.objects.of_index(email_index).exists():
        # Kept at the person's own wish: whoever approves makes sure that they want it gone now.
        flags.add("restriction")
    switched_off = set(Source.objects.filter(enabled=False).values_list("key", flat=True))
    for key in data_map.sources:
        source = source_map(key)
        orders, doubts = orders_for(source, regime, today, weighed_in(weighed or {}, key))
        if doubts:
            flags.add("weigh")
        for hold in held:
            if hold.covers(key):
                orders = tuple(hold_order(order, hold, regime) for order in orders)
        located, failure = _locate(key, email, orders, off=key in switched_off)
        flags.update(located.flags)
        if located.status == "several":
            flags.add("several_matches")
        body["sources"][key] = {
            "label": source.label, "status": located.status, "ref": located.ref, "failure": failure,
            "orders": [order.as_json() for order in orders], "rotation_days": source.rotation_days,
            "closes": bool(source.close),
        }  # fmt: skip
        body["items"] += items_of(data_map, key, source, located, today)
        if located.money:
            body["money"] = located.money.as_json()
        body["organisations"] += located.organisations
        body["candidates"] += [candidate.as_json() for candidate in located.candidates]
    if not anything_held(body):
        flags.clear()
    elif not any(item["action"] in ("erase", "mask") for item in body["items"]):
        flags.add("nothing_erasable")
    body["flags"] = sorted(flags)
    return body


def hold_order(order: TableOrder, hold: LegalHold, regime: str) -> TableOrder:
    """The order of a table under a hold: everything stays, by the hold's own basis in law."""
    found = codes.valid(hold.code, regime)
    return retention.held(
        order, retention.Hold(code=hold.code, citation=found.citation if found else "", review_on=hold.review_on)
    )


def _locate(key: str, email: str, orders: tuple[TableOrder, ...], *, off: bool) -> tuple[Located, str]:
    if off:
        return Located("unknown"), "source_off"
    try:
        return connector(key).locate(Identity(email), orders), ""
    except SourceError as error:
        return Located("unknown"), error.code


def anything_held(body: Body) -> bool:
    """Whether any source knows the person, or could not say."""
    return any(
        found["status"] in ("one", "several") or (found["status"] == "unknown" and found["failure"])
        for found in body["sources"].values()
    )


def failures(body: Body) -> dict[str, str]:
    """Sources that could not be asked, with the named reason."""
    return {key: found["failure"] for key, found in body["sources"].items() if found["failure"]}


def items_of(data_map: DataMap, key: str, source: SourceMap, located: Located, today: date) -> list[dict[str, Any]]:
    """What one source holds, as the items of a plan."""
    if located.status == "none":
        return []
    if located.status == "unknown":
        # A source that cannot be asked now stands in the plan by its categories.
        until = today + timedelta(days=source.rotation_days) if source.rotation_days else None
        action = "backup" if source.rotation_days else "erase"
        return [
            _item(key, category, data_map, action, None, until=until.isoformat() if until else None)
            for category in source.used_categories
        ]
    return _merge([item for holding in located.holdings for item in _of_holding(data_map, key, holding)])


def _of_holding(data_map: DataMap, key: str, holding: Holding) -> list[dict[str, Any]]:
    if holding.owner == "organisation":
        return [_item(key, holding.category, data_map, "refer", holding.keep)] if holding.keep else []
    found = []
    if holding.erase:
        found.append(_item(key, holding.category, data_map, "erase", holding.erase))
    if holding.mask and not holding.code:
        found.append(_item(key, holding.category, data_map, "mask", holding.mask))
    if holding.keep or (holding.mask and holding.code):
        found.append(
            _item(
                key, holding.category, data_map, "keep", holding.keep or holding.mask, code=holding.code,
                citation=holding.citation, until=holding.until.isoformat() if holding.until else None,
                review_on=holding.review_on.isoformat() if holding.review_on else None,
            )
        )  # fmt: skip
    return found


def _item(
    source: str,
    category: str,
    data_map: DataMap,
    action: str,
    count: int | None,
    *,
    code: str = "",
    citation: str = "",
    until: str | None = None,
    review_on: str | None = None,
) -> dict[str, Any]:
    described = data_map.categories.get(category)
    return {
        "source": source, "category": category, "label": described.label if described else category, "action": action,
        "count": count, "code": code, "citation": citation, "until": until, "review_on": review_on,
    }  # fmt: skip


def _merge(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line per category, action and reason, however many tables it spans; the latest date counts."""
    merged: dict[tuple[str, ...], dict[str, Any]] = {}
    for item in items:
        line = merged.setdefault((item["source"], item["category"], item["action"], item["code"]), {**item, "count": 0})
        line["count"] += item["count"] or 0
        line["until"] = max(filter(None, (line["until"], item["until"])), default=None)
    return list(merged.values())


def digest(body: Body) -> str:
    """SHA-256 over what is material: sources, categories, fates, reasons, cost. Row counts and dates of the look-up
    are not: a new log line does not ask the person again."""
    return hashlib.sha256(material(body).encode()).hexdigest()


def material(body: Body) -> str:
    """What the digest of a plan covers, as JSON."""
    money = body["money"] or {}
    covered = {
        "regime": body["regime"],
        # What is not told is nothing that the person confirms, and changes nothing that they are asked again about.
        "items": sorted(
            [item["source"], item["category"], item["action"], item["code"]]
            for item in body["items"]
            if not item.get("silent")
        ),
        "refs": {key: found["ref"] for key, found in body["sources"].items()},
        "cost": [
            bool(money.get("lost_cents")),
            sorted(money.get("lost_reasons") or []),
            bool(money.get("refund_cents")),
        ],
        "organisations": sorted(map(str, body["organisations"])),
    }
    return json.dumps(covered, sort_keys=True)


def frozen_orders(body: Body, source: str) -> tuple[TableOrder, ...]:
    """The orders that the plan gives one source."""
    return tuple(TableOrder.from_json(order) for order in body["sources"][source]["orders"])


def shape(orders: Iterable[TableOrder]) -> list[tuple[Any, ...]]:
    """What orders say apart from their day: disposals, codes, conditions. Two of the same shape differ in dates alone."""
    return sorted(
        (
            order.table, order.disposal, order.columns_to_mask,
            tuple((rule.code, rule.column, rule.when, rule.keep_columns, rule.period) for rule in order.keeps),
        )
        for order in orders
    )  # fmt: skip


def narrowed(body: Body, keep: set[tuple[str, str]], *, code: str, citation: str, review_on: date) -> Body:
    """The plan with some (source, category) pairs kept after all. It only ever shrinks what is erased (law 3)."""
    made: Body = json.loads(json.dumps(body))
    for item in made["items"]:
        if item["action"] in ERASING and (item["source"], item["category"]) in keep:
            item |= {
                "action": "keep",
                "code": code,
                "citation": citation,
                "review_on": review_on.isoformat(),
                "until": None,
            }
    for key, found in made["sources"].items():
        orders = []
        for order in frozen_orders(body, key):
            if (key, order.category) in keep:
                hold = retention.Hold(code=code, citation=citation, review_on=review_on)
                orders.append(retention.held(order, hold).as_json())
            else:
                orders.append(order.as_json())
        found["orders"] = orders
        found["untouched"] = {order["disposal"] for order in orders} == {"keep"} and bool(orders)
    made["items"] = _merge(made["items"])
    return made


def erases_anything(body: Body) -> bool:
    """Whether anything is left to erase."""
    return any(item["action"] in ERASING for item in body["items"])


def summary(body: Body) -> dict[str, Any]:
    """The plan as pages show it (templates/includes/plan.html)."""
    items = []
    for item in body.get("items", []):
        line = {**item, "label": _(item["label"]), "reason": fates.why(item, body), "until": None, "review_on": None}
        if item["action"] == "keep":
            # Backups turn from the deletion on, and it has no day yet.
            fates.later(line, item)
        items.append(line)
    totals = {
        action: sum(item["count"] or 0 for item in items if item["action"] == action)
        for action in ("erase", "mask", "keep")
    }
    return {"items": items, "totals": totals, "kept": [item for item in items if item["action"] == "keep"]}
