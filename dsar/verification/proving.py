"""What every proof of identity has in common, whichever way it was given: the locks, and what moves on."""

from datetime import datetime

from dsar import bell, clock_events
from dsar.enums import ClockEventKind, Lane, State
from dsar.models import REQUESTER, Case, Subject
from dsar.workflow import lock, move


def hold(case: Case) -> tuple[Case, Subject | None]:
    """Lock Subject, then Case (the order of the house), in the caller's transaction; both fresh. A case that names no
    account has no subject: an empty index would make one person of everybody without an address."""
    subject = None
    if case.email_index:
        subject, _ = Subject.objects.get_or_create(index=case.email_index)
        subject = Subject.objects.select_for_update().get(pk=subject.pk)
    return Case.objects.select_for_update().get(pk=case.pk), subject


def count_as_proven(case: Case, subject: Subject | None, tier: int, now: datetime) -> None:
    """The case is proven up to `tier`, and every request that waits for a proof moves on: what this reaches to the search,
    what it does not to a person (GDPR Art 12(6), 11 CCR 7060). A second proof counts only where it is surer. The caller
    has locked with `hold` and audited the proof."""
    if case.is_proven and tier <= case.proven_tier:
        return
    # The requests move while the case still has what it had: that is the condition of the verb.
    waiting = case.requests.filter(state__in=[State.VERIFYING, State.REVIEW]).exclude(right="")
    if case.is_proven:
        waiting = waiting.filter(tier_needed__gt=case.proven_tier)
    for pk in waiting.order_by("pk").values_list("pk", flat=True):
        move(pk, "verify", actor=REQUESTER, tier=tier)
    Case.objects.filter(pk=case.pk).update(
        subject=subject, email_proven_at=case.email_proven_at or now, proven_tier=tier
    )
    # What is open and need not move has been answered too: the clock that waited for a proof goes on.
    for request in (
        case.requests.open().filter(tier_needed__lte=tier, clock_events__isnull=False).distinct().order_by("pk")
    ):
        clock_events.answered(lock(request.pk), ClockEventKind.IDENTITY_RECEIVED, actor=REQUESTER)
    # Staff who look further need to see what is held.
    bell.ring(Lane.LOCATE)
