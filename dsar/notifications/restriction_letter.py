"""What letters say of restrictions and of decisions that were looked at again."""

from typing import Any

from dsar.enums import DecisionKind, Notice
from dsar.models import PrivacyRequest, Restriction

REVIEWED = (DecisionKind.REVIEWED_CHANGED, DecisionKind.REVIEWED_UPHELD)


def in_force(request: PrivacyRequest) -> bool:
    """Whether this request's data are restricted now."""
    return Restriction.objects.in_force().filter(request=request).exists()


def context(request: PrivacyRequest, notice: str) -> dict[str, Any]:
    """The day on which a restriction ends; or what a person decided anew, and why."""
    if notice == Notice.RESTRICTION_LIFTING:
        found = Restriction.objects.filter(request=request).first()
        return {"lifts_at": found.lifts_at if found else None}
    decision = request.decisions.filter(kind__in=REVIEWED).order_by("-pk").first()
    if decision is None:
        return {}
    return {
        "changed": decision.kind == DecisionKind.REVIEWED_CHANGED,
        "reviewed": True,
        "person_text": request.case.unseal(decision.text_sealed, "decision"),
    }
