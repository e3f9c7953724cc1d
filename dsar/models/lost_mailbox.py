"""A mailbox that nobody can read any more: the new address, who was told, and from when it counts."""

from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar import keys
from dsar.models.case import Case


class LostMailboxQuerySet(QuerySet["LostMailbox"]):
    """Finding them by how they stand."""

    def open(self) -> "LostMailboxQuerySet":
        """Neither counting, nor stopped, nor dropped."""
        return self.filter(opened_at__isnull=True, objected_at__isnull=True, dropped_at__isnull=True)

    def counting(self) -> "LostMailboxQuerySet":
        """Opened by the rule, and nobody has objected since."""
        return self.filter(opened_at__isnull=False, objected_at__isnull=True)


class LostMailbox(models.Model):
    """A case is to be written to at another address. `check` is how the identity was shown (tier 3, or two approvers);
    then every address of the person that we know is told (`noticed_at`), and from `opens_at` (LOST_MAILBOX later) the
    new one counts, unless somebody at one of them objected."""

    case = models.ForeignKey("dsar.Case", models.PROTECT, related_name="lost_mailboxes")
    address_sealed = models.BinaryField(null=True)
    address_index = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    shown_by = models.ForeignKey("dsar.IdentityCheck", models.PROTECT, null=True, related_name="+")
    noticed_at = models.DateTimeField(null=True)
    opens_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    objected_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)

    objects = LostMailboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("lost mailbox")
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(opened_at__isnull=True, objected_at__isnull=True, dropped_at__isnull=True),
                name="lost_mailbox_one_open",
            ),
            models.CheckConstraint(
                condition=Q(noticed_at__isnull=True, opens_at__isnull=True)
                | Q(noticed_at__isnull=False, shown_by__isnull=False, opens_at__gte=F("noticed_at")),
                name="lost_mailbox_told_once_shown",
            ),
            models.CheckConstraint(
                condition=Q(opened_at__isnull=True)
                | (
                    Q(opens_at__isnull=False, opened_at__gte=F("opens_at"), dropped_at__isnull=True)
                    & (Q(objected_at__isnull=True) | Q(objected_at__gte=F("opened_at")))
                ),
                name="lost_mailbox_opens_after_its_notice",
            ),
        ]

    def __str__(self) -> str:
        return f"lost mailbox in case {self.case_id}"

    @classmethod
    def named(cls, case: Case, email: str, by: int | None = None) -> "LostMailbox":
        """A new one for a case, not saved yet. `by` is who of the desk wrote it down."""
        address = keys.normalise_email(email)
        return cls(
            case=case, address_sealed=case.seal(address, "new-address"), address_index=keys.email_index(address),
            asked_by_id=by,
        )  # fmt: skip

    @property
    def address(self) -> str:
        """The new address, decrypted; empty after a purge."""
        return self.case.unseal(self.address_sealed, "new-address")
