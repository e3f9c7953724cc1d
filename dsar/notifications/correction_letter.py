"""What the letter about a correction says: which fields, where, and why not. The values stay out of the mail."""

from typing import Any

from django.utils.translation import gettext as _

from dsar.datamap import loader
from dsar.enums import CorrectionStatus, Outcome, StepKind, StepStatus
from dsar.law import codes
from dsar.models import PrivacyRequest

# What a source that holds the field says of it: written, said so already, or written by a person.
WRITTEN = ("changed", "absent", "by_hand")


def corrected(request: PrivacyRequest) -> list[dict[str, Any]]:
    """Per field: label, done, where (sources), reason, citation, text (GDPR Art 12(4), 16)."""
    described = loader.current()
    sources = [
        described.sources[step.source]
        for step in request.steps.order_by("position", "pk")
        if step.kind == StepKind.RECTIFY and step.status == StepStatus.DONE and step.source in described.sources
        and any(tally.get(name) for tally in step.tallies for name in WRITTEN)
    ]  # fmt: skip
    lines = []
    for one in request.corrections.exclude(status=CorrectionStatus.PROPOSED).order_by("pk"):
        one.request = request
        field = described.fields.get(one.field)
        done = one.status == CorrectionStatus.ACCEPTED and request.outcome != Outcome.DENIED
        code = codes.named(one.code, request.case.law)
        here = [source for source in sources if one.field in source.correctable or source.connector == "manual"]
        lines.append(
            {
                "label": _(field.label) if field else one.field,
                "done": done,
                "where": ", ".join(_(source.label) for source in here) if done else "",
                "reason": str(code.text) if code and not done else "",
                "citation": one.citation,
                "text": one.text if not done else "",
            }
        )
    return lines
