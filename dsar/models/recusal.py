"""A colleague who handles nothing of a person: close to them, or stepped aside of their own accord."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class RecusalQuerySet(models.QuerySet["Recusal"]):
    """Finding them."""

    def standing(self) -> Self:
        """Those that hold."""
        return self.filter(ended_at__isnull=True)


class Recusal(models.Model):
    """Named in one case, it holds for every case of the same person (apart.py). It stays as a record once an approver has
    ended it."""

    case = models.ForeignKey("dsar.Case", models.PROTECT, related_name="recusals")
    user = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    named_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    named_at = models.DateTimeField(default=timezone.now)
    ended_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    objects = RecusalQuerySet.as_manager()

    class Meta:
        verbose_name = _("colleague who handles nothing of a person")
        constraints = [
            models.UniqueConstraint(fields=["case", "user"], condition=Q(ended_at__isnull=True), name="recusal_once"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(ended_by=models.F("user"))),
                name="recusal_ended_by_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return f"colleague {self.user_id} apart from case {self.case_id}"
