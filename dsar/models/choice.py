"""The suppression list: who chose what must not be done with their data, known by a keyed hash alone."""

from typing import Self

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from dsar.enums import UNVERIFIED_RIGHTS, Right


class ChoiceQuerySet(QuerySet["Choice"]):
    """Looking an address up."""

    def standing(self) -> Self:
        """In force: made and not taken back."""
        return self.filter(taken_back_at__isnull=True)

    def of(self, email_index: str) -> Self:
        """Those of one address; none for a placeholder, whose index is empty."""
        return self.filter(email_index=email_index) if email_index else self.none()


class Choice(models.Model):
    """One address, one choice (an opt-out, a withdrawn consent), from when, and until when if it was taken back.

    It stays for as long as the choice stands, beyond the purge of its case (GDPR Art 21(3): no longer processed;
    Cal. Civ. Code 1798.135(c)): without it a list that is bought next year would bring the person back. Only the keyed
    hash of the address is held; the list can be asked about an address and never printed.
    """

    case = models.ForeignKey("dsar.Case", models.PROTECT, null=True, related_name="choices")
    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, null=True, related_name="choices")
    kind = models.CharField(_("choice"), max_length=20, choices=Right.choices)
    email_index = models.CharField(max_length=64)
    since = models.DateTimeField(_("in force since"))
    taken_back_at = models.DateTimeField(_("taken back"), null=True)

    objects = ChoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("choice")
        constraints = [
            models.UniqueConstraint(
                fields=["email_index", "kind"], name="choice_stands_once", condition=Q(taken_back_at__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[right.value for right in UNVERIFIED_RIGHTS]), name="choice_kind_known"
            ),
            models.CheckConstraint(condition=~Q(email_index=""), name="choice_is_somebodys"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
