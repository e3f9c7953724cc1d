"""Refusals that wait for their second person: written down, settled by the move that carries them out, withdrawn by
whatever else happens, and whatever the person says. What would keep more of a deletion stands through their words: it is
what stops the workers."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit
from dsar.enums import COPY_RIGHTS, DecisionKind, ProposalStatus, SilenceKind, State, StepReason, StepStatus
from dsar.models import SYSTEM, Actor, AuditEvent, Case, NonDisclosure, PrivacyRequest, Proposal, Step
from dsar.models.non_disclosure import COULD_TELL, LONGEST_DAYS, SILENT_ELSEWHERE
from dsar.models.unanswered import HEARD

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
    forbidden_by: str = "",
    forbidden_until: date | None = None,
    step: Step | None = None,
) -> Proposal:
    """Write a proposal down, its words sealed. The caller has locked the request and checked that none stands."""
    case = request.case
    made = Proposal.objects.create(
        request=request, kind=kind, code=code, citation=citation, text_sealed=case.seal(text.strip()[:8000], "proposal"),
        keep=keep or [], record_sealed=case.seal(record.strip()[:8000], "proposal-record"), review_on=review_on,
        proposed_by_id=actor.user_id or 0, forbidden_by=forbidden_by.strip()[:200],
        forbidden_until=forbidden_until if forbidden_by.strip() else None, step=step,
    )  # fmt: skip
    audit.record(case, audit.Entry(f"{kind}_proposed", actor, request.pk, details={"code": code}))
    return made


def standing(request: PrivacyRequest) -> Proposal | None:
    """The proposal that waits for its second person, if any."""
    found = next((one for one in request.proposals.all() if one.is_standing), None)
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
        confirm(confirmed, actor, now, same_person=same_person)
        return []
    if verb in LEAVE or not waiting.update(status=ProposalStatus.WITHDRAWN, decided_at=now):
        return []
    return [audit.Entry("proposal_withdrawn", SYSTEM, request.pk)]


def confirm(proposal: Proposal, actor: Actor, now: datetime, *, same_person: bool) -> None:
    """Note that a proposal is confirmed. In the transaction that carries it out."""
    Proposal.objects.standing().filter(pk=proposal.pk).update(
        status=ProposalStatus.CONFIRMED, decided_by_id=actor.user_id, decided_at=now, same_person=same_person
    )


def nothing_to_leave(request: PrivacyRequest) -> None:
    """Withdraw the proposal to leave a step undone that does not wait for a person any more: it was done, or is tried
    again. The caller has locked the request."""
    waiting = Proposal.objects.standing().filter(request=request, kind=DecisionKind.NOT_DONE)
    if waiting.exclude(step__status=StepStatus.BLOCKED).update(
        status=ProposalStatus.WITHDRAWN, decided_at=timezone.now()
    ):
        audit.record(request.case, audit.Entry("proposal_withdrawn", SYSTEM, request.pk))


def heard(case: Case, *entries: audit.Entry) -> None:
    """Note in the trail what the person says, on whatever way it comes (HEARD): what is proposed was proposed without it.
    The caller has locked the case. Raises ValueError for what is nothing that a person says."""
    if not HEARD.issuperset(entry.what for entry in entries):
        raise ValueError("heard")
    audit.record(case, *entries)
    facts_changed(case)


def facts_changed(case: Case) -> None:
    """The person wrote, what they wish has changed, or the law: whoever confirms reads it first, so a refusal is proposed
    anew. A narrowing stands: withdrawn, it would let the workers erase what two people are about to keep (law 5). The
    caller has locked the case."""
    waiting = Proposal.objects.standing().filter(request__case=case).exclude(kind=DecisionKind.NARROW)
    for one in waiting.select_related("request").order_by("request_id"):
        waiting.filter(pk=one.pk).update(status=ProposalStatus.WITHDRAWN, decided_at=timezone.now())
        audit.record(case, audit.Entry("proposal_withdrawn", SYSTEM, one.request_id))
        go_on(one.request)


def said_since(proposal: Proposal) -> int:
    """How many times the person has said something (HEARD) since this was proposed. Whoever confirms what stands through
    their words sends back the number that their page showed: nobody confirms what they could not know."""
    trail = AuditEvent.objects.filter(chain=proposal.request.case.chain)
    made = trail.filter(what=f"{proposal.kind}_proposed", request_id=proposal.request_id).order_by("-number")
    return trail.filter(what__in=HEARD, number__gt=made.values("number")[:1]).count()


# --- what the law forbids to tell -------------------------------------------------------------------------------------


def forbidden_problem(citation: str, review_on: date | None) -> str:
    """What is wrong, in words, where no law is named that forbids to tell something, or the day on which two people look
    again is not within 90 days; empty where nothing is."""
    if not citation.strip():
        return _("Please name the law that forbids to tell it.")
    if review_on is None or not 0 < (review_on - timezone.localdate()).days <= LONGEST_DAYS:
        return _("Please choose the day on which two people look again, within 90 days.")
    return ""


def note_silence(request: PrivacyRequest, what: str, one: NonDisclosure, actor: Actor) -> None:
    """Write to the trail what was found about something that may not be told. The caller's transaction."""
    details = {"code": one.code, "kind": one.kind} | ({"same_person": True} if one.same_person else {})
    audit.record(request.case, audit.Entry(what, actor, request.pk, details=details))


