"""One person's contact: who, by which channel, under which law, and the conversation."""

import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar import keys
from dsar.enums import Channel, ContactBy
from dsar.law import regimes
from dsar.law.regimes import Regime

if TYPE_CHECKING:
    from dsar.models.intake import Intake

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """A reference that can be read over the telephone (Crockford's alphabet), 50 bits, not a counter."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(10))
    return f"RD-{letters[:5]}-{letters[5:]}"


class CaseKey(models.Model):
    """The wrapped data key of one case, kept apart from the data: destroying this row makes the case unreadable."""

    case_uid = models.UUIDField(primary_key=True, editable=False)
    key_id = models.CharField(max_length=32)
    wrapped = models.BinaryField()

    def __str__(self) -> str:
        return f"key of {self.case_uid}"


class CaseQuerySet(QuerySet["Case"]):
    """Finding cases without knowing anything personal about them."""

    def of_email(self, address: str) -> "CaseQuerySet":
        """Cases that came from this address, by keyed hash; none for a placeholder."""
        index = keys.email_index(address)
        return self.filter(email_index=index) if index else self.none()

    def with_a_mailbox(self) -> "CaseQuerySet":
        """Cases whose person can be sent a mail: not answered by post alone, and not by a machine that nobody proved."""
        unread = Q(by_post=True, contact_sealed__isnull=True) | Q(machine_mail=True, email_proven_at__isnull=True)
        return self.filter(purged_at__isnull=True).exclude(unread)


class Case(models.Model):
    """A contact. Everything personal in it is sealed under the case's own key (GDPR Art 32)."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reference = models.CharField(_("reference"), max_length=14, unique=True, default=new_reference, editable=False)
    channel = models.CharField(_("channel"), max_length=12, choices=Channel.choices)
    regime = models.CharField(_("law"), max_length=32)
    regime_version = models.CharField(max_length=32, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    region = models.CharField(_("state"), max_length=8, blank=True)
    language = models.CharField(_("language"), max_length=12, default="en-gb")
    policy_version = models.CharField(max_length=32, blank=True)
    acts_as = models.CharField(_("asks for"), max_length=12, default="self")
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    email_sealed = models.BinaryField(null=True)
    email_index = models.CharField(max_length=64, blank=True, db_index=True)
    email_proven_at = models.DateTimeField(null=True)
    proven_tier = models.PositiveSmallIntegerField(default=0)
    contact_sealed = models.BinaryField(null=True)
    by_post = models.BooleanField(_("answered by post"), default=False)
    postal_sealed = models.BinaryField(null=True)
    contact_by = models.CharField(max_length=16, choices=ContactBy.choices, blank=True, default=ContactBy.OWN)
    contact_at = models.DateTimeField(null=True)
    mailbox_lost = models.BooleanField(default=False)
    name_sealed = models.BinaryField(null=True)
    subject = models.ForeignKey("dsar.Subject", models.PROTECT, null=True, related_name="cases")
    reply_index = models.CharField(max_length=64, blank=True, db_index=True)
    machine_mail = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)
    audit_length = models.PositiveIntegerField(default=0)
    audit_head = models.CharField(max_length=64, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        indexes = [models.Index(fields=["received_at", "id"], name="case_received")]
        constraints = [
            models.CheckConstraint(
                condition=Q(by_post=False) | Q(postal_sealed__isnull=False) | Q(purged_at__isnull=False),
                name="case_by_post_has_an_address",
            ),
            models.CheckConstraint(
                condition=Q(contact_sealed__isnull=True, contact_by="")
                | (Q(contact_sealed__isnull=False, contact_at__isnull=False) & ~Q(contact_by="")),
                name="case_another_contact_by_a_rule",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def law(self) -> Regime:
        """The law of this case in the version in which it was received: a file changed since changes nothing here."""
        return regimes.load(self.regime, self.regime_version or None)

    @property
    def chain(self) -> str:
        """The name of this case's audit chain."""
        return str(self.uid)

    def key(self) -> bytes:
        """The plain data key; raises keys.Unreadable after a purge. Cached on the object, never stored."""
        plain: bytes | None = self.__dict__.get("_key")
        if plain is None:
            row = CaseKey.objects.filter(pk=self.uid).first()
            if row is None:
                raise keys.Unreadable("the case was purged")
            plain = self.__dict__["_key"] = keys.unwrap(row.key_id, bytes(row.wrapped))
        return plain

    def share_key(self, other: "Case | Intake") -> None:
        """Take over the plain key that another object of this case, or of the item it came from, has at hand."""
        plain = other.__dict__.get("_key")
        if plain is not None and other.uid == self.uid:
            self.__dict__["_key"] = plain

    def make_key(self) -> CaseKey:
        """A new data key for a case that is being made; the caller saves the returned row."""
        key_id, wrapped, plain = keys.new_case_key()
        self.__dict__["_key"] = plain
        return CaseKey(case_uid=self.uid, key_id=key_id, wrapped=wrapped)

    def seal(self, text: str | bytes, place: str) -> bytes | None:
        """Encrypt a value for the field `place` of this case; None for an empty one."""
        return keys.seal(self.key(), text, f"{self.uid}:{place}") if text else None

    def unseal(self, sealed: bytes | memoryview | None, place: str) -> str:
        """Decrypt to text; empty for None and after a purge."""
        return self.unseal_bytes(sealed, place).decode("utf-8", "replace")

    def unseal_bytes(self, sealed: bytes | memoryview | None, place: str) -> bytes:
        """Decrypt to bytes; empty for None and after a purge."""
        if sealed is None or self.purged_at:
            return b""
        return keys.unseal(self.key(), bytes(sealed), f"{self.uid}:{place}")

    @property
    def email(self) -> str:
        """The address that was typed or written from; proven only where `email_proven_at` is set."""
        return self.unseal(self.email_sealed, "email")

    @property
    def contact(self) -> str:
        """Where the person of this case is written to: the address that they gave, or another one that took its place by
        a rule of the house (a lost mailbox, somebody who lawfully stands for the person). Never used to find data.
        Empty for whoever has no mailbox: their letters are printed and posted to `postal`."""
        return self.unseal(self.contact_sealed, "contact") or ("" if self.by_post else self.email)

    @property
    def postal(self) -> str:
        """The postal address that the person gave, line by line as it stands on an envelope; empty where there is none."""
        return self.unseal(self.postal_sealed, "postal")

    @property
    def name(self) -> str:
        """The name that the person gave, if any."""
        return self.unseal(self.name_sealed, "name")

    @property
    def email_masked(self) -> str:
        """Enough to recognise, not enough to write to."""
        return keys.masked(self.email) if self.email else ""

    @property
    def contact_masked(self) -> str:
        """The same of the address that is written to."""
        return keys.masked(self.contact) if self.contact else ""

    @property
    def is_proven(self) -> bool:
        """Whether somebody showed that they read this mailbox."""
        return self.email_proven_at is not None

    def known_addresses(self) -> list[str]:
        """Every address of the person that a proof or a rule of the house has shown: the one that the case is known by,
        the one that it is written to, and those of earlier cases of the same proven identity."""
        found = [self.email, self.contact]
        if self.subject_id:
            others = Case.objects.filter(subject_id=self.subject_id, purged_at__isnull=True).exclude(pk=self.pk)
            found += [other.contact for other in others.exclude(contact_by=ContactBy.OWN).order_by("pk")]
        return list(dict.fromkeys(filter(None, found)))

    def counts_since(self, proven_at: datetime) -> bool:
        """Whether a proof of the address that the case is written to still counts: one from before a change of that
        address was a proof of another."""
        return self.contact_at is None or proven_at > self.contact_at

    def reply_address(self) -> str:
        """Where an answer by mail reaches this case: privacy+TOKEN@, the token being a keyed hash."""
        local, _, domain = settings.PRIVACY_EMAIL.partition("@")
        return f"{local}+{reply_token(self)}@{domain}"


def with_keys(cases: Iterable[Case]) -> None:
    """Fetch the keys of many cases in one query, so that reading what is sealed in them costs none each."""
    by_uid: dict[uuid.UUID, list[Case]] = {}
    for case in cases:
        if not case.purged_at:
            by_uid.setdefault(case.uid, []).append(case)
    for row in CaseKey.objects.filter(pk__in=by_uid):
        plain = keys.unwrap(row.key_id, bytes(row.wrapped))
        for case in by_uid[row.case_uid]:
            case.__dict__["_key"] = plain


def reply_token(case: Case) -> str:
    """130 bits for the plus-part of the reply address; only its hash is stored."""
    number = int.from_bytes(keys.mac("reply", str(case.uid))[:16], "big")
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)).lower()
