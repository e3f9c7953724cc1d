"""What every proof of identity has in common, whichever way it was given: the locks, and what moves on."""

from datetime import datetime

from dsar.enums import State
from dsar.models import REQUESTER, Case, Subject
from dsar.workflow import move


def hold(case: Case) -> tuple[Case, Subject | None]:
    """Lock Subject, then Case (the order of the house), in the caller's transaction; both fresh. A case that names no
    account has no subject: an empty index would make one person of everybody without an address."""
    subject = None
    if case.email_index:
        subject, _ = Subject.objects.get_or_create(index=case.email_index)
        subject = Subject.objects.select_for_update().get(pk=subject.pk)
    return Case.objects.select_for_update().get(pk=case.pk), subject


def count_as_proven(case: Case, subject: Subject | None, tier: int, now: datetime) -> None:
    """The case is proven up to `tier`, and every request that this reaches moves on (GDPR Art 12(6), 11 CCR 7060). Once:
    a second proof changes nothing. The caller has locked with `hold` and audited the proof."""
    if case.is_proven:
        return
    # The requests move while the case is still unproven: that is the condition of the verb.
    waiting = case.requests.filter(state__in=[State.VERIFYING, State.REVIEW], tier_needed__lte=tier).exclude(right="")
    for pk in waiting.order_by("pk").values_list("pk", flat=True):
        move(pk, "verify", actor=REQUESTER)
    Case.objects.filter(pk=case.pk).update(subject=subject, email_proven_at=now, proven_tier=tier)
