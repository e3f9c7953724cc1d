"""What a person wants corrected, field by field, what was decided about each, and what they sent to show it."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import CorrectionStatus


class CorrectionQuerySet(models.QuerySet["Correction"]):
    """Finding them."""

    def unconfirmed(self) -> Self:
        """The refused ones that no second person has confirmed."""
        return self.filter(status=CorrectionStatus.REFUSED, confirmed_by__isnull=True)


class Correction(models.Model):
    """One field of the data map in one request (GDPR Art 16; Cal. Civ. Code 1798.106; 11 CCR 7023).

    `old_sealed` is what the sources said when it was decided, `new_sealed` what it should say. `code`, `citation` and
    `text_sealed` say why it was refused; the person reads them. `confirmed_by`: who confirmed a refusal as the second
    person, field by field or with the last step.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="corrections")
    field = models.CharField(_("field"), max_length=128)
    old_sealed = models.BinaryField(null=True)
    new_sealed = models.BinaryField(null=True)
    status = models.CharField(
        _("status"), max_length=8, choices=CorrectionStatus.choices, default=CorrectionStatus.PROPOSED
    )
    code = models.CharField(_("reason"), max_length=40, blank=True)
    citation = models.CharField(_("source"), max_length=200, blank=True)
    text_sealed = models.BinaryField(null=True)
    proposed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("correction")
        constraints = [
            models.UniqueConstraint(fields=["request", "field"], name="correction_once_a_field"),
            models.CheckConstraint(
                condition=Q(status=CorrectionStatus.PROPOSED, decided_at__isnull=True)
                | (~Q(status=CorrectionStatus.PROPOSED) & Q(decided_at__isnull=False)),
                name="correction_decided_with_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(status=CorrectionStatus.REFUSED) | ~Q(code=""), name="correction_refused_for_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | (
                    Q(status=CorrectionStatus.REFUSED, confirmed_by__isnull=False, confirmed_at__isnull=False)
                    & ~Q(confirmed_by=models.F("decided_by"))
                ),
                name="correction_confirmed_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"correction of {self.field} in request {self.request_id}"

    @property
    def waits_for_second(self) -> bool:
        """Whether it was refused, and no second person has confirmed that."""
        return self.status == CorrectionStatus.REFUSED and self.confirmed_by_id is None

    @property
    def new(self) -> str:
        """What it should say, decrypted; empty after a purge."""
        return self.request.case.unseal(self.new_sealed, "correction-new")

    @property
    def old(self) -> str:
        """What the sources said when it was decided, decrypted."""
        return self.request.case.unseal(self.old_sealed, "correction-old")

    @property
    def text(self) -> str:
        """Why it was refused, in words for the person."""
        return self.request.case.unseal(self.text_sealed, "correction-text")


class Evidence(models.Model):
    """A file that the person sent to show that something is wrong or right (11 CCR 7023(d)). Sealed, and read by staff
    alone; used for nothing else."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="evidence")
    name_sealed = models.BinaryField(null=True)
    body_sealed = models.BinaryField(null=True)
    size = models.PositiveIntegerField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("evidence")

    def __str__(self) -> str:
        return f"evidence {self.pk} in request {self.request_id}"

    @property
    def name(self) -> str:
        """The file's name as the person's system gave it, decrypted."""
        return self.request.case.unseal(self.name_sealed, f"evidence-name-{self.uid}")

    @property
    def body(self) -> bytes:
        """The file, decrypted."""
        return self.request.case.unseal_bytes(self.body_sealed, f"evidence-{self.uid}")
