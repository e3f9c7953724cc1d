"""One unit of work on one source: leased, fenced, resumable."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import BY_HAND, WORK_KINDS, StepKind, StepReason, StepStatus
from dsar.models.actor import Actor

DESTRUCTIVE = (StepKind.SETTLE, StepKind.ERASE, StepKind.LATER)
# What writes and destroys nothing: a person may always do it in that system and say so, whatever stopped the worker.
HARMLESS = (StepKind.CLOSE, StepKind.RECTIFY, StepKind.RESTRICT, StepKind.LIFT, StepKind.APPLY)
# What the law holds back is done by nobody's hands (law 5).
HELD_BACK = (StepReason.HOLD, StepReason.PLAN_CHANGED)


class StepQuerySet(models.QuerySet["Step"]):
    """Steps, put back into the queue."""

    def again(self) -> int:
        """Tried again now, from where they stand; returns how many. Not for those that a worker has."""
        return self.update(status=StepStatus.QUEUED, reason="", due_at=timezone.now(), retries=0, claims=0)

    def anew(self) -> int:
        """Done again now from the beginning; whoever has one right now is fenced out. Returns how many."""
        return self.update(
            status=StepStatus.QUEUED, reason="", due_at=timezone.now(), retries=0, claims=0, token=models.F("token") + 1,
            lease_until=None, cursor="", tallies=[], chunks=0, finished_at=None,
        )  # fmt: skip


class Step(models.Model):
    """A step is claimed by raising `token` (the fence) and setting a lease; a worker that wakes later harms nothing.

    `tallies` are itemised counts per category and table; `intent_sealed` says what is about to be erased (T1) and is
    cleared when it is recorded (T3). `ref_sealed` is the person's key in a source that could not be asked when the plan
    was made.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="steps")
    source = models.CharField(_("source"), max_length=40)
    kind = models.CharField(_("kind"), max_length=8, choices=StepKind.choices)
    position = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(_("status"), max_length=8, choices=StepStatus.choices, default=StepStatus.QUEUED)
    reason = models.CharField(_("reason"), max_length=20, choices=StepReason.choices, blank=True, default="")
    due_at = models.DateTimeField(default=timezone.now)
    token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    claims = models.PositiveSmallIntegerField(default=0)
    retries = models.PositiveSmallIntegerField(default=0)
    cursor = models.TextField(blank=True)
    intent_sealed = models.BinaryField(null=True)
    ref_sealed = models.BinaryField(null=True)
    tallies = models.JSONField(default=list)
    chunks = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    objects = StepQuerySet.as_manager()

    class Meta:
        verbose_name = _("step")
        constraints = [models.UniqueConstraint(fields=["request", "source", "kind"], name="step_once")]
        indexes = [
            models.Index(
                fields=["due_at", "request_id", "position", "id"],
                name="step_to_close",
                condition=models.Q(status__in=[StepStatus.QUEUED, StepStatus.LEASED], kind=StepKind.CLOSE),
            ),
            models.Index(
                fields=["due_at", "request_id", "position", "id"],
                name="step_to_fulfil",
                condition=models.Q(status__in=[StepStatus.QUEUED, StepStatus.LEASED], kind__in=WORK_KINDS),
            ),
            models.Index(fields=["lease_until"], name="step_leased", condition=models.Q(status=StepStatus.LEASED)),
            models.Index(
                fields=["due_at", "id"],
                name="step_to_ask",
                condition=models.Q(status=StepStatus.BLOCKED, reason=StepReason.NOT_SUPPORTED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source} of request {self.request_id}"

    @property
    def waits_for_hands(self) -> bool:
        """Whether a person may do it instead of a worker: no step is a dead end (law 15). What became of telling a
        recipient is said in words of its own instead, and of a copy that it goes on without a source."""
        if self.status != StepStatus.BLOCKED or self.kind == StepKind.NOTIFY:
            return False
        # What was kept and is due has no plan any more that could be narrowed.
        held_back = self.reason in HELD_BACK and self.kind != StepKind.LATER
        failed_at = self.kind in DESTRUCTIVE and not held_back
        return self.reason in BY_HAND or self.kind in HARMLESS or failed_at

    def ends_by_hand(self, actor: Actor) -> bool:
        """Whether this person may say that it is done: a handler; where its data owner says that it cannot be done, or a
        worker failed at what destroys, an approver."""
        failed = self.kind in DESTRUCTIVE and self.reason not in BY_HAND
        delicate = failed or self.reason == StepReason.OWNER_EXCEPTION
        return self.waits_for_hands and (actor.is_approver if delicate else actor.is_handler)