def warn_others(request: PrivacyRequest) -> None:
    """Something of this request is not told from now on: what else the same person has with us for decision or for checking
    is flagged, so that whoever decides it sees so first. What is still looked for is flagged at its end (locating.py). The
    caller has locked the request."""
    case = request.case
    theirs = Q(case=case.pk) | Q(case__subject=case.subject_id) if case.subject_id else Q(case=case.pk)
    here = Q(state__in=(State.REVIEW, State.CLARIFYING)) | Q(
        state__in=(State.FULFILLING, State.CHECKING), right__in=COPY_RIGHTS
    )
    others = PrivacyRequest.objects.filter(theirs, here, right__in=COULD_TELL).exclude(pk=request.pk)
    for one in others.select_for_update(of=("self",)).order_by("pk"):
        flags = sorted({*one.judgement, SILENT_ELSEWHERE})
        PrivacyRequest.objects.filter(pk=one.pk).update(judgement=flags)


def keep_in_silence(request: PrivacyRequest, proposal: Proposal, actor: Actor, *, same_person: bool) -> None:
    """Say nothing of what a narrowing, confirmed now, keeps, where a law forbids it. In the transaction of the confirmation,
    before the plan is stored."""
    for source, category in proposal.keep:
        _in_silence(request, proposal, actor, same_person, kind=SilenceKind.KEPT, source=source, category=category)


def refuse_in_silence(request: PrivacyRequest, proposal: Proposal, actor: Actor, *, same_person: bool) -> None:
    """Say nothing of the reason of the refusal or narrowing that was decided just now, where a law forbids it; no other
    decision is silent by that. In the transaction of the confirmation, after the move."""
    decision = request.decisions.filter(kind=proposal.kind).latest("pk")
    _in_silence(request, proposal, actor, same_person, kind=SilenceKind.REFUSAL, decision=decision)


def _in_silence(request: PrivacyRequest, proposal: Proposal, actor: Actor, same_person: bool, **what: Any) -> None:
    if not proposal.forbidden_by or proposal.forbidden_until is None:
        return
    now = timezone.now()
    one = NonDisclosure(
        request=request, code=proposal.code, citation=proposal.forbidden_by, text_sealed=None,
        first_by_id=proposal.proposed_by_id, first_at=proposal.proposed_at, second_by_id=actor.user_id, second_at=now,
        since=timezone.localdate(now), same_person=same_person,
        review_on=min(proposal.forbidden_until, timezone.localdate(now) + timedelta(days=LONGEST_DAYS)), **what,
    )  # fmt: skip
    one.save(force_insert=True)
    note_silence(request, "silence_confirmed", one, actor)
    warn_others(request)
