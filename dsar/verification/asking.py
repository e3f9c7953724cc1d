"""What a case still has to show of who asks, and asking its person for it (law 12: only what the right needs)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from dsar import audit
from dsar.enums import ContactBy, State
from dsar.models import Actor, Case, Message, PrivacyRequest
from dsar.models.request_queues import OPEN_STATES
from dsar.models.unanswered import letters_about_who
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.workflow import Conflict, Forbidden, lock

# Before these nobody has said which right it is; a confirmed deletion is proven, whatever a later look may say.
ASKED_IN = tuple(state for state in OPEN_STATES if state not in (State.RECEIVED, State.TRIAGE))

ASKED_EVERY: Final = timedelta(days=1)
LONGEST: Final = 4000


@dataclass(frozen=True)
class Asked:
    """The tier that is missing, and the requests that wait for it, the most demanding first."""

    tier: int
    requests: tuple[PrivacyRequest, ...]

    @property
    def first(self) -> PrivacyRequest:
        """The request that asks for the most."""
        return self.requests[0]


def missing(case: Case) -> Asked | None:
    """What the proof of this case does not reach; None where nothing is missing, and where nothing may be asked yet: the
    mailbox comes first. Who stands for the person showed it on another way."""
    if not case.is_proven or case.contact_by == ContactBy.REPRESENTATIVE or case.purged_at:
        return None
    below = [
        one
        for one in case.requests.all()
        if one.state in ASKED_IN and not one.is_bound and one.right and one.tier_needed > case.proven_tier
    ]
    for one in below:
        one.case = case
    below.sort(key=lambda one: (-one.tier_needed, one.pk))
    # A choice is proven enough whoever asks (law 12).
    found = tuple(one for one in below if not one.is_proven_enough)
    return Asked(found[0].tier_needed, found) if found else None


def asked_at(case: Case) -> Message | None:
    """The newest mail that asked the person of a case for more."""
    return next((one for one in letters_about_who(case) if one.notice == Notice.PROOF_ASKED), None)


def may_ask(request: PrivacyRequest) -> bool:
    """Whether this request waits for a surer proof, its person has a mailbox, and nobody has asked them since yesterday."""
    case = request.case
    asked = missing(case)
    if asked is None or request not in asked.requests or not case.contact:
        return False
    before = asked_at(case)
    return before is None or timezone.now() - before.created_at >= ASKED_EVERY


def ask(pk: int, text: str, *, actor: Actor) -> Message | None:
    """Mail the person the way to the page on which they show more surely who they are, and why, with words of staff where
    there are any. The clock counts from the day on which the mail leaves. Raises Conflict, Forbidden."""
    if not actor.is_handler:
        raise Forbidden("ask_for_proof")
    with transaction.atomic():
        request = lock(pk)
        if not may_ask(request):
            raise Conflict("ask_for_proof")
        audit.record(request.case, audit.Entry("proof_asked", actor, pk, details={"tier": request.tier_needed}))
        return outbox.queue(request, Notice.PROOF_ASKED, text=text.strip()[:LONGEST], author_id=actor.user_id)
