"""What will be erased, masked and kept, why and until when, per source; frozen and hashed."""

import json
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class PlanQuerySet(models.QuerySet["Plan"]):
    """The plans of a request."""

    def frozen(self) -> Self:
        """Those that stand: confirmed, released or approved."""
        return self.filter(frozen_at__isnull=False)

    def newest(self) -> "Plan | None":
        """The one of the highest version."""
        return self.order_by("-version").first()


class Plan(models.Model):
    """One version of a request's plan. A frozen one never changes (a trigger holds that); narrowing makes a new one.

    `digest` covers what is material (sources, categories, kept reasons, cost) and never mere row counts.
    `body_sealed` is the whole plan as JSON: see dsar.fulfilment.plan.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="plans")
    version = models.PositiveSmallIntegerField(default=1)
    digest = models.CharField(max_length=64)
    body_sealed = models.BinaryField(null=True)
    made_at = models.DateTimeField(default=timezone.now)
    frozen_at = models.DateTimeField(null=True)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan")
        constraints = [models.UniqueConstraint(fields=["request", "version"], name="plan_one_of_a_version")]

    def __str__(self) -> str:
        return f"plan {self.version} of request {self.request_id}"

    def body(self) -> dict[str, Any]:
        """The plan as it was made; empty after a purge."""
        text = self.request.case.unseal(self.body_sealed, "plan")
        loaded: dict[str, Any] = json.loads(text) if text else {}
        return loaded
