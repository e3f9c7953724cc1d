"""Outcomes per category: written as a request ends, for letters, measures and whoever has to prove that it was handled
rightly (GDPR Art 12(4); 11 CCR 7101(a), 7102(a)). The sum stands on the request."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from dsar.datamap import loader
from dsar.enums import COPY_RIGHTS, CorrectionStatus, DecisionKind, Outcome, Right, StepKind
from dsar.models import CategoryOutcome, PrivacyRequest

DECIDED = (Outcome.GRANTED, Outcome.GRANTED_IN_PART, Outcome.DENIED)
DENYING = (DecisionKind.REFUSE, DecisionKind.NARROW, DecisionKind.DISPUTE_FOUNDED)
GONE = ("removed", "anonymised", "absent", "by_hand")


@dataclass(frozen=True)
class Line:
    """The outcome of one category for one reason."""

    category: str
    outcome: Outcome
    code: str = ""
    until: date | None = None
    review_on: date | None = None


def write(request: PrivacyRequest) -> None:
    """Note the outcomes of a request that ends now, in the transaction that ends it."""
    lines: dict[tuple[str, str, str], Line] = {}
    for line in of(request):
        place = (line.category, line.outcome.value, line.code)
        known = lines.get(place, line)
        until, review_on = _latest(known.until, line.until), _latest(known.review_on, line.review_on)
        lines[place] = Line(line.category, line.outcome, line.code, until, review_on)
    CategoryOutcome.objects.bulk_create(
        [
            CategoryOutcome(
                request=request, category=line.category, outcome=line.outcome, code=line.code, until=line.until,
                review_on=line.review_on,
            )
            for line in lines.values()
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def of(request: PrivacyRequest) -> Iterator[Line]:
    """The outcomes per category, as plan, steps and decisions say; none where nothing was decided about data (not proven,
    withdrawn, referred, nothing held), or nobody proved whose they are."""
    if request.outcome not in DECIDED or not request.right:
        return
    if request.right == Right.CORRECTION:
        yield from _corrected(request)
        return
    plan = request.plans.frozen().newest() or request.plans.newest()
    if plan is None or request.right == Right.HUMAN_REVIEW:
        return
    plan.request = request
    body = plan.body()
    if request.right == Right.DELETION:
        yield from _erased(request, body)
    else:
        yield from _done(request, body)


def _latest(one: date | None, other: date | None) -> date | None:
    return max(filter(None, (one, other)), default=None)


def _corrected(request: PrivacyRequest) -> Iterator[Line]:
    left = _left(request, DecisionKind.NOT_DONE)
    for field, status, code in request.corrections.order_by("pk").values_list("field", "status", "code"):
        accepted = status == CorrectionStatus.ACCEPTED and request.outcome != Outcome.DENIED
        why = code or _code(request) or min(left.values(), default="")
        yield Line(field, Outcome.GRANTED) if accepted else Line(field, Outcome.DENIED, why)


def _code(request: PrivacyRequest) -> str:
    """The reason of a denial as a whole."""
    found = request.decisions.filter(kind__in=DENYING).order_by("-pk").values_list("code", flat=True).first()
    return found or ""


def _erased(request: PrivacyRequest, body: dict[str, Any]) -> Iterator[Line]:
    """What went and what stays: as planned, and as the workers found it when they last looked."""
    denied = request.outcome == Outcome.DENIED
    why = _code(request) if denied else ""
    steps = [step for step in request.steps.all() if step.kind == StepKind.ERASE]
    went = {
        (step.source, tally["category"])
        for step in steps
        for tally in step.tallies
        if any(tally.get(name) for name in GONE)
    }
    for item in body.get("items", []):
        action, category = item["action"], item["category"]
        if action == "keep":
            yield Line(category, Outcome.DENIED, item["code"], _day(item.get("until")), _day(item.get("review_on")))
        elif action == "refer":
            yield Line(category, Outcome.REFERRED)
        elif denied and (item["source"], category) not in went:
            # What lies in backups alone goes, or stays, with what it is a copy of.
            if action != "backup":
                yield Line(category, Outcome.DENIED, why)
        else:
            yield Line(category, Outcome.GRANTED)
    for step in steps:
        for tally in step.tallies:
            if tally.get("kept") and tally.get("code"):
                until, review_on = _day(tally.get("until")), _day(tally.get("review_on"))
                yield Line(tally["category"], Outcome.DENIED, tally["code"], until, review_on)


def _done(request: PrivacyRequest, body: dict[str, Any]) -> Iterator[Line]:
    """A copy, an answer, a use that stopped: per category of each source, and what of it was left out and why."""
    failed = {step.source for step in request.steps.all() if any(tally.get("failed") for tally in step.tallies)}
    without = DecisionKind.GO_ON_WITHOUT if request.right in COPY_RIGHTS else DecisionKind.NOT_DONE
    left = {source: code for source, code in _left(request, without).items() if source in failed}
    redacted = _redacted(request)
    codes = {code for found in redacted.values() for code in found}
    why = ""
    if request.outcome == Outcome.DENIED:
        why = _code(request) or min(codes or left.values(), default="")
    for item in body.get("items", []):
        category = item["category"]
        if item["action"] == "backup":
            continue
        if item["action"] == "refer":
            yield Line(category, Outcome.REFERRED)
        elif request.outcome == Outcome.DENIED:
            own = {left.get(item["source"], why)}
            yield from (Line(category, Outcome.DENIED, code) for code in sorted(redacted.get(category, own)))
        elif item["source"] in failed:
            yield Line(category, Outcome.DENIED, left.get(item["source"], without.value.upper()))
        elif category in redacted:
            yield from (Line(category, Outcome.GRANTED_IN_PART, code) for code in sorted(redacted[category]))
        else:
            yield Line(category, Outcome.GRANTED)


def _left(request: PrivacyRequest, kind: DecisionKind) -> dict[str, str]:
    """Where something could not be done, or copied, and for which reason: the code by source."""
    said = request.decisions.filter(kind=kind).exclude(source="").order_by("pk")
    return dict(said.values_list("source", "code"))


def _redacted(request: PrivacyRequest) -> dict[str, set[str]]:
    """The reasons for which something was left out of a copy, by category; the table's name where the map forgot it."""
    described = loader.current().sources
    found: dict[str, set[str]] = {}
    for source, table, code in request.redactions.values_list("source", "table", "code").distinct():
        held = described.get(source)
        known = held.tables.get(table) if held else None
        found.setdefault(known.category if known else table, set()).add(code)
    return found


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
