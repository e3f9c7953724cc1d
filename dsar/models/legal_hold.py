"""A hold: somebody's data must not be erased for now, on a named legal basis."""

from django.db import models
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import HoldStatus


class LegalHoldQuerySet(QuerySet["LegalHold"]):
    """Finding holds."""

    def in_force(self) -> "LegalHoldQuerySet":
        """Those that keep data: active, and being placed."""
        return self.filter(status__in=[HoldStatus.PLACING, HoldStatus.ACTIVE])


class LegalHold(models.Model):
    """Covers one person (by keyed hash of the address), in all sources or in named ones.

    "Hold" is a label: `code` names the basis (for example EU_LEGAL_CLAIMS, GDPR Art 17(3)(e)) and is checked
    against the regime. It is `placing` until no live lease touches its scope, so that nobody relies on it too early.
    """

    email_index = models.CharField(max_length=64, db_index=True)
    sources = models.JSONField(_("sources"), default=list, blank=True)
    code = models.CharField(_("basis"), max_length=40)
    note_sealed = models.BinaryField(null=True)
    status = models.CharField(_("status"), max_length=8, choices=HoldStatus.choices, default=HoldStatus.PLACING)
    placed_at = models.DateTimeField(_("placed"), default=timezone.now)
    review_on = models.DateField(_("review on"))
    lifted_at = models.DateTimeField(_("lifted"), null=True)
    placed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    lifted_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("legal hold")

    def __str__(self) -> str:
        return f"hold {self.pk}"

    def covers(self, source: str) -> bool:
        """Whether it touches this source."""
        return not self.sources or source in self.sources
