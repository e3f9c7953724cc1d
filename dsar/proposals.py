"""Refusals that wait for their second person: written down, settled by the move that carries them out, withdrawn by
whatever else happens."""

from datetime import date, datetime
from typing import Final

from django.utils import timezone

from dsar import audit
from dsar.enums import DecisionKind, ProposalStatus, StepReason
from dsar.models import SYSTEM, Actor, Case, PrivacyRequest, Proposal

# Verbs that leave a proposal as it stands: they change nothing of what it is about.
LEAVE: Final = frozenset({"extend", "split", "dispute", "dismiss_dispute"})


def make(
    request: PrivacyRequest,
    kind: DecisionKind,
    code: str,
    citation: str,
    text: str,
    *,
    actor: Actor,
    keep: list[list[str]] | None = None,
    record: str = "",
    review_on: date | None = None,
) -> Proposal:
    """Write a proposal down, its words sealed. The caller has locked the request and checked that none stands."""
    case = request.case
    made = Proposal.objects.create(
        request=request, kind=kind, code=code, citation=citation, text_sealed=case.seal(text.strip()[:8000], "proposal"),
        keep=keep or [], record_sealed=case.seal(record.strip()[:8000], "proposal-record"), review_on=review_on,
        proposed_by_id=actor.user_id or 0,
    )  # fmt: skip
    audit.record(case, audit.Entry(f"{kind}_proposed", actor, request.pk, details={"code": code}))
    return made


def standing(request: PrivacyRequest) -> Proposal | None:
    """The proposal that waits for its second person, if any."""
    found = request.proposals.standing().select_related("proposed_by").first()
    if found:
        found.request = request
    return found


def go_on(request: PrivacyRequest) -> None:
    """Let the steps of a deletion go on that waited for the second person. The caller's transaction; it rings."""
    request.steps.filter(reason=StepReason.TO_CONFIRM).again()
    PrivacyRequest.objects.filter(pk=request.pk, attention=StepReason.TO_CONFIRM).update(attention="")


def settle(
    request: PrivacyRequest, verb: str, confirmed: Proposal | None, actor: Actor, now: datetime, *, same_person: bool
) -> list[audit.Entry]:
    """In the transaction of a move: the proposal that it carries out is confirmed, any other one is withdrawn. Returns what
    goes to the audit trail besides."""
    waiting = Proposal.objects.standing().filter(request=request)
    if confirmed is not None:
        waiting.filter(pk=confirmed.pk).update(
            status=ProposalStatus.CONFIRMED, decided_by_id=actor.user_id, decided_at=now, same_person=same_person
        )
        return []
    if verb in LEAVE or not waiting.update(status=ProposalStatus.WITHDRAWN, decided_at=now):
        return []
    return [audit.Entry("proposal_withdrawn", SYSTEM, request.pk)]


def facts_changed(case: Case) -> None:
    """The person wrote, or what they wish has changed: whoever confirms reads it first, so it is proposed anew. The caller
    has locked the case."""
    waiting = Proposal.objects.standing().filter(request__case=case)
    for one in waiting.select_related("request").order_by("request_id"):
        waiting.filter(pk=one.pk).update(status=ProposalStatus.WITHDRAWN, decided_at=timezone.now())
        audit.record(case, audit.Entry("proposal_withdrawn", SYSTEM, one.request_id))
        go_on(one.request)
