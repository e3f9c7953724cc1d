"""What a copy says of itself: per category purpose, basis, origin, recipients and period (GDPR Art 15(1)), and, as
plainly, what is not in it and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsar.connectors.base import SourceBroken
from dsar.connectors.registry import source_map
from dsar.datamap import loader
from dsar.datamap.schema import Category
from dsar.datamap.tables import Retention, TableMap
from dsar.enums import Right, StepKind, StepReason, StepStatus
from dsar.fulfilment import plan as plans
from dsar.fulfilment import spool
from dsar.fulfilment.by_hand import CopiedFile
from dsar.fulfilment.package_zip import Entry
from dsar.law import codes
from dsar.models import PrivacyRequest, Step
from dsar.notifications import report, undisclosed

# What can be carried elsewhere: given by the person, or observed as they used the service (GDPR Art 20(1), WP 242).
PORTABLE = ("provided", "observed")


def tables_given(request: PrivacyRequest) -> tuple[list[spool.Table], list[spool.Table]]:
    """The tables of the spool that belong into this request's package, and those that do not."""
    found = spool.tables(request)
    if request.right != Right.PORTABILITY:
        return found, []
    categories = loader.current().categories
    portable = [one for one in found if _described(categories, one.category).origin in PORTABLE]
    return portable, [one for one in found if one not in portable]


def without_silent(
    request: PrivacyRequest, given: list[spool.Table], others: list[spool.Table]
) -> tuple[list[spool.Table], list[spool.Table], Counter[tuple[str, str]]]:
    """The tables as the person may hear of them: without the rows that a law forbids to name, and without a table of which
    nothing else is there. And how many rows each of them has of that kind."""
    silent = Counter(undisclosed.hidden_rows(request).values())
    heard = [
        [
            replace(one, rows=one.rows - silent[one.source, one.table]) if named else one
            for one in tables
            if one.rows > silent[one.source, one.table]
        ]
        for tables, named in ((given, False), (others, True))
    ]
    return heard[0], heard[1], silent


def _described(categories: dict[str, Category], key: str) -> Category:
    return categories.get(key) or Category(label=key)


def manifest(
    request: PrivacyRequest, body: plans.Body, entries: list[Entry], not_portable: list[spool.Table],
    files: Sequence[CopiedFile],
) -> dict[str, Any]:  # fmt: skip
    """The manifest, once the data are written. Never a redacted value, and never a secret one."""
    case = request.case
    regime = case.law
    return {
        "format": 1,
        "company": settings.COMPANY_NAME,
        "contact": settings.PRIVACY_EMAIL,
        "reference": case.reference,
        "request": {
            "right": request.right,
            "right_label": str(Right(request.right).label),
            "asked_by": case.email,
            "asked_on": timezone.localdate(request.received_at).isoformat(),
            "law": str(regime.name),
            "law_id": case.regime,
        },
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "encoding": "UTF-8",
        "categories": _categories(request, entries),
        "held_but_never_given": _secrets(request, entries, not_portable),
        "left_out": _redactions(request),
        "not_portable": [
            {"category": one.category, "label": _(_described(loader.current().categories, one.category).label), "rows": one.rows}
            for one in not_portable
        ],
        "sources_that_failed": failed(request, body),
        "copied_by_hand": by_hand(request, body, files),
        "nothing_found_by_hand": nothing_by_hand(request, body),
        "backups": [
            {"category": item["category"], "label": _(item["label"]), "until": item["until"]}
            for item in undisclosed.visible(request, body)["items"] if item["action"] == "backup"
        ],
        "of_an_organisation": [
            {"category": item["category"], "label": _(item["label"]), "rows": item["count"]}
            for item in undisclosed.visible(request, body)["items"] if item["action"] == "refer"
        ],
    }  # fmt: skip


def _categories(request: PrivacyRequest, entries: list[Entry]) -> list[dict[str, Any]]:
    known = loader.current().categories
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        table = entry.table
        described = _described(known, table.category)
        category = found.setdefault(
            table.category,
            {
                "key": table.category, "label": _(described.label), "purpose": _said(described.purpose),
                "basis": _said(described.basis), "origin": described.origin, "source": _said(described.source),
                "recipients": [report.recipient_label(name) for name in described.recipients],
                "transfers": [_(words) for words in described.transfers], "automated": _said(described.automated),
                "retention": [_(described.kept)] if described.kept else [], "rows": 0, "tables": [],
            },
        )  # fmt: skip
        for words in retention_words(_map_of(table), request.case.regime, bool(described.kept)):
            if words not in category["retention"]:
                category["retention"].append(words)
        category["rows"] += entry.given
        category["tables"].append(
            {
                "source": table.source, "table": table.table, "columns": table.columns, "rows": entry.given,
                "rows_left_out": entry.left_out,
                "files": [
                    {"name": entry.json_name, "format": "JSON Lines" if entry.as_lines else "JSON"},
                    {"name": entry.csv_name, "format": "CSV"},
                ],
            }
        )  # fmt: skip
    return list(found.values())


