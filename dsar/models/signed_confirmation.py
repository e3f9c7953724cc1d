"""The confirmation of a deletion that came back on paper, signed by the person."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import CheckStatus


class SignedConfirmation(models.Model):
    """What a handler filed and a second person, an approver, agreed to: only then is the deletion confirmed (law 3).

    `plan` is the one that the signed letter names by its mark; `intake` holds words and scan as they came, sealed.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="signed")
    plan = models.ForeignKey("dsar.Plan", models.PROTECT, related_name="+")
    intake = models.OneToOneField("dsar.Intake", models.PROTECT, related_name="+")
    came_on = models.DateField(_("came on"))
    status = models.CharField(_("status"), max_length=12, choices=CheckStatus.choices, default=CheckStatus.PENDING)
    filed_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    filed_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("signed confirmation")
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(status=CheckStatus.PENDING), name="signed_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(status=CheckStatus.PENDING, decided_by__isnull=True)
                | (
                    ~Q(status=CheckStatus.PENDING)
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                    & ~Q(decided_by=F("filed_by"))
                ),
                name="signed_decided_by_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return f"signed confirmation of request {self.request_id}"
