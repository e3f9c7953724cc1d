"""What becomes of "this was not me": what two people found, what was gone by then, and what the confirmation had closed."""

from typing import Any

from django.db.models import Q

from dsar.enums import DecisionKind, Outcome
from dsar.models import PrivacyRequest
from dsar.notices import Notice

FINDINGS: dict[str, DecisionKind] = {
    Notice.DISPUTE_FOUNDED: DecisionKind.DISPUTE_FOUNDED,
    Notice.DISPUTE_UNFOUNDED: DecisionKind.DISPUTE_UNFOUNDED,
}


def context(request: PrivacyRequest, notice: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Both findings in their words; founded, what had gone (`items`) and which requests the confirmation had closed
    (`overtaken`): what else the plan meant to do does not happen any more."""
    # Two people agree, and what takes effect is theirs; findings of an earlier dispute stand before them.
    two = list(request.decisions.filter(kind=FINDINGS[notice]).order_by("-pk")[:2])
    said = [request.case.unseal(one.text_sealed, "decision") for one in reversed(two)]
    found: dict[str, Any] = {"person_text": "\n\n".join(filter(None, said))}
    if notice == Notice.DISPUTE_FOUNDED:
        found["items"] = [line for line in items if line["action"] in ("erased", "anonymised")]
        found["overtaken"] = _overtaken(request)
    return found


def _overtaken(request: PrivacyRequest) -> list[dict[str, str]]:
    if request.confirmed_at is None:
        return []
    mine = Q(case_id=request.case_id)
    if request.case.subject_id:
        mine |= Q(case__subject_id=request.case.subject_id)
    closed = PrivacyRequest.objects.filter(mine, outcome=Outcome.OVERTAKEN, ended_at__gte=request.confirmed_at)
    return [
        {"label": one.title, "reference": one.case.reference} for one in closed.select_related("case").order_by("pk")
    ]
