"""What a letter said when it was sent, and its PDF."""

import json
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from dsar.models.message import Message


class Letter(models.Model):
    """One letter as it was sent, sealed under the key of its case: the proof of what was told (GDPR Art 5(2)).

    `said_sealed` is subject, text and page as JSON, without the links and codes of the mail; noted as the mail goes, for a
    letter to post when it is printed. The PDF is made of it when it is first asked for. Everybody reads the same from
    then on, whatever becomes of the request.
    """

    message = models.OneToOneField("dsar.Message", models.PROTECT, related_name="letter")
    said_sealed = models.BinaryField(null=True)
    pdf_sealed = models.BinaryField(null=True)
    size = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("letter")

    @classmethod
    def of(cls, message: "Message", said: dict[str, str]) -> "Letter":
        """An unsaved row that holds what a letter says. `said`: subject, text, page."""
        sealed = message.case.seal(json.dumps(said), f"said:{message.pk}")
        return cls(message=message, said_sealed=sealed)

    def said(self) -> dict[str, str]:
        """Subject, text and page, decrypted; empty after a purge."""
        found: dict[str, str] = json.loads(
            self.message.case.unseal(self.said_sealed, f"said:{self.message_id}") or "{}"
        )
        return found

    def __str__(self) -> str:
        return f"letter of message {self.message_id}"
