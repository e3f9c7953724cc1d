"""What must stay gone: a keyed hash of an erased identity (pseudonymous data with a period of its own)."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tombstone(models.Model):
    """Covers what existed up to `covers_until` (the confirmation); what the same person gives later is untouched.

    Basis: GDPR Art 17 with Art 5(2), 11 CCR 7022(e). Used to spot a resurrection, never to contact anybody.
    """

    source = models.CharField(_("source"), max_length=40)
    index = models.CharField(max_length=64, db_index=True)
    covers_until = models.DateTimeField(_("covers until"))
    expires_on = models.DateField(_("kept until"))
    request_id = models.BigIntegerField()

    class Meta:
        verbose_name = _("tombstone")
        constraints = [models.UniqueConstraint(fields=["source", "index", "request_id"], name="tombstone_once")]

    def __str__(self) -> str:
        return f"tombstone {self.pk}"
