"""The audit trail: append-only, a hash chain for each case and one for the house."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsar.enums import ActorKind


class AuditEvent(models.Model):
    """One thing that happened. No foreign keys: it outlives what it speaks of; no direct identifier of a requester."""

    chain = models.CharField(max_length=36)
    number = models.PositiveIntegerField()
    at = models.DateTimeField(_("when"))
    actor_kind = models.CharField(_("who"), max_length=10, choices=ActorKind.choices)
    actor_id = models.BigIntegerField(null=True)
    what = models.CharField(_("what"), max_length=40)
    request_id = models.BigIntegerField(null=True)
    from_state = models.CharField(max_length=12, blank=True)
    to_state = models.CharField(max_length=12, blank=True)
    details = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("audit event")
        constraints = [models.UniqueConstraint(fields=["chain", "number"], name="audit_one_of_a_number")]

    def __str__(self) -> str:
        return f"{self.chain} {self.number} {self.what}"


class Checkpoint(models.Model):
    """A signed statement over the heads of all chains at one time; it also leaves the database (journal file)."""

    at = models.DateTimeField()
    chains = models.PositiveIntegerField()
    events = models.PositiveBigIntegerField()
    root = models.CharField(max_length=64)
    previous = models.CharField(max_length=64, blank=True)
    signature = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("checkpoint")

    def __str__(self) -> str:
        return f"checkpoint {self.at:%Y-%m-%d %H:%M}"
