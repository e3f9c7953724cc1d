"""What letters say of restrictions and of decisions that were looked at again."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from dsar.enums import DecisionKind, Right, StepKind
from dsar.models import PrivacyRequest, Restriction
from dsar.notices import Notice

REVIEWED = (DecisionKind.REVIEWED_CHANGED, DecisionKind.REVIEWED_UPHELD)


# The letters that end an objection, or a restriction that was stopped in the middle, without granting it. Each
# says that the use goes on, before it does (Art 18(3)).
ENDINGS = (Notice.REFUSED, Notice.WITHDRAWN, Notice.REFERRED, Notice.UNANSWERED, Notice.NOT_PROVEN)


def ending(request: PrivacyRequest, notice: str) -> dict[str, Any]:
    """Whether this letter ends what was restricted meanwhile; of a correction, whether something of it was written before it
    was stopped, so that the letter does not say that nothing was changed."""
    if notice in ENDINGS and request.right == Right.CORRECTION:
        return {"written": request.steps.filter(kind=StepKind.RECTIFY, token__gt=0).exists()}
    if notice not in ENDINGS or request.right not in (Right.OBJECTION, Right.RESTRICTION):
        return {}
    return {"restriction_ends": Restriction.objects.in_force().filter(request=request).exists()}


def context(request: PrivacyRequest, notice: str) -> dict[str, Any]:
    """The day on which a restriction ends; or what a person decided anew, and why."""
    if notice == Notice.RESTRICTION_LIFTING:
        # The notice runs from the sending of the letter (fulfilment/restricting.py), which is now.
        return {"lifts_at": timezone.now() + settings.RESTRICTION_NOTICE}
    decision = request.decisions.filter(kind__in=REVIEWED).order_by("-pk").first()
    if decision is None:
        return {}
    return {
        "changed": decision.kind == DecisionKind.REVIEWED_CHANGED,
        "reviewed": True,
        "person_text": request.case.unseal(decision.text_sealed, "decision"),
    }
