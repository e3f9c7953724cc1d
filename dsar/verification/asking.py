"""What a case still has to show of who asks, and whether its person is asked for it (law 12: only what the right needs)."""

from dataclasses import dataclass

from dsar.enums import UNVERIFIED_RIGHTS, ContactBy, State
from dsar.models import Case, PrivacyRequest
from dsar.models.request_queues import OPEN_STATES

# Before these nobody has said which right it is; a confirmed deletion is proven, whatever a later look may say.
ASKED_IN = tuple(state for state in OPEN_STATES if state not in (State.RECEIVED, State.TRIAGE))


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
    waiting = case.requests.filter(
        state__in=ASKED_IN, confirmed_at__isnull=True, right__gt="", tier_needed__gt=case.proven_tier
    )
    found = tuple(waiting.exclude(right__in=UNVERIFIED_RIGHTS).order_by("-tier_needed", "pk"))
    for one in found:
        one.case = case
    return Asked(found[0].tier_needed, found) if found else None
