"""What the law forbids to tell the person: something kept, a reason for refusing, a row left out of a copy."""

from typing import Self

from django.db import models
from django.db.models import F, Func, IntegerField, Q
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import COPY_RIGHTS, Right, SilenceKind
from dsar.models.privacy_request import PrivacyRequest

LONGEST_DAYS = 90
# The judgement flag of a request whose person is not told something in another one, and the rights whose letters could
# tell it.
SILENT_ELSEWHERE = "silent_elsewhere"
COULD_TELL = (Right.KNOW, *COPY_RIGHTS, Right.DELETION, Right.CORRECTION)


class DaysBetween(Func):
    """The days from the second date to the first one."""

    output_field = IntegerField()
    arity = 2
    template = "(CAST(julianday(%(expressions)s) AS INTEGER))"
    arg_joiner = ") - julianday("

    def as_postgresql(self, compiler, connection, **extra):  # type: ignore[no-untyped-def]
        """Dates are subtracted as they are."""
        return super().as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner=" - ", **extra)


class NonDisclosureQuerySet(models.QuerySet["NonDisclosure"]):
    """Finding them."""

    def standing(self) -> Self:
        """What is not told: also what still waits for its second person, since what was told cannot be taken back."""
        return self.filter(ended_at__isnull=True)

    def pending(self) -> Self:
        """Those that wait for their second person; nothing leaves the house meanwhile."""
        return self.standing().filter(second_at__isnull=True)

    def elsewhere(self, request: PrivacyRequest) -> Self:
        """What another request of the same person does not tell: of the same case, or of the same proven identity."""
        case = request.case
        theirs = Q(request__case=case.pk)
        if case.subject_id:
            theirs |= Q(request__case__subject=case.subject_id)
        return self.standing().filter(theirs).exclude(request=request.pk)


class NonDisclosure(models.Model):
    """Two approvers found that a law (`citation`) forbids to tell it; the person gets the neutral sentence that stands in
    every letter. In force from `since`, it ends or is renewed, by two again, on `review_on`, 90 days later at most.

    `kind`: something kept (`source`, `category`, `code` of the plan), a row left out of a copy (`redaction`; empty once it
    may be told and was put back), or the reason of one refusal (`decision`), of no other. `renews`: the one whose place it
    takes. `same_person`: both looks were one person's (two_people.py).
    Past its day of review it is still not told: somebody has to look, by name.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="non_disclosures")
    kind = models.CharField(_("what"), max_length=8, choices=SilenceKind.choices)
    source = models.CharField(max_length=40, blank=True)
    category = models.CharField(max_length=60, blank=True)
    code = models.CharField(_("reason"), max_length=40, blank=True)
    redaction = models.ForeignKey("dsar.Redaction", models.SET_NULL, null=True, related_name="non_disclosures")
    decision = models.ForeignKey("dsar.Decision", models.PROTECT, null=True, related_name="non_disclosures")
    citation = models.CharField(_("law"), max_length=200)
    text_sealed = models.BinaryField(null=True)
    renews = models.ForeignKey("self", models.PROTECT, null=True, related_name="renewed_by")
    first_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    first_at = models.DateTimeField(default=timezone.now)
    second_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    second_at = models.DateTimeField(null=True)
    same_person = models.BooleanField(default=False)
    since = models.DateField(null=True)
    review_on = models.DateField(_("review on"))
    end_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    end_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    objects = NonDisclosureQuerySet.as_manager()

    class Meta:
        verbose_name = _("what the law forbids to tell")
        constraints = [
            models.CheckConstraint(
                condition=LessThanOrEqual(DaysBetween(F("review_on"), F("since")), LONGEST_DAYS),
                name="non_disclosure_within_90_days",
            ),
            models.CheckConstraint(
                condition=Q(second_at__isnull=True, second_by__isnull=True, since__isnull=True)
                | (
                    Q(second_at__isnull=False, second_by__isnull=False, since__isnull=False)
                    & (~Q(second_by=F("first_by")) | Q(same_person=True))
                ),
                name="non_disclosure_by_two",
            ),
            models.CheckConstraint(condition=~Q(citation=""), name="non_disclosure_by_a_law"),
            models.CheckConstraint(
                condition=Q(kind=SilenceKind.KEPT, redaction__isnull=True, decision__isnull=True)
                & ~Q(source="")
                & ~Q(code="")
                | Q(kind=SilenceKind.ROW, decision__isnull=True)
                & (Q(redaction__isnull=False) | Q(ended_at__isnull=False))
                | Q(kind=SilenceKind.REFUSAL, redaction__isnull=True, decision__isnull=False),
                name="non_disclosure_of_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of request {self.request_id}, not told"

    @property
    def text(self) -> str:
        """Why it may not be told, for the record."""
        return self.request.case.unseal(self.text_sealed, "non-disclosure")

    @property
    def is_standing(self) -> bool:
        """Whether it is not told: in force, or waiting for its second person."""
        return self.ended_at is None

    @property
    def is_pending(self) -> bool:
        """Whether it waits for its second person."""
        return self.is_standing and self.second_at is None

    @property
    def is_in_force(self) -> bool:
        """Whether two people have found so."""
        return self.second_at is not None and self.ended_at is None
