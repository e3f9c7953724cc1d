"""What starts, stops or lengthens the clock of a request, with its evidence."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import ClockEventKind


class ClockEventQuerySet(models.QuerySet["ClockEvent"]):
    """The events of a clock."""

    def in_order(self) -> Self:
        """As they happened: by day, and by number within one."""
        return self.order_by("on", "pk")


class ClockEvent(models.Model):
    """A question, an answer or a notice that the law's arithmetic reads (GDPR Art 12(3), (6); UK GDPR Art 12A).

    `on` is the day in the zone of the request's law; at most one of the rest says by what it can be shown: the letter or
    the answer, the decision, the identity check. Written by `clock_events.note()` alone, and never changed.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="clock_events")
    kind = models.CharField(_("what"), max_length=24, choices=ClockEventKind.choices)
    on = models.DateField(_("day"))
    message = models.ForeignKey("dsar.Message", models.PROTECT, null=True, related_name="+")
    decision = models.ForeignKey("dsar.Decision", models.PROTECT, null=True, related_name="+")
    check_ref = models.ForeignKey("dsar.IdentityCheck", models.PROTECT, null=True, related_name="+")
    noted_at = models.DateTimeField(default=timezone.now)

    objects = ClockEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("clock event")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in ClockEventKind]), name="clock_event_kind_known"
            ),
            models.UniqueConstraint(
                fields=["message", "kind"], condition=Q(message__isnull=False), name="clock_event_once_a_message"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of request {self.request_id} on {self.on}"
