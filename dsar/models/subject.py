"""A proven identity, known only by a keyed hash; joins the cases of one person."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Subject(models.Model):
    """Blind index of a proven address. Its lease (`busy_with`, `busy_until`) keeps a copy and an erasure apart."""

    index = models.CharField(max_length=64, unique=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    busy_with = models.CharField(max_length=8, blank=True, default="")
    busy_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("subject")

    def __str__(self) -> str:
        return f"subject {self.pk}"
