"""A letter as paper: the PDF of a message that was sent, made once."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Letter(models.Model):
    """The PDF of one sent message, sealed under the key of its case; made when it is first asked for.

    From then on everybody downloads the same bytes. Page and text are composed anew, and nothing of them is stored.
    """

    message = models.OneToOneField("dsar.Message", models.PROTECT, related_name="letter")
    pdf_sealed = models.BinaryField(null=True)
    size = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("letter")

    def __str__(self) -> str:
        return f"letter of message {self.message_id}"
