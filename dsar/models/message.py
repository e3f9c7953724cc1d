"""The conversation and the outbox: what was said, what is to be sent, what could not be."""

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import CheckStatus
from dsar.notices import CODE_NOTICES, TO_OTHERS, MessageStatus, Notice

TELL_AFTER = 8  # tries, which take an hour: after them a person has to know
SETTLED = ("purged", "decided")  # reasons for which a mail is not to be sent any more


class MessageQuerySet(models.QuerySet["Message"]):
    """The conversation."""

    def undelivered(self) -> Self:
        """Letters that could not be sent for an hour, or were given up, and that somebody still waits for. Not a code:
        whoever needs one asks again; nor a link that a newer one replaced."""
        late = models.Q(status__in=[MessageStatus.QUEUED, MessageStatus.CLAIMED], attempts__gte=TELL_AFTER)
        return (
            self.filter(late | models.Q(status=MessageStatus.FAILED))
            .exclude(notice__in=CODE_NOTICES)
            .exclude(reason__in=SETTLED)
            .exclude(check_ref__status=CheckStatus.SUPERSEDED)
        )


class Message(models.Model):
    """One message. Outgoing ones store a template's name and references, never a rendered link.

    `dedupe` makes a notice that was already queued for the same event harmless. `to_sealed` is the
    address of those to whom a notice goes that is not for the person (TO_OTHERS: data owners, recipients of the data).
    `by_post`: a letter on paper; TO_POST until a person has posted it, `sent_at` is the day on which it went.
    """

    case = models.ForeignKey("dsar.Case", models.PROTECT, related_name="messages")
    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, null=True, related_name="messages")
    notice = models.CharField(_("notice"), max_length=20, choices=Notice.choices, blank=True)
    check_ref = models.ForeignKey("dsar.IdentityCheck", models.PROTECT, null=True, related_name="+")
    decision = models.ForeignKey("dsar.Decision", models.PROTECT, null=True, related_name="+")
    appeal = models.ForeignKey("dsar.Appeal", models.PROTECT, null=True, related_name="messages")
    author = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    text_sealed = models.BinaryField(null=True)
    to_sealed = models.BinaryField(null=True)
    to_index = models.CharField(max_length=64, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=MessageStatus.choices, default=MessageStatus.QUEUED)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    by_post = models.BooleanField(default=False)
    urgent = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    dedupe = models.CharField(max_length=80, unique=True, null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        indexes = [
            models.Index(
                fields=["-urgent", "due_at", "id"],
                name="message_open",
                condition=models.Q(status__in=[MessageStatus.QUEUED, MessageStatus.CLAIMED]),
            ),
            models.Index(
                fields=["created_at", "id"],
                name="message_to_post",
                condition=models.Q(status=MessageStatus.TO_POST),
            ),
            models.Index(fields=["to_index", "created_at"], name="message_to"),
            models.Index(fields=["case", "created_at"], name="message_conversation"),
        ]

    def __str__(self) -> str:
        return f"{self.notice or self.status} of case {self.case_id}"

    @property
    def text(self) -> str:
        """What was written, decrypted; empty after a purge."""
        return self.case.unseal(self.text_sealed, "message")

    @property
    def to(self) -> str:
        """Whom it goes to: the person, or who else is told. What is for others never falls back to the person."""
        return self.case.unseal(self.to_sealed, "to") if self.notice in TO_OTHERS else self.case.contact
