"""A proven identity, known only by a keyed hash; joins the cases of one person."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Subject(models.Model):
    """Blind index of a proven address. Its row is the lock that keeps an export and an erasure apart."""

    index = models.CharField(max_length=64, unique=True)
    first_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("subject")

    def __str__(self) -> str:
        return f"subject {self.pk}"