def _said(text: str) -> str:
    return _(text) if text else ""


def _map_of(table: spool.Table) -> TableMap | None:
    try:
        return source_map(table.source).tables.get(table.table)
    except SourceBroken:
        return None


def retention_words(table: TableMap | None, regime: str, has_period: bool = False) -> list[str]:
    """How long rows of a table are kept, in sentences (GDPR Art 15(1)(d)); reasons that this law does not know keep
    nothing and are not told. `has_period`: the category says itself how long, where none of the reasons holds."""
    told = []
    for rule in table.retention if table else ():
        found = codes.valid(rule.code, regime)
        if found:
            told.append(f"{_period(rule)} {found.text} ({found.citation})".strip())
    if has_period:
        return told
    rest = _("As long as the account exists and the purpose lasts.")
    return [*told, _("Everything else: as long as the account exists and the purpose lasts.") if told else rest]


def _period(rule: Retention) -> str:
    parts = [
        ngettext("%(count)d year", "%(count)d years", rule.years or 0) % {"count": rule.years} if rule.years else "",
        ngettext("%(count)d month", "%(count)d months", rule.months or 0) % {"count": rule.months} if rule.months else "",
        ngettext("%(count)d day", "%(count)d days", rule.days or 0) % {"count": rule.days} if rule.days else "",
    ]  # fmt: skip
    said = ", ".join(part for part in parts if part)
    if not said:
        return ""
    if rule.counted_from == "financial_year_end":
        return _("%(period)s, counted from the end of the financial year.") % {"period": said}
    return _("%(period)s.") % {"period": said}


def _secrets(request: PrivacyRequest, entries: list[Entry], others: list[spool.Table]) -> list[dict[str, Any]]:
    """What is held and never given, named precisely (11 CCR 7024(d); GDPR Art 32)."""
    found = []
    # Of the tables that are not given at all these rows are taken out already.
    silent = Counter(undisclosed.hidden_rows(request).values())
    for table in [*(entry.table for entry in entries), *others]:
        if table in others:
            silent[table.source, table.table] = 0
        described = _map_of(table)
        hidden = [name for name, column in described.columns.items() if column.secret] if described else []
        if hidden:
            found.append(
                {
                    "source": table.source, "table": table.table, "category": table.category, "columns": hidden,
                    "rows": table.rows - silent[table.source, table.table],
                    "why": _("We hold this and do not give it out, because whoever has it could get into the account."),
                }
            )  # fmt: skip
    return found


def _redactions(request: PrivacyRequest) -> list[dict[str, Any]]:
    """How much was left out, of what kind, for which reason."""
    counted = Counter((one.source, one.table, one.column, one.code) for one in undisclosed.redactions(request))
    found = []
    for (source, table, column, code), number in sorted(counted.items()):
        reason = codes.redaction(code, request.case.law)
        found.append(
            {
                "source": source, "table": table, "what": "value" if column else "row", "column": column,
                "count": number, "code": code, "reason": str(reason.text) if reason else "",
                "citation": reason.citation if reason else "",
            }
        )  # fmt: skip
    return found


def _ended(request: PrivacyRequest, mark: str, value: int = 1) -> list[Step]:
    steps = [step for step in request.steps.all() if step.kind == StepKind.EXPORT and step.status == StepStatus.DONE]
    marked = [step for step in steps if any(tally.get(mark) == value for tally in step.tallies)]
    return sorted(marked, key=attrgetter("source"))


def _label(body: plans.Body, source: str) -> str:
    return str(body["sources"].get(source, {}).get("label") or source)


def failed(request: PrivacyRequest, body: plans.Body) -> list[dict[str, Any]]:
    """Sources that a person decided to go on without: what they hold is missing from the copy."""
    return [
        {
            "source": step.source, "label": _label(body, step.source), "code": step.reason,
            "reason": str(StepReason(step.reason).label) if step.reason else "",
            "rows_copied_before": sum(tally.get("copied", 0) for tally in step.tallies),
        }
        for step in _ended(request, "failed")
    ]  # fmt: skip


def by_hand(request: PrivacyRequest, body: plans.Body, files: Sequence[CopiedFile]) -> list[dict[str, Any]]:
    """Sources that no machine can read: a person copied them, and the copy lies in these files of the package."""
    return [
        {
            "source": step.source, "label": _label(body, step.source),
            "files": [one.name for one in files if one.source == step.source],
        }
        for step in _ended(request, "by_hand")
    ]  # fmt: skip


def nothing_by_hand(request: PrivacyRequest, body: plans.Body) -> list[dict[str, Any]]:
    """Sources in which a person looked and found nothing."""
    return [{"source": step.source, "label": _label(body, step.source)} for step in _ended(request, "by_hand", 0)]
