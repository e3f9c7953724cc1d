"""A decision that a person took, with its reason; never changed afterwards."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import DecisionKind


class Decision(models.Model):
    """Reason code, citation, the text the requester reads (sealed), who and when (GDPR Art 12(4), 11 CCR 7101).

    `source`: the one source that it is about, where it is about one (left undone there, gone on without it).
    `second_by`: who confirmed it where two have to. `same_person`: the second look was the same person's, on a later day
    (two_people.py); letters say so.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="decisions")
    kind = models.CharField(_("decision"), max_length=20, choices=DecisionKind.choices)
    code = models.CharField(_("reason"), max_length=40, blank=True)
    citation = models.CharField(_("source"), max_length=200, blank=True)
    source = models.CharField(_("data source"), max_length=40, blank=True, default="")
    text_sealed = models.BinaryField(null=True)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), default=timezone.now)
    second_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    second_at = models.DateTimeField(null=True)
    same_person = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("decision")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(second_by__isnull=True, second_at__isnull=True)
                | models.Q(second_by__isnull=False, second_at__isnull=False),
                name="decision_second_has_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(second_by__isnull=True)
                | ~models.Q(second_by=models.F("decided_by"))
                | models.Q(same_person=True),
                name="decision_second_is_another",
            ),
        ]
        indexes = [
            models.Index(
                fields=["request"], name="decision_unfounded", condition=models.Q(kind=DecisionKind.DISPUTE_UNFOUNDED)
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} on request {self.request_id}"
