"""What is held about a person, why, from where, for whom and how long: the answer to a request to know.

Composed from the frozen plan and the data map (GDPR Art 13-15(1)(a)-(h), Cal. Civ. Code 1798.110, 11 CCR 7024(k)). It
describes; no value of any record stands in it.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import keys
from dsar.datamap import loader
from dsar.datamap.schema import DataMap
from dsar.enums import RecipientStatus, Right
from dsar.law.regimes import Regime
from dsar.models import Case, PrivacyRequest, RecipientNotice, Tombstone
from dsar.notifications import fates

Line = dict[str, Any]


def of_plan(body: dict[str, Any], law: Regime) -> dict[str, Any]:
    """The report: `lines` per category that is held (see `_line`), and what holds for all of them."""
    data_map = loader.current()
    lines: dict[str, Line] = {}
    for item in body.get("items", []):
        line = lines.setdefault(item["category"], _line(item, data_map))
        _add(line, item, body)
    company = data_map.company
    return {
        "lines": sorted(lines.values(), key=lambda line: (not line["certain"], str(line["label"]))),
        "automated": _(company.automated) if company.automated else "",
        "sale": _(company.sale) if company.sale else "",
        "controller": ", ".join(filter(None, (company.name or settings.COMPANY_NAME, company.address))),
        "dpo": company.dpo,
        "representative": company.representative,
        "rights": [Right(right).label for right in law.rights if right != Right.KNOW],
    }


def _line(item: Line, data_map: DataMap) -> Line:
    """One category: label, purpose, basis, source, recipients, transfers, automated and kept in words; `held` in which
    systems; `certain` unless no system and no person could say; `searched` unless it lies in backups alone;
    `must` as (reason, citation, until); `organisation`."""
    found = data_map.categories.get(item["category"])
    line: Line = {
        "label": _(item["label"]), "held": [], "certain": False, "searched": False, "must": [], "organisation": False,
        "backup": None, "purpose": "", "basis": "", "source": "", "kept": "", "automated": "", "recipients": [], "transfers": [],
        "sold_to": [],
    }  # fmt: skip
    if found:
        line |= {
            name: _(text)
            for name in ("purpose", "basis", "source", "kept", "automated")
            if (text := getattr(found, name))
        }
        line["transfers"] = [_(text) for text in found.transfers]
        line["recipients"] = [recipient_label(name, data_map) for name in found.recipients]
        line["sold_to"] = [
            _(data_map.recipients[name].label)
            for name in found.recipients
            if name in data_map.recipients and data_map.recipients[name].sale
        ]
    return line


def told(requests: Iterable[PrivacyRequest]) -> list[Line]:
    """The recipients that were told of these requests, or could not be, and why (GDPR Art 19, second sentence)."""
    found = RecipientNotice.objects.filter(request__in=requests).select_related("request__case").order_by("at", "pk")
    return [
        {
            "label": recipient_label(one.recipient), "right": Right(one.request.right).label,
            "status": one.get_status_display(), "text": one.request.case.unseal(one.text_sealed, "recipient"),
            "at": None if one.status == RecipientStatus.QUEUED else one.at.date(),
        }
        for one in found
    ]  # fmt: skip


def recipient_label(name: str, data_map: DataMap | None = None) -> str:
    """How a recipient that a category names is called: by its label, or by the words that stand there."""
    known = (data_map or loader.current()).recipients.get(name)
    return _(known.label if known else name)


def _add(line: Line, item: Line, body: dict[str, Any]) -> None:
    label = _(body["sources"].get(item["source"], {}).get("label", item["source"]))
    if label not in line["held"]:
        line["held"].append(label)
    line["certain"] = line["certain"] or item["count"] is not None or item.get("looked", False)
    line["searched"] = line["searched"] or item["action"] != "backup"
    if item["action"] == "refer":
        line["organisation"] = True
    elif item["action"] == "backup":
        line["backup"] = _day(item["until"])
    elif item["action"] == "keep":
        line["must"].append(_must(item, body["regime"]))


def _must(item: Line, regime_id: str) -> Line:
    line = {"reason": fates.kept_for(item["code"], regime_id), "citation": item["citation"]}
    fates.later(line, item)
    return line


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def mark_until(case: Case) -> date | None:
    """The last day of the coded mark of a case's address; None where there is none (any more)."""
    marks = Tombstone.objects.filter(source="email", index=keys.tombstone_index("email", case.email))
    standing = marks.filter(expires_on__gte=timezone.localdate())
    return standing.order_by("-expires_on").values_list("expires_on", flat=True).first()
