"""What the database itself says of requests: the indexes of the queues, and what no row may be (section 5 of the design)."""

from typing import Final

from django.db import models
from django.db.models import F, Q

from dsar.enums import BOUND_STATES, FINAL_STATES, UNVERIFIED_RIGHTS, Right, State
from dsar.models.request_queues import ANSWER_HERE, NEEDS_US, STUCK, THEIRS

INDEXES: Final[list[models.Index]] = [
    models.Index(fields=["state", "due_on", "id"], name="request_queue"),
    models.Index(fields=["due_on", "id"], name="request_by_date"),
    models.Index(fields=["due_on", "id"], name="request_open", condition=Q(ended_at__isnull=True)),
    models.Index(fields=["due_on", "id"], name="request_needs_us", condition=NEEDS_US),
    models.Index(fields=["due_on", "id"], name="request_theirs", condition=Q(state__in=THEIRS)),
    models.Index(fields=["due_on", "id"], name="request_stuck", condition=STUCK),
    models.Index(
        fields=["due_on", "id"],
        name="request_to_begin",
        condition=Q(state=State.FULFILLING, begun_at__isnull=True) & ~Q(right=Right.DELETION),
    ),
    models.Index(fields=["ended_at", "id"], name="request_ended", condition=Q(ended_at__isnull=False)),
    models.Index(fields=["due_on", "id"], name="request_answer_here", condition=ANSWER_HERE),
]

CONSTRAINTS: Final[list[models.BaseConstraint]] = [
    models.CheckConstraint(condition=Q(state__in=[s.value for s in State]), name="request_state_known"),
    models.CheckConstraint(condition=Q(right__in=[r.value for r in Right]), name="request_right_known"),
    models.CheckConstraint(
        condition=Q(confirmed_at__isnull=True) | Q(right=Right.DELETION, state__in=[s.value for s in BOUND_STATES]),
        name="request_confirmed_is_bound",
    ),
    models.CheckConstraint(
        condition=Q(confirmed_at__isnull=False)
        | (~Q(state=State.RELEASING) & ~Q(right=Right.DELETION, state=State.FULFILLING)),
        name="request_unconfirmed_is_not_released",
    ),
    models.CheckConstraint(
        condition=Q(released_at__isnull=True) | (Q(quiet_until__isnull=False) & Q(released_at__gte=F("quiet_until"))),
        name="request_quiet_before_release",
    ),
    models.CheckConstraint(
        condition=Q(state=State.FULFILLING, released_at__isnull=False)
        | ~Q(state=State.FULFILLING)
        | ~Q(right=Right.DELETION),
        name="request_fulfilling_was_released",
    ),
    models.CheckConstraint(
        condition=Q(take_back=False) | Q(right__in=[r.value for r in UNVERIFIED_RIGHTS]),
        name="request_takes_back_a_choice",
    ),
    models.CheckConstraint(
        condition=(Q(state__in=[s.value for s in FINAL_STATES]) & ~Q(outcome="") & Q(ended_at__isnull=False))
        | (~Q(state__in=[s.value for s in FINAL_STATES]) & Q(outcome="") & Q(ended_at__isnull=True)),
        name="request_ends_with_an_outcome",
    ),
    models.CheckConstraint(
        condition=Q(answered_on__isnull=True) | Q(ended_at__isnull=False), name="request_answered_has_ended"
    ),
]
