"""What no letter, page or file says to the person, because a law forbids it: everything for them goes through here.

Each letter carries the same neutral sentence (templates/email/parts/neutral), whether there is anything of the kind or not.
"""

from typing import Any

from dsar.enums import COPY_RIGHTS, DecisionKind, Outcome, Right, SilenceKind
from dsar.models import Decision, PrivacyRequest, Redaction
from dsar.models.once import once

Places = frozenset[tuple[str, str, str]]


def places(request: PrivacyRequest) -> Places:
    """What is kept and not told: (source, category, code). With the reason of a deletion that was refused as a whole that is
    all that its plans keep: each of it is a reason. A reason found later for what is kept in silence is not told either: it
    would say that something is kept."""
    return once(request, "untold_places", lambda: _places(request))


def _places(request: PrivacyRequest) -> Places:
    standing = request.non_disclosures.standing()
    found, refused = set(), False
    for kind, source, category, code, decided in standing.values_list(
        "kind", "source", "category", "code", "decision__kind"
    ):
        if kind == SilenceKind.KEPT:
            found.add((source, category, code))
        refused = refused or (kind == SilenceKind.REFUSAL and decided == DecisionKind.REFUSE)
    silent = {(source, category) for source, category, _code in found}
    later = [one for one in request.kept.all() if one.found_later] if silent else []
    found |= {(one.source, one.category, one.code) for one in later if (one.source, one.category) in silent}
    for plan in request.plans.all() if refused and request.right == Right.DELETION else ():
        plan.request = request
        kept = [item for item in plan.body().get("items", []) if item["action"] == "keep"]
        found |= {(item["source"], item["category"], item["code"]) for item in kept}
    return frozenset(found)


def visible(request: PrivacyRequest, body: dict[str, Any]) -> dict[str, Any]:
    """The body of a plan as its person may see it: without the items that are not told."""
    hidden = places(request) if body else frozenset()
    if not hidden:
        return body
    items = [item for item in body["items"] if (item["source"], item["category"], item["code"]) not in hidden]
    return {**body, "items": items}


def redactions(request: PrivacyRequest) -> list[Redaction]:
    """What was left out of a copy and may be told, oldest first."""
    hidden = set(hidden_rows(request))
    return [one for one in sorted(request.redactions.all(), key=lambda one: one.pk) if one.pk not in hidden]


def hidden_rows(request: PrivacyRequest) -> dict[int, tuple[str, str]]:
    """The whole rows that were left out and are not told: key of the redaction to (source, table)."""
    found = request.non_disclosures.standing().filter(kind=SilenceKind.ROW)
    rows = found.values_list("redaction_id", "redaction__source", "redaction__table")
    return {pk: (source, table) for pk, source, table in rows if pk is not None}


def is_silent(decision: Decision) -> bool:
    """Whether the reason of this decision is not told; another one of the same request stands for itself."""
    if decision.kind not in (DecisionKind.REFUSE, DecisionKind.NARROW):
        return False
    return decision.pk is not None and decision.non_disclosures.standing().exists()


def categories(request: PrivacyRequest, hidden: Places) -> list[tuple[str, str, str]]:
    """The outcomes per category (category, outcome, code) without those that are not told."""
    untold = {(category, code) for _source, category, code in hidden}
    found = request.category_outcomes.order_by("pk").values_list("category", "outcome", "code")
    return [one for one in found if (one[0], one[2]) not in untold]


def outcome_told(request: PrivacyRequest) -> str:
    """The outcome as the person may hear it: what is granted but for something that is not told is granted."""
    if request.outcome != Outcome.GRANTED_IN_PART or not request.non_disclosures.standing().exists():
        return request.outcome
    steps = list(request.steps.all())
    failed = any(tally.get("failed") for step in steps for tally in step.tallies)
    if request.right == Right.DELETION:
        hidden = places(request)
        plan = request.plans.newest()
        if plan is None:
            return request.outcome
        plan.request = request
        body = plan.body()
        # After a purge the plan is empty; what was noted of each category as it ended stays.
        partly = (
            any(item["action"] in ("keep", "refer") for item in visible(request, body)["items"])
            if body
            else any(outcome != Outcome.GRANTED for _category, outcome, _code in categories(request, hidden))
        ) or any(
            tally.get("kept") and (step.source, tally["category"], tally.get("code", "")) not in hidden
            for step in steps
            for tally in step.tallies
        )
    elif request.right in COPY_RIGHTS:
        partly = bool(redactions(request))
    else:
        return request.outcome
    return request.outcome if partly or failed else Outcome.GRANTED.value
