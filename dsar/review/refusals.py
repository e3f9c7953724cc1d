"""Refusing takes two people: one proposes it with its reason, another one confirms it or sends it back (four eyes).

Nothing moves and no letter leaves before the second; the clock runs.
"""

from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, bell, proposals
from dsar.enums import DecisionKind, Lane, Outcome, ProposalStatus, Right, SecondLook, State
from dsar.law import codes
from dsar.models import Actor, PrivacyRequest, Proposal
from dsar.models.request_conditions import look_at_proposal, may_be_referred_by_one
from dsar.review import decide, repeats
from dsar.workflow import Because, Conflict, Forbidden, Inside, Invalid, lock, move

OPEN = (State.TRIAGE, State.REVIEW)


def may_propose(request: PrivacyRequest) -> bool:
    """Whether a refusal can be proposed now: one stands at a time."""
    return request.state in OPEN and proposals.standing(request) is None


def propose(
    pk: int,
    code: str,
    text: str,
    *,
    actor: Actor,
    facts: str = "",
    forbidden_by: str = "",
    forbidden_until: date | None = None,
) -> Proposal:
    """Propose to refuse by a code of the law's catalogue and a text that the person would read (GDPR Art 12(4)). `facts`:
    what the company has to show for some reasons (repeats.show), for the record and not for the person. `forbidden_by`: the
    law that forbids to tell the reason of a denial, looked at again on `forbidden_until`; then both are approvers, and the
    letter says nothing of it, nor of what is kept or which field stays as it is.

    A handler or an approver. Raises Invalid, Conflict (another state, or one stands), Forbidden.
    """
    if not actor.is_handler or actor.user_id is None:
        raise Forbidden("refuse")
    if forbidden_by.strip() and not actor.is_approver:
        raise Invalid(_("What may not be told takes two approvers. Please ask one to propose it."))
    problem = proposals.forbidden_problem(forbidden_by, forbidden_until) if forbidden_by.strip() else ""
    if problem:
        raise Invalid(problem)
    with transaction.atomic():
        request = lock(pk)
        if not may_propose(request):
            raise Conflict("refuse")
        found = _valid(request, code, forbidden_by)
        repeats.check(request, found, facts)
        said = decide.text_of(text, _("the reason in your own words"))
        return proposals.make(
            request,
            DecisionKind.REFUSE,
            found.code,
            found.citation,
            said,
            actor=actor,
            record=facts,
            forbidden_by=forbidden_by,
            forbidden_until=forbidden_until,
        )


def may_propose_referral(request: PrivacyRequest) -> bool:
    """Whether two people can send the person to somebody else now, and one cannot."""
    return not may_be_referred_by_one(request) and may_propose(request)


def propose_referral(pk: int, to_whom: str, *, actor: Actor) -> Proposal:
    """Propose to end it with the name of the one who can answer (an organisation, another controller): a refusal by that
    reason. Raises as `propose` does."""
    return propose(pk, decide.NOT_OURS, decide.text_of(to_whom, _("to whom the person should turn")), actor=actor)


def _valid(request: PrivacyRequest, code: str, forbidden_by: str) -> codes.Code:
    """The reason as it stands in the law of this request today; only a denial can be silent. Raises Invalid."""
    found = codes.refusal(code, request.case.law, request.right or Right.KNOW)
    if found is None:
        raise Invalid(_("This reason is not valid for this right under this law. Please choose one from the list."))
    if forbidden_by.strip() and found.outcome != Outcome.DENIED:
        # These letters are their reason: who can answer instead, that nobody showed who asks.
        raise Invalid(_("The letter that goes with this reason cannot leave it out. Please choose another reason."))
    if found.code == codes.EXEMPT:
        decide.exempt_as_a_whole(request)
    return found


def confirm(pk: int, *, actor: Actor, seen: int) -> PrivacyRequest:
    """Confirm what somebody else proposed: it happens now, and the letter goes. `seen` is the proposal that was read.

    Approvers alone. Raises Invalid (the reason holds no more), Conflict (nothing stands, or another one), Forbidden
    (who proposed it; see models/two_people.py).
    """
    with transaction.atomic():
        request = lock(pk)
        proposal = _of(request, seen, DecisionKind.REFUSE)
        look = look_at_proposal(request, actor)
        if not actor.is_approver or not look.counts:
            raise Forbidden("refuse")
        found = _valid(request, proposal.code, proposal.forbidden_by)
        because = Because(
            DecisionKind.REFUSE, found.code, found.citation, proposal.text, same_person=look == SecondLook.ALONE,
            proposal=proposal,
        )  # fmt: skip
        inside = Inside(request)
        repeats.show(request, found, proposal.record, actor, proposal)
        refused = move(pk, "refuse", actor=actor, because=because, inside=inside)
        proposals.refuse_in_silence(refused, proposal, actor, same_person=because.same_person)
        return refused


def _of(request: PrivacyRequest, seen: int, kind: DecisionKind | None = None) -> Proposal:
    found = proposals.standing(request)
    if found is None or found.pk != seen or (kind and found.kind != kind):
        raise Conflict("no such proposal")
    return found


def send_back(pk: int, note: str, *, actor: Actor, seen: int) -> Proposal:
    """Send a proposal back with a note for colleagues: an approver, or whoever proposed it and thinks better of it.

    Nothing has happened, and nothing does. Raises Invalid, Conflict, Forbidden.
    """
    if not note.strip():
        raise Invalid(_("Please write why: whoever proposed it reads this."))
    with transaction.atomic():
        request = lock(pk)
        found = _of(request, seen)
        if not actor.is_approver and not (actor.is_handler and actor.user_id == found.proposed_by_id):
            raise Forbidden("send_back")
        found.status, found.decided_by_id, found.decided_at = ProposalStatus.SENT_BACK, actor.user_id, timezone.now()
        found.note_sealed = request.case.seal(note.strip()[:8000], "proposal-note")
        found.save(update_fields=["status", "decided_by", "decided_at", "note_sealed"])
        proposals.go_on(request)
        bell.ring(Lane.FULFIL)
        audit.record(request.case, audit.Entry("proposal_sent_back", actor, pk, details={"code": found.code}))
        return found
