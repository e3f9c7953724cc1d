"""A refusal that one person proposes and another one has to confirm before it happens (four eyes)."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar.enums import DecisionKind, ProposalStatus

KINDS = (DecisionKind.REFUSE, DecisionKind.NARROW, DecisionKind.NOT_DONE)


class ProposalQuerySet(models.QuerySet["Proposal"]):
    """Finding them."""

    def standing(self) -> Self:
        """Those that wait for their second person."""
        return self.filter(status=ProposalStatus.STANDING)


class Proposal(models.Model):
    """What would be refused, by which code of the law, in which words; nothing moves and no letter leaves before somebody
    else confirms it. One stands at a time. It is withdrawn where the request moves otherwise, or the person wrote since.

    `kind`: the request is refused; or the plan of a confirmed deletion narrowed: then `keep` lists [source, category] and
    `review_on` says when somebody looks again; or one `step` left undone, where it waits for a person.
    `record_sealed`: what the reason needs beside the words for the person.
    `forbidden_by`: the law that forbids to tell the reason, looked at again on `forbidden_until` (non_disclosure.py).
    `note_sealed`: why it was sent back. `same_person`: both looks were one person's, on different days (two_people.py).
    Words never change once they are written.
    """

    request = models.ForeignKey("dsar.PrivacyRequest", models.PROTECT, related_name="proposals")
    kind = models.CharField(_("proposal"), max_length=20, choices=[(one.value, one.label) for one in KINDS])
    code = models.CharField(_("reason"), max_length=40)
    citation = models.CharField(_("source"), max_length=200, blank=True)
    text_sealed = models.BinaryField(null=True)
    keep = models.JSONField(default=list)
    record_sealed = models.BinaryField(null=True)
    review_on = models.DateField(_("review on"), null=True)
    forbidden_by = models.CharField(_("law that forbids to tell the reason"), max_length=200, blank=True)
    forbidden_until = models.DateField(null=True)
    step = models.ForeignKey("dsar.Step", models.PROTECT, null=True, related_name="+")
    proposed_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    status = models.CharField(
        _("status"), max_length=10, choices=ProposalStatus.choices, default=ProposalStatus.STANDING
    )
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note_sealed = models.BinaryField(null=True)
    same_person = models.BooleanField(default=False)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposal")
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(status=ProposalStatus.STANDING), name="proposal_one_stands"
            ),
            models.CheckConstraint(
                condition=Q(status=ProposalStatus.STANDING, decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(status=ProposalStatus.STANDING) & Q(decided_at__isnull=False)),
                name="proposal_decided_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status=ProposalStatus.CONFIRMED)
                | (Q(decided_by__isnull=False) & (~Q(decided_by=F("proposed_by")) | Q(same_person=True))),
                name="proposal_confirmed_by_another",
            ),
            models.CheckConstraint(
                condition=Q(forbidden_by="", forbidden_until__isnull=True)
                | (~Q(forbidden_by="") & Q(forbidden_until__isnull=False)),
                name="proposal_forbidden_has_a_review",
            ),
            models.CheckConstraint(
                condition=Q(kind=DecisionKind.NOT_DONE, step__isnull=False)
                | (~Q(kind=DecisionKind.NOT_DONE) & Q(step__isnull=True)),
                name="proposal_undone_names_a_step",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} proposed for request {self.request_id}"

    @property
    def text(self) -> str:
        """What the requester would read, decrypted."""
        return self.request.case.unseal(self.text_sealed, "proposal")

    @property
    def record(self) -> str:
        """What is for the record and not for the person: what was weighed against what, or the facts that we have to show."""
        return self.request.case.unseal(self.record_sealed, "proposal-record")

    @property
    def note(self) -> str:
        """Why it was sent back, for colleagues."""
        return self.request.case.unseal(self.note_sealed, "proposal-note")

    @property
    def is_standing(self) -> bool:
        """Whether it waits for its second person."""
        return self.status == ProposalStatus.STANDING

    @property
    def first(self) -> tuple[int | None, datetime]:
        """Who proposed it, and when: the first of two looks."""
        return self.proposed_by_id, self.proposed_at
