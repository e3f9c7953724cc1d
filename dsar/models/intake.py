"""What came in, as it came: committed before anybody is told that it arrived (law 1)."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import Channel, IntakeStatus


class Intake(models.Model):
    """Raw bytes of a form or a mail, sealed under a key of their own case-to-be; `dedupe` makes repeats harmless."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.CharField(_("channel"), max_length=12, choices=Channel.choices)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    raw_sealed = models.BinaryField(null=True)
    size = models.PositiveIntegerField(default=0)
    dedupe = models.CharField(max_length=80, unique=True)
    status = models.CharField(
        _("status"), max_length=12, choices=IntakeStatus.choices, default=IntakeStatus.STORED, db_index=True
    )
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    case = models.ForeignKey("dsar.Case", models.PROTECT, null=True, related_name="intakes")
    handled_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("incoming item")

    def __str__(self) -> str:
        return f"{self.channel} {self.uid}"
