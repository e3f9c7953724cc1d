"""What a deletion left behind for a lawful reason: one row per source, category and reason, until it is gone (law 6)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Kept(models.Model):
    """Outlives the purge of its case: without it nothing would go when its date comes. The row goes with what it is about.

    `until` is the last day that was promised; where the law names none, somebody looks again on `review_on`. `chosen`:
    an approver chose to keep it (narrowing), so it goes when an approver says so, which is `lapses`. `found_later`: the
    reason was found after the end, so that the letter of the end did not name it. `email_index` finds
    the holds on the person. The person's key in the source stands, sealed by the house, on the request's LATER step.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="kept")
    source = models.CharField(_("source"), max_length=40)
    category = models.CharField(_("category"), max_length=60)
    code = models.CharField(_("reason"), max_length=40, blank=True)
    until = models.DateField(_("kept until"), null=True)
    review_on = models.DateField(_("review on"), null=True)
    chosen = models.BooleanField(default=False)
    lapses = models.BooleanField(default=False)
    found_later = models.BooleanField(default=False)
    email_index = models.CharField(max_length=64, blank=True, db_index=True)

    class Meta:
        verbose_name = _("kept after a deletion")
        constraints = [
            models.UniqueConstraint(fields=["request", "source", "category", "code"], name="kept_once"),
            models.CheckConstraint(
                condition=Q(until__isnull=False) | Q(review_on__isnull=False) | Q(lapses=True), name="kept_has_a_date"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} of {self.source}, kept by {self.code}"
