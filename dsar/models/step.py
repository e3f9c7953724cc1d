"""One unit of work on one source: leased, fenced, resumable."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import BY_HAND, WORK_KINDS, StepKind, StepReason, StepStatus
from dsar.models.actor import Actor


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
        """Whether a person has to do it. What became of telling a recipient is said in words of its own instead."""
        return self.status == StepStatus.BLOCKED and self.reason in BY_HAND and self.kind != StepKind.NOTIFY

    def ends_by_hand(self, actor: Actor) -> bool:
        """Whether this person may say that it is done: a handler; where its data owner says that it cannot be done, an
        approver."""
        allowed = actor.is_approver if self.reason == StepReason.OWNER_EXCEPTION else actor.is_handler
        return self.waits_for_hands and allowed
