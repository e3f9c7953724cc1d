"""The house itself: the kill switch, the sources' switches, and the audit chain of what belongs to no case."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class House(models.Model):
    """One row. Its kill switch stops every destructive step before its next chunk. `compared_on`: the last
    day on which the sources were compared with what was erased."""

    kill_switch = models.BooleanField(_("stop all erasing"), default=False)
    compared_on = models.DateField(null=True, editable=False)
    audit_length = models.PositiveIntegerField(default=0)
    audit_head = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("house")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="house_is_one")]

    def __str__(self) -> str:
        return "house"

    @property
    def chain(self) -> str:
        """The name of the house's audit chain."""
        return "house"


class Source(models.Model):
    """How a source of the data map stands: switched on or off, last answer, last named failure."""

    key = models.CharField(_("source"), max_length=40, unique=True)
    enabled = models.BooleanField(_("switched on"), default=True)
    last_ok_at = models.DateTimeField(_("last answered"), null=True, editable=False)
    last_error = models.CharField(_("last failure"), max_length=20, blank=True, editable=False)
    last_error_at = models.DateTimeField(_("last failed"), null=True, editable=False)

    class Meta:
        verbose_name = _("source")

    def __str__(self) -> str:
        return self.key
