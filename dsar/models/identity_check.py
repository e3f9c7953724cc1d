"""One proof: method, tier reached, attempts, until when it counts."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar import keys
from dsar.enums import CheckKind, CheckStatus


class IdentityCheckQuerySet(QuerySet["IdentityCheck"]):
    """Finding checks by what a person holds."""

    def by_token(self, token: str) -> "IdentityCheckQuerySet":
        """The check whose link carries this token, if any."""
        return self.filter(token_hash=keys.token_hash(token))


class IdentityCheck(models.Model):
    """A link or code that was sent. Only its hash is stored; the secret is derived anew when the mail is made."""

    case = models.ForeignKey("dsar.Case", models.PROTECT, related_name="checks")
    kind = models.CharField(_("kind"), max_length=16, choices=CheckKind.choices)
    status = models.CharField(_("status"), max_length=12, choices=CheckStatus.choices, default=CheckStatus.PENDING)
    task = models.ForeignKey("dsar.OwnerTask", models.SET_NULL, null=True, related_name="checks")
    challenge = models.UUIDField(default=uuid.uuid4, editable=False)
    attempt = models.PositiveSmallIntegerField(default=1)
    token_hash = models.CharField(max_length=64, unique=True, null=True)
    wrong_attempts = models.PositiveSmallIntegerField(default=0)
    tier = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)

    objects = IdentityCheckQuerySet.as_manager()

    class Meta:
        verbose_name = _("identity check")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status=CheckStatus.PENDING) | models.Q(decided_at__isnull=False),
                name="check_decided_has_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of case {self.case_id}"

    @property
    def token(self) -> str:
        """The secret of the link, for the mail alone."""
        return keys.token(str(self.challenge), self.attempt)

    @property
    def code(self) -> str:
        """The one-time code, for the mail alone."""
        return keys.code(str(self.challenge), self.attempt)

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be used."""
        return (
            self.status == CheckStatus.PENDING
            and now < self.expires_at
            and self.wrong_attempts < settings.WRONG_ATTEMPTS
        )
