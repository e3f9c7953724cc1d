"""The queues: which requests wait for whom."""

from collections.abc import Collection
from datetime import date, datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import Role
from dsar.enums import FINAL_STATES, UNVERIFIED_RIGHTS, ProposalStatus, Raised, Right, State
from dsar.models.apart import apart_from

if TYPE_CHECKING:
    from accounts.models import User
    from dsar.models.privacy_request import PrivacyRequest

OPEN_STATES = tuple(state for state in State if state not in FINAL_STATES)
LEAVABLE_STATES = (
    State.TRIAGE, State.VERIFYING, State.LOCATING, State.REVIEW, State.CLARIFYING, State.CONFIRMING,
)  # fmt: skip
# The queue's views and their partial indexes are made of the same words.
OURS = (State.TRIAGE, State.REVIEW, State.RELEASING, State.CHECKING)
THEIRS = (State.VERIFYING, State.CLARIFYING, State.CONFIRMING)
# What has ended can be stuck too: a recipient that nobody could tell, a letter that could not be sent (law 9).
STUCK = ~Q(attention="") | Q(undelivered_at__isnull=False) | ~Q(raised="")
# Ended, and the letter that answers it is still in the house.
ANSWER_HERE = Q(ended_at__isnull=False, answered_on__isnull=True)
# Whatever has become of a request: an answer is read (law 1), and no letter about it says that nobody will.
NEEDS_US = Q(ended_at__isnull=True, state__in=OURS) | Q(unread_at__isnull=False) | STUCK


class PrivacyRequestQuerySet(QuerySet["PrivacyRequest"]):
    """The queues."""

    def hold(self, pk: int) -> "PrivacyRequest":
        """Lock in the order of the house (Subject, Case, request) and return the fresh request with its case. Raises
        DoesNotExist. The caller is inside a transaction; on SQLite that is the lock (BEGIN IMMEDIATE)."""
        if not connection.features.has_select_for_update:
            return self.select_related("case__subject").get(pk=pk)
        # PostgreSQL locks the rows of a join in the order that OF names.
        known = self.select_for_update(of=("case__subject", "case", "self")).select_related("case__subject")
        found = known.filter(pk=pk, case__subject__index__gt="").first()
        if found is None:
            found = self.select_for_update(of=("case", "self")).select_related("case").get(pk=pk)
        return found

    def without(self, cases: Collection[int]) -> Self:
        """Without those of some cases (by key): what a colleague is kept apart from (apart.py)."""
        return self.exclude(case_id__in=cases) if cases else self

    def open(self) -> Self:
        """Not ended."""
        return self.exclude(state__in=FINAL_STATES)

    def needing_staff(self) -> Self:
        """The ball is with us: to sort, to decide, to release, or something is stuck."""
        return self.filter(NEEDS_US)

    def answers_here(self) -> Self:
        """Ended, and the letter that answers them has not left."""
        return self.filter(ANSWER_HERE)

    def to_confirm(self) -> Self:
        """A refusal is proposed and waits for its second person."""
        return self.filter(proposals__status=ProposalStatus.STANDING)

    def waiting_on_requester(self) -> Self:
        """The person has to act: prove, answer or confirm."""
        return self.filter(state__in=THEIRS)

    def ready_to_release(self, now: datetime) -> Self:
        """Confirmed deletions whose quiet period is over and that nobody disputes."""
        return self.filter(state=State.RELEASING, quiet_until__lte=now, disputed_at__isnull=True)

    def awaiting_no_copy(self, today: date) -> Self:
        """Without those that wait for a copy that was asked for first: their time to confirm has not begun."""
        return self.filter(
            Q(after__isnull=True)
            | Q(after__state__in=FINAL_STATES)
            | Q(waived_copy_at__isnull=False)
            | Q(due_on__lte=today + settings.ERASE_BEFORE_DUE)
        )

    def worked_on_by(self, colleague: "User") -> Self:
        """Open requests of a colleague's work, the soonest first: their own and what nobody has taken; for approvers all."""
        mine = Q() if colleague.role == Role.APPROVER else Q(assignee_id=colleague.pk) | Q(assignee__isnull=True)
        return self.filter(mine, ended_at__isnull=True).order_by("due_on", "pk")

    def due_for(self, colleague: "User", until: date) -> Self:
        """What a colleague is reminded of, the soonest first: their own requests whose target comes until a day; approvers
        also those that nobody has taken, and whatever the clock has raised. Of those that have ended, the ones whose answer
        has not left."""
        soon = Q(target_on__lte=until)
        theirs = Q(assignee_id=colleague.pk) & (soon | ~Q(raised=""))
        if colleague.role == Role.APPROVER:
            theirs |= (Q(assignee__isnull=True) & soon) | ~Q(raised="")
        todo = Q(ended_at__isnull=True) | Q(raised=Raised.ANSWER_HERE)
        return self.filter(theirs, todo).without(apart_from(colleague.pk)).order_by("due_on", "pk")

    def stuck(self) -> Self:
        """Something failed or is disputed, by a named reason."""
        return self.filter(STUCK)

    def to_locate(self) -> Self:
        """Requests whose data nobody has looked for yet: those that are proven, and those that may be soon. A proof that
        came while a question was open leaves its request in REVIEW, and so does a question about what needs no proof:
        staff need its plan there."""
        provable = Q(case__email_proven_at__isnull=False) | Q(right__in=UNVERIFIED_RIGHTS)
        here = Q(state__in=[State.LOCATING, State.VERIFYING]) | (Q(state=State.REVIEW) & provable)
        return self.filter(here, right__gt="", located_at__isnull=True)

    def to_begin(self) -> Self:
        """Approved requests whose work nobody has laid out yet. A deletion's is laid out by its release."""
        return self.filter(state=State.FULFILLING, begun_at__isnull=True).exclude(right=Right.DELETION)

    def to_settle_locating(self) -> Self:
        """Proven requests whose search has ended."""
        return self.filter(state=State.LOCATING, located_at__isnull=False)
