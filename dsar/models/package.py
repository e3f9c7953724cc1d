"""The copy of a person's data: where it lies, how it stands, and what was taken out of it and why."""

import json
import uuid
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import PackageStatus

if TYPE_CHECKING:
    from dsar.models.case import Case


class PackageQuerySet(models.QuerySet["Package"]):
    """Copies, whole or half made."""

    def retire(self) -> int:
        """These are no longer to be had. Their files go with the next sweep, or earlier by `package.remove_files`."""
        return self.exclude(status=PackageStatus.GONE).update(status=PackageStatus.GONE, gone_at=None)


class Package(models.Model):
    """One version of a copy: a zip, encrypted at rest under the case's key (GDPR Art 15(3), 20, 32).

    `name` is its name in the storage (made by us, says nothing), `size` and `digest` (SHA-256, hex) are those of the
    plain zip. It is on offer from `offered_at` until `expires_at`; then its file goes and the row stays, with the manifest:
    what was in it, and never a value of it.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="packages")
    version = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(_("status"), max_length=8, choices=PackageStatus.choices, default=PackageStatus.BUILDING)
    name = models.CharField(max_length=80, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    rows = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now)
    offered_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    downloaded_at = models.DateTimeField(null=True)
    downloads = models.PositiveIntegerField(default=0)
    gone_at = models.DateTimeField(null=True)
    manifest_sealed = models.BinaryField(null=True)

    objects = PackageQuerySet.as_manager()

    class Meta:
        verbose_name = _("copy")
        constraints = [
            models.UniqueConstraint(fields=["request", "version"], name="package_one_of_a_version"),
            models.CheckConstraint(
                condition=models.Q(status__in=[PackageStatus.BUILDING, PackageStatus.GONE])
                | (~models.Q(name="") & ~models.Q(digest="")),
                name="package_is_whole_before_anybody_sees_it",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=PackageStatus.OFFERED)
                | models.Q(offered_at__isnull=False, expires_at__isnull=False),
                name="package_on_offer_has_an_end",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at", "id"], name="package_to_expire", condition=models.Q(status=PackageStatus.OFFERED)
            )
        ]

    def __str__(self) -> str:
        return f"copy {self.version} of request {self.request_id}"

    def describe(self, case: "Case", manifest: dict[str, Any]) -> None:
        """Note what is in it (unsaved)."""
        self.manifest_sealed = case.seal(json.dumps(manifest), f"manifest:{self.uid}")

    def manifest(self, case: "Case") -> dict[str, Any]:
        """What is or was in it: tables, columns, counts, what was left out and why; empty after a purge."""
        found: dict[str, Any] = json.loads(case.unseal(self.manifest_sealed, f"manifest:{self.uid}") or "{}")
        return found

    @property
    def is_offered(self) -> bool:
        """Whether it can be downloaded now: handed over, and its time is not over."""
        within = self.expires_at is None or timezone.now() < self.expires_at
        return self.status == PackageStatus.OFFERED and within


class CopyPart(models.Model):
    """One chunk of what was copied from a source, sealed under the case's key: the spool a package is made of.

    Recorded in the transaction that moves the step's cursor, so that there is no part nobody finished. `body_sealed` is
    compressed JSON, one row per line. `tables` says what is in it, in order: [{table, category, rows, columns}].
    `size` is that of the plain text in bytes. It goes as soon as the copy is handed over.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="copy_parts")
    source = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    tables = models.JSONField(default=list)
    rows = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    body_sealed = models.BinaryField(null=True)

    class Meta:
        verbose_name = _("part of a copy")
        constraints = [models.UniqueConstraint(fields=["request", "source", "number"], name="copy_part_once")]

    def __str__(self) -> str:
        return f"part {self.number} of {self.source} for request {self.request_id}"


class Redaction(models.Model):
    """Something that is left out of a copy, for a reason of law: a row, or one column of it (an empty `column` is the
    whole row). `row_sealed` is the row's key in its table (GDPR Art 15(4); 11 CCR 7024)."""

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="redactions")
    source = models.CharField(max_length=40)
    table = models.CharField(max_length=128)
    row_sealed = models.BinaryField(null=True)
    column = models.CharField(max_length=128, blank=True)
    code = models.CharField(max_length=40)
    text_sealed = models.BinaryField(null=True)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("redaction")

    def __str__(self) -> str:
        return f"redaction {self.pk} in request {self.request_id}"
