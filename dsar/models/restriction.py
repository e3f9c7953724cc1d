"""A person's data that are kept and not used otherwise (GDPR Art 18)."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import RestrictionGround


class RestrictionQuerySet(models.QuerySet["Restriction"]):
    """Restrictions in force."""

    def in_force(self) -> Self:
        """Not lifted."""
        return self.filter(lifted_at__isnull=True)

    def of_index(self, email_index: str) -> Self:
        """Those in force on one person; none for an empty index."""
        return self.in_force().filter(email_index=email_index) if email_index else self.none()


class Restriction(models.Model):
    """From `since` until `lifted_at`. `lifts_at`: its end is announced, and is not before then
    (Art 18(3)); the notice runs from the sending of the letter."""

    request = models.OneToOneField("dsar.PrivacyRequest", models.PROTECT, related_name="restriction")
    email_index = models.CharField(max_length=64, blank=True, db_index=True)
    ground = models.CharField(_("ground"), max_length=12, choices=RestrictionGround.choices)
    since = models.DateTimeField(default=timezone.now)
    lifts_at = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)

    objects = RestrictionQuerySet.as_manager()

    class Meta:
        verbose_name = _("restriction")
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True) | Q(lifted_at__gte=models.F("since")),
                name="restriction_ends_after_it_began",
            )
        ]

    def __str__(self) -> str:
        return f"restriction by request {self.request_id}"
