"""How a request ended for one category of data: what the sum on the request does not say."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsar.enums import Outcome


class CategoryOutcome(models.Model):
    """One category, one outcome, one reason; written once, as the request ends, and never changed (dsar/outcomes.py).

    `category` is the data map's key, or the field of a correction. A category that went in one system and stayed in
    another has two rows. `code` says why it was denied, `until` and `review_on` how long it stays. No value of anybody.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="category_outcomes")
    category = models.CharField(_("category"), max_length=60)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices)
    code = models.CharField(_("reason"), max_length=40, blank=True)
    until = models.DateField(_("kept until"), null=True)
    review_on = models.DateField(_("review on"), null=True)

    class Meta:
        verbose_name = _("outcome of a category")
        constraints = [
            models.UniqueConstraint(fields=["request", "category", "outcome", "code"], name="category_outcome_once"),
            models.CheckConstraint(condition=~models.Q(outcome=""), name="category_outcome_of_what_has_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.category}: {self.outcome}, request {self.request_id}"
