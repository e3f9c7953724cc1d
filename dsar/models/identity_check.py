"""One proof: method, tier reached, attempts, until when it counts."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar import keys
from dsar.enums import CheckKind, CheckStatus


class IdentityCheckQuerySet(QuerySet["IdentityCheck"]):
    """Finding checks by what a person holds."""

    def by_token(self, token: str) -> "IdentityCheckQuerySet":
        """The check whose link carries this token, if any."""
        return self.filter(token_hash=keys.token_hash(token))

    def rests_on(self, tier: int) -> set[str]:
        """The fields of the data map on which a proof up to `tier` rests: what the person stated, or a colleague compared,
        where nothing else that passed reaches as far."""
        passed = list(self.filter(status=CheckStatus.PASSED))
        stated = [
            one for one in passed if one.kind == CheckKind.DATA_POINTS or (one.kind == CheckKind.BY_HAND and one.asked)
        ]
        if any(one.tier >= tier for one in passed if one not in stated):
            return set()
        return {field for one in stated for field in one.asked}

    def shown(self) -> "IdentityCheckQuerySet":
        """What somebody has shown and nobody has decided yet: compared by a worker, looked at by a colleague, or a paper
        that has come. A question for a paper that is not answered is none of it."""
        came = Q(kind=CheckKind.PAPER, papers__destroyed_at__isnull=True, papers__isnull=False)
        kinds = [CheckKind.DATA_POINTS, CheckKind.BY_HAND]
        return self.filter(Q(kind__in=kinds) | came, status=CheckStatus.PENDING)

    def counting(self, now: datetime) -> "IdentityCheckQuerySet":
        """Passed, and not older than a proof may be to lead to anything."""
        return self.filter(status=CheckStatus.PASSED, valid_until__gt=now)


class IdentityCheck(models.Model):
    """A link or code that was sent: only its hash is stored, the secret is derived anew when the mail is made. Or what a
    person of the desk looked at (BY_HAND): the method of the law, what was seen (sealed), what was compared (`asked`), who
    recorded it, who confirmed it where a second person must, and from when it counts.

    DATA_POINTS: `asked` names the fields of the data map that the person stated, `stated_sealed` holds what they said until
    it is decided and not a moment longer (law 12), `declaration_sealed` the signed declaration, for the record period. Which
    of the points did not fit is written nowhere.

    `decided_by`: who of the desk found that it was not shown, or that papers were not enough.
    `method` is the law's word for what passed (law/regime_files.METHODS), `tier` how far it reaches by itself.
    """

    case = models.ForeignKey("dsar.Case", models.PROTECT, related_name="checks")
    kind = models.CharField(_("kind"), max_length=16, choices=CheckKind.choices)
    status = models.CharField(_("status"), max_length=12, choices=CheckStatus.choices, default=CheckStatus.PENDING)
    task = models.ForeignKey("dsar.OwnerTask", models.PROTECT, null=True, related_name="checks")
    challenge = models.UUIDField(default=uuid.uuid4, editable=False)
    attempt = models.PositiveSmallIntegerField(default=1)
    token_hash = models.CharField(max_length=64, unique=True, null=True)
    wrong_attempts = models.PositiveSmallIntegerField(default=0)
    tier = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)
    method = models.CharField(_("method"), max_length=32, blank=True)
    seen_sealed = models.BinaryField(null=True)
    recorded_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    needs_second = models.BooleanField(default=False)
    confirmed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    counts_from = models.DateTimeField(null=True)
    asked = models.JSONField(default=list)
    stated_sealed = models.BinaryField(null=True)
    declaration_sealed = models.BinaryField(null=True)

    objects = IdentityCheckQuerySet.as_manager()

    class Meta:
        verbose_name = _("identity check")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status=CheckStatus.PENDING) | models.Q(decided_at__isnull=False),
                name="check_decided_has_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True) | ~models.Q(confirmed_by=models.F("recorded_by")),
                name="check_confirmed_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind=CheckKind.BY_HAND, status=CheckStatus.PASSED)
                | (
                    models.Q(recorded_by__isnull=False, decided_at__gte=models.F("counts_from"))
                    & (models.Q(needs_second=False) | models.Q(confirmed_by__isnull=False))
                ),
                name="check_by_hand_passes_by_its_rule",
            ),
            models.CheckConstraint(
                condition=models.Q(status=CheckStatus.PENDING) | models.Q(stated_sealed__isnull=True),
                name="check_decided_keeps_nothing_stated",
            ),
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

    @property
    def seen(self) -> str:
        """What a person of the desk saw, decrypted; empty after a purge."""
        return self.case.unseal(self.seen_sealed, "seen")

    @property
    def declaration(self) -> str:
        """What was declared and signed, decrypted; empty where nothing was, and after a purge."""
        return self.case.unseal(self.declaration_sealed, "declaration")

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be used."""
        return (
            self.status == CheckStatus.PENDING
            and now < self.expires_at
            and self.wrong_attempts < settings.WRONG_ATTEMPTS
        )
