"""What a person found on an exception from deletion that holds only once somebody has weighed it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Weighing(models.Model):
    """One exception of one category in one source: whether it holds, by which ground, and when somebody looks again.

    `doubt` is the code that stood in question; empty where the data map names none. What was weighed against what, by
    whom and when stands in the decision. Never changed: a newer one of the same place takes over.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="weighings")
    decision = models.ForeignKey("dsar.Decision", models.PROTECT, related_name="weighings")
    source = models.CharField(_("source"), max_length=40)
    category = models.CharField(_("category"), max_length=60)
    doubt = models.CharField(max_length=40, blank=True)
    holds = models.BooleanField(_("holds"))
    code = models.CharField(_("reason"), max_length=40, blank=True)
    citation = models.CharField(_("law"), max_length=200, blank=True)
    review_on = models.DateField(_("review on"), null=True)

    class Meta:
        verbose_name = _("weighed exception")
        constraints = [
            models.CheckConstraint(
                condition=Q(holds=False, code="", review_on__isnull=True)
                | (Q(holds=True, review_on__isnull=False) & ~Q(code="") & ~Q(citation="")),
                name="weighing_holds_by_a_ground",
            )
        ]

    def __str__(self) -> str:
        return f"{self.category} of {self.source}, request {self.request_id}"
