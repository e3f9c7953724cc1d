"""Who was told that a person's right was carried out: those to whom the data had been passed on."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import RecipientStatus


class RecipientNotice(models.Model):
    """One recipient of one request (GDPR Art 19; 11 CCR 7022(b)(2)-(3), Cal. Civ. Code 1798.105(c)).

    `recipient` is its key in the data map, `categories` those of which it is told. `text_sealed` says why it could not
    be told; the person reads it.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="recipients")
    recipient = models.CharField(_("recipient"), max_length=36)
    categories = models.JSONField(default=list)
    status = models.CharField(
        _("status"), max_length=16, choices=RecipientStatus.choices, default=RecipientStatus.QUEUED
    )
    at = models.DateTimeField(default=timezone.now)
    message = models.OneToOneField("dsar.Message", models.PROTECT, null=True, related_name="tells")
    text_sealed = models.BinaryField(null=True)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("recipient told")
        constraints = [models.UniqueConstraint(fields=["request", "recipient"], name="recipient_told_once")]

    def __str__(self) -> str:
        return f"{self.recipient} about request {self.request_id}"
