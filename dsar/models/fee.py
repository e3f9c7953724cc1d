"""A fee that was asked for a request. Nobody is charged here: staff note what the person did."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import FeeStatus


class FeeQuerySet(models.QuerySet["Fee"]):
    """The fees of a request."""

    def open(self) -> Self:
        """Asked for, neither paid nor waived, and its day has not passed."""
        return self.filter(status=FeeStatus.ASKED)


class Fee(models.Model):
    """What a request costs, by which occasion of the law (GDPR Art 12(5)(a); DPO Art 19; PDP Regulations 2021 reg 7).

    `amount` in the smallest unit of `currency` (ISO 4217). Why, how it was reckoned and how to pay stands in the
    decision, which the person reads. Unpaid on `answer_by`, a person decides what is done without it.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="fees")
    decision = models.OneToOneField("dsar.Decision", models.PROTECT, related_name="fee")
    amount = models.PositiveIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    code = models.CharField(_("reason"), max_length=40)
    citation = models.CharField(_("law"), max_length=200)
    status = models.CharField(_("status"), max_length=10, choices=FeeStatus.choices, default=FeeStatus.ASKED)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    answer_by = models.DateTimeField(_("to be paid by"))
    settled_at = models.DateTimeField(_("settled"), null=True)
    settled_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    objects = FeeQuerySet.as_manager()

    class Meta:
        verbose_name = _("fee")
        constraints = [
            models.UniqueConstraint(fields=["request"], condition=Q(status=FeeStatus.ASKED), name="fee_one_open"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="fee_is_something"),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in FeeStatus]), name="fee_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status=FeeStatus.ASKED, settled_at__isnull=True)
                | (~Q(status=FeeStatus.ASKED) & Q(settled_at__isnull=False)),
                name="fee_settled_with_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"fee for request {self.request_id}: {self.status}"

    @property
    def is_open(self) -> bool:
        """Asked for, neither paid nor waived, and its day has not passed."""
        return self.status == FeeStatus.ASKED
