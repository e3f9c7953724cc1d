"""A request as a page shows all of it: what hangs on it is read once, set by set, and what it has none of is not asked for.

An object from here is only shown. Nothing is decided from it: a verb locks its request anew (`workflow.lock`), and there
every question is asked of the database.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, prefetch_related_objects

from dsar.models.appeal import Appeal
from dsar.models.correction import Correction, Evidence
from dsar.models.decision import Decision
from dsar.models.fee import Fee
from dsar.models.identity_check import IdentityCheck
from dsar.models.kept import Kept
from dsar.models.law_change import LawChange
from dsar.models.non_disclosure import NonDisclosure
from dsar.models.once import once, only_shown
from dsar.models.owner_task import OwnerTask
from dsar.models.package import Redaction
from dsar.models.plan import Plan
from dsar.models.privacy_request import PrivacyRequest
from dsar.models.proposal import Proposal
from dsar.models.recipient_notice import RecipientNotice
from dsar.models.recusal import Recusal
from dsar.models.signed_confirmation import SignedConfirmation
from dsar.models.step import Step

Rows = QuerySet[Any]

# The sets that hang on a request or on its case, by the name of their relation; each row with what is named of it.
OF_REQUEST: Final[Mapping[str, Rows]] = {
    "appeals": Appeal.objects.all(),
    "corrections": Correction.objects.select_related("decided_by", "proposed_by"),
    "decisions": Decision.objects.select_related("decided_by", "second_by"),
    "evidence": Evidence.objects.defer("body_sealed"),
    "fees": Fee.objects.all(),
    "kept": Kept.objects.all(),
    "non_disclosures": NonDisclosure.objects.select_related("first_by", "second_by", "end_by", "redaction"),
    "proposals": Proposal.objects.select_related("proposed_by", "decided_by"),
    "redactions": Redaction.objects.all(),
    "recipients": RecipientNotice.objects.all(),
    "signed": SignedConfirmation.objects.select_related("filed_by", "plan"),
    "steps": Step.objects.all(),
}
OF_CASE: Final[Mapping[str, Rows]] = {
    "checks": IdentityCheck.objects.select_related("recorded_by", "confirmed_by"),
    "law_changes": LawChange.objects.select_related("decided_by"),
    "recusals": Recusal.objects.select_related("user", "named_by"),
    "requests": PrivacyRequest.objects.all(),
}
TASKS: Final = OwnerTask.objects.defer("file_sealed")


def whole(pk: int) -> PrivacyRequest:
    """The request with its case and all that hangs on both: one query, and one for each set that has any row at all. Raises
    DoesNotExist."""
    sets: dict[str, tuple[dict[str, OuterRef], Rows]] = {
        **{name: ({"request": OuterRef("pk")}, rows) for name, rows in OF_REQUEST.items()},
        **{f"case__{name}": ({"case": OuterRef("case_id")}, rows) for name, rows in OF_CASE.items()},
        "steps__owner_tasks": ({"step__request": OuterRef("pk")}, TASKS),
    }
    there = {f"has_{name}": Exists(rows.filter(**mine)) for name, (mine, rows) in sets.items()}
    known = PrivacyRequest.objects.select_related("case__representation", "assignee", "after__case", "opened_by")
    found = known.annotate(**there).get(pk=pk)
    # Of no rows nothing is asked, and the relation counts as read all the same.
    prefetch_related_objects(
        [found],
        *(
            Prefetch(name, rows.order_by("pk") if getattr(found, f"has_{name}") else rows.none())
            for name, (_mine, rows) in sets.items()
        ),
    )
    only_shown(found, found.case)
    return found


def newest_plan(request: PrivacyRequest) -> Plan | None:
    """The plan of the highest version; read once for a request that is only shown."""
    return once(request, "plan", request.plans.newest)
