"""A surer proof than usual, where a flag leaves a doubt about who asks (GDPR Art 12(6), 32): asked for by a person, never by
a machine, and never for a choice."""

from django.db import transaction
from django.utils.translation import gettext as _

from dsar import audit
from dsar.enums import COPY_RIGHTS, UNVERIFIED_RIGHTS, Risk, State
from dsar.law import tiers
from dsar.models import Actor, Message, PrivacyRequest
from dsar.models.privacy_request import TIER
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.workflow import Conflict, Forbidden, Invalid, lock

LONGEST = 8000


def may_ask(request: PrivacyRequest) -> bool:
    """Whether what is weighed, or a copy that is looked through, carries a flag, and a surer proof than it needs so far
    exists. Whoever may not have a copy may even less have something erased or changed."""
    states = (State.REVIEW, State.CHECKING) if request.right in COPY_RIGHTS else (State.REVIEW,)
    return (
        bool(request.right)
        and request.right not in UNVERIFIED_RIGHTS
        and request.state in states
        and request.tier_needed < tiers.REASONABLY_HIGH
        and request.case.proven_tier < tiers.REASONABLY_HIGH
        and bool(set(request.judgement) & set(Risk.values))
    )


def ask(pk: int, text: str, *, actor: Actor) -> Message | None:
    """Let this request need the highest tier from now on, and write to the person, who reads `text`. Whatever reaches that
    tier lets it go on. Raises Conflict, Forbidden, Invalid (nothing written)."""
    if not actor.is_handler:
        raise Forbidden("step_up")
    cleaned = text.strip()[:LONGEST]
    if not cleaned:
        raise Invalid(_("Please write how the person can show who they are: they read it."))
    with transaction.atomic():
        request = lock(pk)
        if not may_ask(request):
            raise Conflict("step_up")
        judgement = {*request.judgement, TIER} if request.state == State.REVIEW else {*request.judgement}
        PrivacyRequest.objects.filter(pk=pk).update(tier_needed=tiers.REASONABLY_HIGH, judgement=sorted(judgement))
        details = {"tier": tiers.REASONABLY_HIGH, "flags": sorted(set(request.judgement) & set(Risk.values))}
        audit.record(request.case, audit.Entry("stepped_up", actor, pk, details=details))
        return outbox.queue(request, Notice.PROOF_ASKED, text=cleaned, author_id=actor.user_id)
