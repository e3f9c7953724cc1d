"""Another law applies to a case than was thought: said by the person, or seen by a colleague."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import LawChangeStatus


class LawChange(models.Model):
    """One correction of a case's law. `said_by` is empty where the person said it. What would leave them with less or
    later waits for a colleague (ASKED); reasons stand in the decision."""

    case = models.ForeignKey("dsar.Case", models.PROTECT, related_name="law_changes")
    country = models.CharField(_("country"), max_length=2, blank=True)
    region = models.CharField(_("state"), max_length=8, blank=True)
    before = models.CharField(_("law before"), max_length=32)
    after = models.CharField(_("law after"), max_length=32)
    status = models.CharField(_("status"), max_length=8, choices=LawChangeStatus.choices)
    said_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    said_at = models.DateTimeField(_("said"), default=timezone.now)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("correction of the law")
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(status=LawChangeStatus.ASKED), name="law_change_asked_once"
            ),
            models.CheckConstraint(
                condition=Q(status=LawChangeStatus.ASKED) | Q(decided_at__isnull=False), name="law_change_has_its_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.before} to {self.after} in case {self.case_id}"
