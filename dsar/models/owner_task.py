"""What a data owner is asked to do in a source that no machine reaches."""

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar import keys
from dsar.enums import CheckKind, OwnerTaskStatus

if TYPE_CHECKING:
    from dsar.models.identity_check import IdentityCheck


class OwnerTaskQuerySet(QuerySet["OwnerTask"]):
    """Tasks by how they stand."""

    def open(self) -> "OwnerTaskQuerySet":
        """Not answered, not handed over, still needed."""
        return self.filter(status=OwnerTaskStatus.OPEN)

    def late(self, today: date) -> "OwnerTaskQuerySet":
        """Open beyond their day."""
        return self.open().filter(due_on__lt=today)


class OwnerTask(models.Model):
    """One step, asked of one colleague. Handed over, it ends and the next colleague gets a row of their own: at most one
    of a step is open.

    The way in are identity checks that name it, limited in the database like every other. `mailed_at` is empty until the
    first mail.
    """

    step = models.ForeignKey("dsar.Step", models.PROTECT, related_name="owner_tasks")
    owner = models.EmailField(_("data owner"), max_length=254, blank=True)
    owner_index = models.CharField(max_length=64, blank=True, db_index=True)
    status = models.CharField(_("status"), max_length=14, choices=OwnerTaskStatus.choices, default=OwnerTaskStatus.OPEN)
    due_on = models.DateField(_("due"))
    created_at = models.DateTimeField(default=timezone.now)
    mailed_at = models.DateTimeField(null=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    escalated_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    note_sealed = models.BinaryField(null=True)
    file_sealed = models.BinaryField(null=True)
    file_name_sealed = models.BinaryField(null=True)
    file_size = models.PositiveIntegerField(default=0)

    objects = OwnerTaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("data owner's task")
        constraints = [
            models.UniqueConstraint(
                fields=["step"], condition=models.Q(status=OwnerTaskStatus.OPEN), name="owner_task_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(status=OwnerTaskStatus.OPEN) | models.Q(answered_at__isnull=False),
                name="owner_task_ended_has_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_on", "id"], name="owner_task_due", condition=models.Q(status=OwnerTaskStatus.OPEN)
            )
        ]

    def __str__(self) -> str:
        return f"task {self.pk} of step {self.step_id}"

    def newest(self, kind: CheckKind) -> "IdentityCheck | None":
        """The newest link or code for this task."""
        return max((one for one in self.checks.all() if one.kind == kind), key=lambda one: one.pk, default=None)

    @property
    def is_open(self) -> bool:
        """Whether it can be answered."""
        return self.status == OwnerTaskStatus.OPEN

    def is_late(self, today: date) -> bool:
        """Whether it is open beyond its day."""
        return self.is_open and self.due_on < today

    @property
    def note(self) -> str:
        """What the owner wrote, decrypted."""
        return self.step.request.case.unseal(self.note_sealed, "owner-note")

    @property
    def file_name(self) -> str:
        """What the owner's file was called, decrypted."""
        return self.step.request.case.unseal(self.file_name_sealed, "owner-file-name")

    def file(self) -> bytes:
        """The owner's file, decrypted."""
        return self.step.request.case.unseal_bytes(self.file_sealed, "owner-file")

    def give_to(self, address: str) -> None:
        """Name the owner."""
        self.owner, self.owner_index = address, keys.email_index(address)
