"""Somebody wants an answer looked at again: an appeal, a complaint to the company, a grievance. A record of its own."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from dsar import deadlines
from dsar.enums import UPHELD, AppealKind, AppealOutcome, Channel
from dsar.law import regimes
from dsar.law.shapes import Regime
from dsar.models.law_days import TODAY, by_law

if TYPE_CHECKING:
    from accounts.models import User

DECIDED = (*UPHELD, AppealOutcome.DISMISSED)


class AppealQuerySet(models.QuerySet["Appeal"]):
    """Finding them by how they stand."""

    def open(self) -> Self:
        """Neither decided nor withdrawn."""
        return self.filter(outcome=AppealOutcome.OPEN)

    def worked_on_by(self, colleague: "User") -> Self:
        """What is open of a colleague's work, the soonest first: their own and what nobody has taken; for approvers all."""
        mine = Q() if colleague.role == Role.APPROVER else Q(assignee_id=colleague.pk) | Q(assignee__isnull=True)
        return self.open().filter(mine).order_by("due_on", "pk")

    def due_for(self, colleague: "User", until: date) -> Self:
        """What a colleague is reminded of, the soonest first: their own whose target comes until a day; approvers also those
        that nobody has taken, and whatever is overdue."""
        soon = Q(target_on__lte=until)
        theirs = Q(assignee_id=colleague.pk) & soon
        if colleague.role == Role.APPROVER:
            theirs |= (Q(assignee__isnull=True) & soon) | by_law(timezone.now(), "regime", due_on__lt=TODAY)
        return self.open().filter(theirs).order_by("due_on", "pk")

    def keeping(self, limit: datetime) -> Self:
        """What keeps its case from being purged: it is open, or it ended after `limit`."""
        return self.filter(Q(outcome=AppealOutcome.OPEN) | Q(decided_at__gt=limit))


class Appeal(models.Model):
    """One request is looked at again, by somebody who did not decide it. The request itself never changes: what an upheld
    appeal sets going is a new request, `opened`.

    `received_at`: when it reached the company, `filed_by` who of the desk wrote it down, `message` the mail that it came
    in. `regime`, `regime_version`: the law it is judged by. `acknowledge_by`: until when the law wants its receipt
    acknowledged (DPA 2018 s.164A). `attention`: why it is stuck. `reasons_sealed`: what the person reads. `same_person`: a
    team of one looked again, on a later day (models/two_people.py).
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="appeals")
    kind = models.CharField(_("kind"), max_length=9, choices=AppealKind.choices)
    channel = models.CharField(_("channel"), max_length=12, choices=Channel.choices)
    received_at = models.DateTimeField(_("received"))
    noted_at = models.DateTimeField(default=timezone.now)
    filed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    message = models.ForeignKey("dsar.Message", models.PROTECT, null=True, related_name="+")
    words_sealed = models.BinaryField(null=True)
    regime = models.CharField(_("law"), max_length=32)
    regime_version = models.CharField(max_length=32)
    acknowledge_by = models.DateField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    due_on = models.DateField(_("answer due"))
    target_on = models.DateField(_("our target"))
    original_due_on = models.DateField(null=True)
    extended_at = models.DateTimeField(null=True)
    assignee = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    attention = models.CharField(_("attention"), max_length=20, blank=True, default="")
    outcome = models.CharField(_("outcome"), max_length=14, choices=AppealOutcome.choices, blank=True, default="")
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reasons_sealed = models.BinaryField(null=True)
    same_person = models.BooleanField(default=False)
    opened = models.OneToOneField("dsar.PrivacyRequest", models.PROTECT, null=True, related_name="opened_by")

    objects = AppealQuerySet.as_manager()

    class Meta:
        verbose_name = _("appeal")
        indexes = [
            models.Index(fields=["due_on", "id"], name="appeal_open", condition=Q(outcome="")),
            models.Index(fields=["received_at"], name="appeal_received"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=AppealKind.values), name="appeal_kind_known"),
            models.CheckConstraint(condition=Q(outcome__in=AppealOutcome.values), name="appeal_outcome_known"),
            models.UniqueConstraint(fields=["request", "kind"], condition=Q(outcome=""), name="appeal_one_open"),
            models.CheckConstraint(
                condition=Q(outcome="", decided_at__isnull=True, decided_by__isnull=True, reasons_sealed__isnull=True)
                | Q(outcome=AppealOutcome.WITHDRAWN, decided_at__isnull=False, reasons_sealed__isnull=True)
                | Q(
                    outcome__in=[one.value for one in DECIDED], decided_at__isnull=False, decided_by__isnull=False,
                    reasons_sealed__isnull=False,
                ),
                name="appeal_decided_by_somebody_with_reasons",
            ),
            models.CheckConstraint(
                condition=(Q(opened__isnull=True) & ~Q(kind=AppealKind.APPEAL, outcome__in=[one.value for one in UPHELD]))
                | Q(opened__isnull=False, outcome__in=[one.value for one in UPHELD]),
                name="appeal_upheld_opens_new_work",
            ),
            models.CheckConstraint(
                condition=Q(extended_at__isnull=True, original_due_on__isnull=True)
                | Q(extended_at__isnull=False, original_due_on__isnull=False),
                name="appeal_extended_from_a_date",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} about request {self.request_id}"

    @property
    def is_open(self) -> bool:
        """Neither decided nor withdrawn."""
        return self.outcome == AppealOutcome.OPEN

    @property
    def was_upheld(self) -> bool:
        """Whether the person was right, wholly or in part."""
        return self.outcome in UPHELD

    @property
    def law(self) -> Regime:
        """The law that it is judged by, in the version in which it was received."""
        return regimes.load(self.regime, self.regime_version)

    def day(self, moment: datetime) -> date:
        """The day that it is at a moment where its law counts."""
        return deadlines.received_on(self.law, moment)

    @property
    def words(self) -> str:
        """Why the person does not agree, decrypted; empty after a purge."""
        return self.request.case.unseal(self.words_sealed, "appeal")

    @property
    def reasons(self) -> str:
        """Why it was decided so, as the person reads it, decrypted."""
        return self.request.case.unseal(self.reasons_sealed, "appeal-reasons")
