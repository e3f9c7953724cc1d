"""Who asks for somebody else: an agent whom the person allows things, or somebody who lawfully stands for them."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar import keys
from dsar.enums import STANDING_KINDS, RepresentativeKind
from dsar.models.case import Case
from dsar.models.paper import Paper


class Representation(models.Model):
    """One per case: who acts, and on what this rests.

    An agent (11 CCR 7063; GDPR: a mandate) may do what the person allowed, under the proof `allowed_by`, and never more.
    A guardian, attorney or estate stands for the person once two different approvers have seen the authority; the words
    say what each of them saw. The papers that they saw stay with the case; who saw them, and when, stays too.
    """

    case = models.OneToOneField("dsar.Case", models.PROTECT, related_name="representation")
    kind = models.CharField(_("acts as"), max_length=12, choices=RepresentativeKind.choices)
    name_sealed = models.BinaryField(null=True)
    email_sealed = models.BinaryField(null=True)
    email_index = models.CharField(max_length=64, blank=True, db_index=True)
    named_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    may_follow = models.BooleanField(default=False)
    may_receive = models.BooleanField(default=False)
    allowed_at = models.DateTimeField(null=True)
    allowed_by = models.ForeignKey("dsar.IdentityCheck", models.PROTECT, null=True, related_name="+")
    first_seen_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    first_seen_at = models.DateTimeField(null=True)
    first_words_sealed = models.BinaryField(null=True)
    second_seen_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    second_seen_at = models.DateTimeField(null=True)
    second_words_sealed = models.BinaryField(null=True)
    refused_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    refused_at = models.DateTimeField(null=True)
    refused_words_sealed = models.BinaryField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("representation")
        constraints = [
            models.CheckConstraint(
                condition=Q(may_follow=False, may_receive=False) | Q(allowed_at__isnull=False, revoked_at__isnull=True),
                name="representation_allowed_by_the_person",
            ),
            models.CheckConstraint(
                condition=Q(first_seen_by__isnull=True, first_seen_at__isnull=True)
                | Q(first_seen_by__isnull=False, first_seen_at__isnull=False),
                name="representation_first_seen",
            ),
            models.CheckConstraint(
                condition=Q(second_seen_by__isnull=True, second_seen_at__isnull=True)
                | (
                    Q(second_seen_by__isnull=False, second_seen_at__isnull=False, first_seen_by__isnull=False)
                    & ~Q(second_seen_by=F("first_seen_by"))
                ),
                name="representation_two_people",
            ),
            models.CheckConstraint(
                condition=Q(second_seen_at__isnull=True)
                | (Q(kind__in=[kind.value for kind in STANDING_KINDS]) & Q(refused_at__isnull=True)),
                name="representation_agent_never_stands",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in case {self.case_id}"

    @classmethod
    def named(cls, case: Case, kind: str, name: str, email: str, by: int | None = None) -> "Representation":
        """A new one for a case, not saved yet. `by` is who of the desk wrote it down."""
        address = keys.normalise_email(email)
        return cls(
            case=case, kind=kind, name_sealed=case.seal(name, "representative-name"), named_by_id=by,
            email_sealed=case.seal(address, "representative-email"), email_index=keys.email_index(address),
        )  # fmt: skip

    @property
    def name(self) -> str:
        """Their name as a stranger typed it: text, and nothing more."""
        return self.case.unseal(self.name_sealed, "representative-name")

    @property
    def email(self) -> str:
        """Their own address."""
        return self.case.unseal(self.email_sealed, "representative-email")

    @property
    def is_decided(self) -> bool:
        """Whether the authority was seen by two people, refused or ended."""
        return any((self.second_seen_at, self.refused_at, self.revoked_at))

    @property
    def stands(self) -> bool:
        """Whether they lawfully stand for the person now."""
        return self.second_seen_at is not None and self.revoked_at is None

    @property
    def is_allowed(self) -> bool:
        """Whether the person lets them do anything now."""
        return self.may_follow or self.may_receive


class AuthorityPaper(Paper):
    """A paper that shows the authority: looked at by staff alone. Once it was seen it stays with the case, for as long as the
    case does (11 CCR 7101); one that was not enough, or that nobody decided about, is destroyed."""

    representation = models.ForeignKey("dsar.Representation", models.PROTECT, related_name="papers")

    class Meta:
        verbose_name = _("paper of an authority")
        constraints = [
            models.CheckConstraint(
                condition=Q(destroyed_at__isnull=True) | Q(body_sealed__isnull=True, name_sealed__isnull=True),
                name="paper_destroyed_is_empty",
            )
        ]

    @property
    def of_case(self) -> Case:
        """The case of the representation."""
        return self.representation.case
