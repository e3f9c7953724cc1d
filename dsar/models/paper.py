"""Papers that people send to show who they are, or by what right they act: sealed under the key of the case, opened by few."""

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from dsar.models.case import Case


class Paper(models.Model):
    """A file from outside. It is emptied when its time is over; that it was there, and who has seen it, stays."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name_sealed = models.BinaryField(null=True)
    body_sealed = models.BinaryField(null=True)
    size = models.PositiveIntegerField()
    received_at = models.DateTimeField(default=timezone.now)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"paper {self.pk}"

    @property
    def of_case(self) -> "Case":
        """The case under whose key it is sealed."""
        raise NotImplementedError

    def fill(self, name: str, body: bytes) -> None:
        """Seal what came, unsaved."""
        self.size = len(body)
        self.name_sealed = self.of_case.seal(name[:200], f"paper-name-{self.uid}")
        self.body_sealed = self.of_case.seal(body, f"paper-{self.uid}")

    @property
    def name(self) -> str:
        """What their system called it, decrypted; empty once it is destroyed."""
        return self.of_case.unseal(self.name_sealed, f"paper-name-{self.uid}")

    @property
    def body(self) -> bytes:
        """The file, decrypted; empty once it is destroyed."""
        return self.of_case.unseal_bytes(self.body_sealed, f"paper-{self.uid}")


class IdentityPaper(Paper):
    """A copy of an identity paper, which the person was asked for in an identity check (GDPR Art 12(6), exceptional) or which
    came by letter. Destroyed once that check is decided (law 12). `filed_by`: a colleague, where it came on another way."""

    check_ref = models.ForeignKey("dsar.IdentityCheck", models.PROTECT, related_name="papers")
    filed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("identity paper")
        constraints = [
            models.CheckConstraint(
                condition=Q(destroyed_at__isnull=True) | Q(body_sealed__isnull=True, name_sealed__isnull=True),
                name="identity_paper_destroyed_is_empty",
            )
        ]

    @property
    def of_case(self) -> "Case":
        """The case of the check."""
        return self.check_ref.case
