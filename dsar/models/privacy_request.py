"""One right that one person asks for: its state machine, its clock, its end. The whole machine is in this file."""

import uuid
from datetime import date, datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import RETURN_VALUE, FSMField, FSMModelMixin, transition

from dsar.enums import FINAL_STATES, UNVERIFIED_RIGHTS, Outcome, Raised, Right, State, StepReason
from dsar.models.request_conditions import (
    address_on_file,
    answers_help,
    anybody_of_the_case,
    anybody_who_asks_or_answers,
    approver,
    copy_in_hand,
    disputed,
    fee_is_open,
    handler,
    has_right,
    is_copy,
    is_deletion,
    is_located,
    is_never_confirmed,
    is_no_choice,
    is_no_copy,
    mailbox_proven,
    may_be_approved,
    may_be_charged,
    may_be_referred_by_one,
    may_fall_back,
    may_lapse,
    more_proof_counts,
    names_no_account,
    narrowing_proposed,
    no_copy_awaited,
    not_disputed,
    not_extended,
    nothing_proposed,
    overtaken_by_a_deletion,
    proposed_outcome,
    question_is_open,
    quiet_period_over,
    refusal_proposed,
    releaser,
    requester,
    second_approver,
    silence_settled,
    system,
    unsorted,
    was_looked_for,
    who_may_approve,
    who_may_hand_over,
)
from dsar.models.request_queues import LEAVABLE_STATES, PrivacyRequestQuerySet
from dsar.models.request_table import CONSTRAINTS, INDEXES
from dsar.models.unanswered import lapses_as

# The judgement flag of what the proof of its case does not reach, of what somebody says that they did not ask for, and of
# what came back without its fee.
TIER = "tier"
NOT_ME = "not_me"
UNPAID = "fee_unpaid"


class PrivacyRequest(FSMModelMixin, models.Model):
    """A request. `state` changes only through `workflow.move()`; the transitions below set fields and nothing else.

    `attention`: why its work is stuck. `undelivered_at`, `unread_at`: since when a letter about it cannot be delivered
    (kept by the outbox), and since when an answer of the person waits to be read; no state and no work clears them.
    `raised`: what the clock says of it (review/dates.py). `paused_reason`: what the law waits for, so that there is no
    legal date; `due_on` is then the earliest that it can become. `promised_on`: a date that the person was told before the
    law of the case was corrected; our target never lies after it. `answered_on`: the day (in the zone of the law) on which
    the letter that answers it left, or on which it ended where none does; None while that letter is still here.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    case = models.ForeignKey("dsar.Case", models.PROTECT, related_name="requests")
    right = models.CharField(_("right"), max_length=20, choices=Right.choices, blank=True, default="")
    state = FSMField(_("state"), max_length=12, choices=State.choices, default=State.RECEIVED, protected=True)
    received_at = models.DateTimeField(_("received"))
    entered_at = models.DateTimeField(default=timezone.now)
    due_on = models.DateField(_("answer due"), null=True)
    target_on = models.DateField(_("our target"), null=True)
    original_due_on = models.DateField(null=True)
    promised_on = models.DateField(null=True)
    extended_at = models.DateTimeField(null=True)
    extended_until = models.DateField(null=True)
    paused_reason = models.CharField(max_length=40, blank=True)
    tier_needed = models.PositiveSmallIntegerField(default=2)
    asked_in = models.CharField(max_length=12, blank=True)
    answer_by = models.DateTimeField(null=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    reminded_at = models.DateTimeField(null=True)
    located_at = models.DateTimeField(null=True)
    judgement = models.JSONField(default=list)
    attention = models.CharField(_("attention"), max_length=20, blank=True, default="")
    undelivered_at = models.DateTimeField(null=True)
    unread_at = models.DateTimeField(null=True)
    raised = models.CharField(max_length=20, choices=Raised.choices, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True)
    quiet_until = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)
    disputed_at = models.DateTimeField(null=True)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices, blank=True, default="")
    ended_at = models.DateTimeField(null=True)
    answered_on = models.DateField(null=True)
    waived_copy_at = models.DateTimeField(null=True)
    take_back = models.BooleanField(default=False)
    after = models.ForeignKey("self", models.PROTECT, null=True, related_name="followers")
    statement_sealed = models.BinaryField(null=True)
    assignee = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    objects = PrivacyRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request")
        indexes = INDEXES
        constraints = CONSTRAINTS

    def __str__(self) -> str:
        return f"{self.right or 'unsorted'} {self.pk}"

    @property
    def title(self) -> str:
        """What is asked for, in a few words: the right, or the choice that is taken back."""
        label = str(Right(self.right).label)
        return str(_("%(choice)s (taken back)")) % {"choice": label} if self.take_back else label

    @property
    def is_bound(self) -> bool:
        """Whether the person has confirmed: from here nothing leads back (law 3)."""
        return self.confirmed_at is not None

    @property
    def is_ended(self) -> bool:
        """Whether it has an outcome."""
        return self.state in FINAL_STATES

    @property
    def asks_who(self) -> bool:
        """Whether it is open, about a right that is proven, and before anything was confirmed or carried out."""
        gone_on = self.is_ended or self.is_bound or self.state in (State.RELEASING, State.FULFILLING)
        return bool(self.right) and self.right not in UNVERIFIED_RIGHTS and not gone_on

    @property
    def named_reason(self) -> str:
        """Why it is stuck: what stopped the work, else a letter that could not be sent, else what the clock has raised
        (law 9); empty where nothing is."""
        return self.attention or (StepReason.MAIL_FAILED.value if self.undelivered_at else "") or self.raised

    @property
    def legal_date(self) -> date | None:
        """The day by which the law wants the answer; None while it has none."""
        return None if self.paused_reason else self.due_on

    @property
    def statement(self) -> str:
        """What the person wrote, decrypted."""
        return self.case.unseal(self.statement_sealed, "statement")

    def _end(self, outcome: str, now: datetime) -> None:
        self.outcome = outcome
        self.ended_at = now
        self.attention = self.raised = ""

    @property
    def is_proven_enough(self) -> bool:
        """Whether this right asks for no proof (law 12), or the case is proven as surely as it asks (11 CCR 7060-7062), by
        right answers too where these help."""
        if self.right in UNVERIFIED_RIGHTS:
            return True
        case = self.case
        return case.is_proven and (case.proven_tier >= self.tier_needed or answers_help(self))

    def _by_proof(self) -> str:
        """To the proof, or past it where none is needed or the case has it already. Where the case is proven and that is
        not enough, another link would move nothing: a person looks further."""
        if self.is_proven_enough:
            return State.LOCATING
        return self._below_its_tier() if self.case.is_proven else State.VERIFYING

    def _below_its_tier(self) -> str:
        self.judgement = sorted({*self.judgement, TIER} - {"not_proven"})
        return State.REVIEW

    # --- into the house -------------------------------------------------------------------------------------------

    @transition(
        field=state,
        source=State.RECEIVED,
        target=RETURN_VALUE(State.TRIAGE, State.VERIFYING, State.LOCATING, State.REVIEW),
        permission=system,
    )
    def route(self, *, now: datetime, clear: bool = True) -> str:
        """Routed at once: to a person where anything is unclear, otherwise to the proof or past it."""
        return self._by_proof() if self.right and clear else State.TRIAGE

    @transition(
        field=state,
        source=[State.TRIAGE, State.REVIEW],
        target=RETURN_VALUE(State.VERIFYING, State.LOCATING, State.REVIEW),
        permission=handler,
        conditions=[unsorted],
    )
    def classify(self, *, now: datetime, right: str, due_on: date, target_on: date, tier: int) -> str:
        """A person says which right it is; the clock runs from receipt all the same."""
        if right not in Right.values or not right:
            raise ValueError("right")
        self.right, self.due_on, self.target_on, self.tier_needed = right, due_on, target_on, tier
        return self._by_proof()

    @transition(field=state, source=State.TRIAGE, target=State.TRIAGE, permission=handler)
    def split(self, *, now: datetime) -> None:
        """One contact asks for several rights: the caller opens the others beside this one, each in TRIAGE."""

    @transition(field=state, source=State.TRIAGE, target=State.COMPLETED, permission=handler)
    def merge(self, *, now: datetime) -> None:
        """The same was asked before, in a *verified* twin, which will answer it."""
        self._end(Outcome.MERGED, now)

    @transition(field=state, source=State.TRIAGE, target=State.REJECTED, permission=handler)
    def reject(self, *, now: datetime) -> None:
        """Spam, or not a request at all: the one end without a letter."""
        self._end(Outcome.REJECTED, now)

    # --- the conversation -----------------------------------------------------------------------------------------

    @transition(field=state, source=[State.TRIAGE, State.REVIEW], target=State.CLARIFYING, permission=handler)
    def ask(self, *, now: datetime, answer_by: datetime) -> None:
        """A question to the person; the request comes back to where it was asked."""
        self.asked_in = self.state
        self.answer_by = answer_by

    @transition(
        field=state,
        source=State.CLARIFYING,
        target=RETURN_VALUE(State.TRIAGE, State.REVIEW),
        permission=anybody_of_the_case,
    )
    def answer(self, *, now: datetime) -> str:
        """The person answered. Who showed meanwhile who they are is not asked for it again."""
        back, self.asked_in, self.answer_by = self.asked_in, "", None
        if self.is_proven_enough:
            self.judgement = sorted({*self.judgement} - {TIER})
        return back

    @transition(
        field=state, source=State.CLARIFYING, target=State.REVIEW, permission=system, conditions=[question_is_open]
    )
    def no_answer(self, *, now: datetime) -> None:
        """Nobody answered in time: decided on what is known."""
        self.asked_in, self.answer_by = "", None

    @transition(
        field=state, source=State.REVIEW, target=State.CLARIFYING, permission=approver, conditions=[may_be_charged]
    )
    def charge_fee(self, *, now: datetime, answer_by: datetime) -> None:
        """The person is asked for a fee, which the law allows here (GDPR Art 12(5)(a)); paid, waived or not, it comes back."""
        self.asked_in, self.answer_by = self.state, answer_by
        self.judgement = sorted({*self.judgement} - {UNPAID})

    @transition(field=state, source=State.CLARIFYING, target=State.REVIEW, permission=handler, conditions=[fee_is_open])
    def settle_fee(self, *, now: datetime) -> None:
        """The fee is paid, accepted or waived: it is decided as if there had been none."""
        self.asked_in, self.answer_by = "", None

    @transition(field=state, source=State.CLARIFYING, target=State.REVIEW, permission=system, conditions=[fee_is_open])
    def unpaid(self, *, now: datetime) -> None:
        """The fee did not come in time, which is no unanswered question: ended for that alone it is refused, by two."""
        self.asked_in, self.answer_by = "", None
        self.judgement = sorted({*self.judgement, UNPAID})

    @transition(field=state, source=list(LEAVABLE_STATES), target=State.WITHDRAWN, permission=anybody_of_the_case)
    @transition(
        field=state,
        source=[State.FULFILLING, State.CHECKING],
        target=State.WITHDRAWN,
        permission=anybody_of_the_case,
        conditions=[is_copy],
    )
    def withdraw(self, *, now: datetime) -> None:
        """The person no longer wants it. Not after the confirmation of a deletion (law 3); a copy until it is handed over."""
        self._end(Outcome.WITHDRAWN, now)

    # --- proof and search -----------------------------------------------------------------------------------------

    @transition(
        field=state,
        source=[State.VERIFYING, State.REVIEW],
        target=RETURN_VALUE(State.LOCATING, State.REVIEW),
        permission=requester,
        conditions=[more_proof_counts, has_right],
    )
    def verify(self, *, now: datetime, tier: int) -> str:
        """Who asks has shown who they are, up to a tier (GDPR Art 12(6), 11 CCR 7060). A late proof counts while staff
        still weigh it. What it does not reach, a person looks at; nothing is carried out below its tier."""
        if tier < self.tier_needed:
            return self._below_its_tier()
        self.judgement = sorted({*self.judgement} - {TIER})
        return State.LOCATING

    @transition(
        field=state,
        source=State.REVIEW,
        target=State.LOCATING,
        permission=anybody_who_asks_or_answers,
        conditions=[may_fall_back],
    )
    def fall_back(self, *, now: datetime, right: str, due_on: date, target_on: date, tier: int) -> None:
        """What the proof does not reach is answered by the lesser right that it does reach (11 CCR 7024(a)): as the person
        wishes, as a handler decides, or by itself on the target date."""
        self.right, self.due_on, self.target_on, self.tier_needed = right, due_on, target_on, tier
        self.judgement = sorted({*self.judgement} - {TIER})

    @transition(field=state, source=State.VERIFYING, target=State.REVIEW, permission=system)
    def not_proven(self, *, now: datetime) -> None:
        """No proof by the target date: a person decides what can be answered all the same (law 15)."""
        self.judgement = sorted({*self.judgement, "not_proven"})

    @transition(
        field=state,
        source=State.LOCATING,
        target=RETURN_VALUE(State.CONFIRMING, State.REVIEW, State.FULFILLING, State.COMPLETED),
        permission=system,
    )
    def located(self, *, now: datetime, nothing_held: bool, judgement: list[str], automatic: bool = False) -> str:
        """The search has ended: nothing held, a plain deletion, or something that a person must weigh.

        Choices (opt-outs, consent) are carried out at once, whatever is held: the address goes on the list either way.
        `automatic`: the company approves this right by itself where nothing needs judgement.
        """
        # What somebody says stands until a person has looked, however often the sources are asked.
        self.judgement = sorted({*judgement, *({NOT_ME} & {*self.judgement})})
        self.located_at = self.located_at or now
        if self.right in UNVERIFIED_RIGHTS and "no_account" not in judgement:
            self.judgement = []
            return State.FULFILLING
        if nothing_held:
            self._end(Outcome.NOTHING_HELD, now)
            return State.COMPLETED
        if self.right == Right.DELETION and not self.judgement:
            return State.CONFIRMING if self.is_proven_enough else self._below_its_tier()
        if automatic and not self.judgement and self.right != Right.DELETION:
            return State.FULFILLING
        return State.REVIEW

    # --- review ---------------------------------------------------------------------------------------------------

    @transition(
        field=state,
        source=State.REVIEW,
        target=RETURN_VALUE(State.CONFIRMING, State.FULFILLING),
        permission=who_may_approve,
        conditions=[may_be_approved, is_located, was_looked_for, silence_settled],
    )
    def approve(self, *, now: datetime) -> str:
        """What needed judgement is decided: a deletion is confirmed by the person first, everything else is done."""
        self.reminders, self.reminded_at = 0, None
        return State.CONFIRMING if self.right == Right.DELETION else State.FULFILLING

    @transition(
        field=state,
        source=State.TRIAGE,
        target=RETURN_VALUE(State.REFUSED, State.COMPLETED),
        permission=second_approver,
        conditions=[refusal_proposed, silence_settled],
    )
    @transition(
        field=state,
        source=State.REVIEW,
        target=RETURN_VALUE(State.REFUSED, State.LAPSED, State.COMPLETED),
        permission=second_approver,
        conditions=[refusal_proposed, silence_settled],
    )
    def refuse(self, *, now: datetime) -> str:
        """Ended by a reason of the law's catalogue (GDPR Art 12(4)), proposed by one person and confirmed by another: denied,
        not proven, or not ours to answer, as the reason says."""
        outcome = proposed_outcome(self)
        self._end(outcome, now)
        return {Outcome.NOT_PROVEN: State.LAPSED, Outcome.REFERRED: State.COMPLETED}.get(outcome, State.REFUSED)

    @transition(
        field=state,
        source=[State.TRIAGE, State.REVIEW],
        target=State.COMPLETED,
        permission=handler,
        conditions=[may_be_referred_by_one],
    )
    def refer(self, *, now: datetime) -> None:
        """Not ours to answer: the person is told to whom to turn. One handler says so of what nobody has looked at as
        somebody's request; of what is weighed two people do (`refuse`)."""
        self._end(Outcome.REFERRED, now)

    @transition(
        field=state,
        source=State.REVIEW,
        target=State.COMPLETED,
        permission=approver,
        conditions=[names_no_account, may_be_approved],
    )
    def nothing_found(self, *, now: datetime) -> None:
        """The person named no account, so no machine looked; a person has, and found nothing."""
        self._end(Outcome.NOTHING_HELD, now)

    @transition(field=state, source=State.REVIEW, target=State.LAPSED, permission=approver, conditions=[may_lapse])
    def lapse(self, *, now: datetime, outcome: str) -> None:
        """Ends unproven or unanswered, by a reasoned letter and never in silence (law 15), where what the person was asked
        last stands without an answer (unanswered.py)."""
        if not outcome or outcome != lapses_as(self):
            raise ValueError("outcome")
        self._end(outcome, now)

    @transition(
        field=state, source=State.REVIEW, target=State.REVIEW, permission=handler, conditions=[not_extended, has_right]
    )
    def extend(self, *, now: datetime, due_on: date, target_on: date, until: date | None = None) -> None:
        """More time, once, with a notice inside the first period (GDPR Art 12(3)). `until`: the day that the notice names,
        where the law leaves the length to it."""
        self.original_due_on, self.due_on, self.target_on, self.extended_at = self.due_on, due_on, target_on, now
        self.extended_until = until

    # --- the confirmation and after it ----------------------------------------------------------------------------

    @transition(
        field=state,
        source=State.CONFIRMING,
        target=State.RELEASING,
        permission=requester,
        conditions=[is_deletion, mailbox_proven, may_be_approved, no_copy_awaited],
    )
    def confirm(self, *, now: datetime, quiet: timedelta) -> None:
        """The person confirms what they saw, proven as surely as that takes. From here nothing leads back."""
        self.confirmed_at = now
        self.quiet_until = now + quiet

    @transition(field=state, source=State.CONFIRMING, target=State.LOCATING, permission=system)
    def start_over(self, *, now: datetime) -> None:
        """Another law applies: what goes and what stays is worked out anew, and the person is asked about that."""
        self.located_at, self.reminders, self.reminded_at = None, 0, None

    @transition(field=state, source=State.CONFIRMING, target=State.REVIEW, permission=system)
    def unanswered(self, *, now: datetime) -> None:
        """Two reminders went unanswered: a person writes the letter that ends it."""
        self.judgement = sorted({*self.judgement, "unanswered"})

    @transition(
        field=state,
        source=State.RELEASING,
        target=State.FULFILLING,
        permission=releaser,
        conditions=[not_disputed, quiet_period_over, copy_in_hand, nothing_proposed],
    )
    def release(self, *, now: datetime) -> None:
        """An approver who did not approve it lets the workers begin."""
        self.released_at = self.begun_at = now

    @transition(
        field=state,
        source=[State.RELEASING, State.FULFILLING],
        target=RETURN_VALUE(State.RELEASING, State.FULFILLING, State.COMPLETED),
        permission=second_approver,
        conditions=[is_deletion, narrowing_proposed],
    )
    def narrow(self, *, now: datetime, nothing_left: bool) -> str:
        """What is erased shrinks, for a lawful reason that is new, proposed by one person and confirmed by another; shrunk
        to nothing it is a denial."""
        if nothing_left:
            self._end(Outcome.DENIED, now)
            return State.COMPLETED
        return str(self.state)

    @transition(
        field=state,
        source=[State.RELEASING, State.FULFILLING],
        target=RETURN_VALUE(State.RELEASING, State.FULFILLING),
        permission=requester,
        conditions=[is_deletion, not_disputed],
    )
    def dispute(self, *, now: datetime) -> str:
        """ "This was not me": the steps stop, the clock does not (law 4)."""
        self.disputed_at = now
        self.attention = "disputed"
        return str(self.state)

    @transition(
        field=state,
        source=list(LEAVABLE_STATES),
        target=RETURN_VALUE(State.TRIAGE, State.REVIEW),
        permission=requester,
        conditions=[is_no_choice],
    )
    @transition(
        field=state,
        source=[State.FULFILLING, State.CHECKING],
        target=RETURN_VALUE(State.REVIEW),
        permission=requester,
        conditions=[is_never_confirmed],
    )
    def doubt(self, *, now: datetime) -> str:
        """ "This was not me", before anything is bound or handed over: it goes no further before a person has looked, and
        nothing is withdrawn by it. What was copied for it is copied anew, if at all; what was written for it is written
        again, which changes nothing twice. What is restricted stays so meanwhile: it is kept and not used."""
        self.judgement = sorted({*self.judgement, NOT_ME})
        self.asked_in, self.answer_by, self.begun_at, self.attention = "", None, None, ""
        return State.REVIEW if self.right else State.TRIAGE

    @transition(
        field=state,
        source=[State.RELEASING, State.FULFILLING],
        target=RETURN_VALUE(State.RELEASING, State.FULFILLING),
        permission=approver,
        conditions=[disputed],
    )
    def dismiss_dispute(self, *, now: datetime) -> str:
        """Two people found the dispute unfounded: the work goes on."""
        self.disputed_at = None
        self.attention = ""
        return str(self.state)

    @transition(
        field=state,
        source=[State.RELEASING, State.FULFILLING],
        target=State.COMPLETED,
        permission=approver,
        conditions=[disputed],
    )
    def uphold_dispute(self, *, now: datetime) -> None:
        """Two people found it founded: nothing (more) is erased. The account stays shut (law 3)."""
        self._end(Outcome.DENIED, now)

    @transition(
        field=state,
        source=State.FULFILLING,
        target=State.COMPLETED,
        permission=system,
        conditions=[is_no_copy, not_disputed],
    )
    def settle(self, *, now: datetime, outcome: str) -> None:
        """Every step has ended and nothing is left to do. A deletion of which nothing could go is denied all the same, and so
        is what was left undone everywhere."""
        known = (Outcome.GRANTED, Outcome.GRANTED_IN_PART)
        deniable = (Right.DELETION, Right.CORRECTION, Right.RESTRICTION, Right.OBJECTION)
        if outcome not in known and not (outcome == Outcome.DENIED and self.right in deniable):
            raise ValueError("outcome")
        self._end(outcome, now)

    @transition(field=state, source=State.FULFILLING, target=State.CHECKING, permission=system, conditions=[is_copy])
    def packed(self, *, now: datetime) -> None:
        """The copy is put together; a person looks through it before it leaves the house."""

    # --- a copy is looked through ---------------------------------------------------------------------------------

    @transition(
        field=state,
        source=State.CHECKING,
        target=State.COMPLETED,
        permission=who_may_hand_over,
        conditions=[is_copy, address_on_file, may_be_approved, silence_settled],
    )
    def hand_over(self, *, now: datetime, outcome: str) -> None:
        """The copy is offered to the person (GDPR Art 12(3), 15(3)). One of which nothing is left is denied."""
        if outcome not in (Outcome.GRANTED, Outcome.GRANTED_IN_PART, Outcome.DENIED):
            raise ValueError("outcome")
        self._end(outcome, now)

    @transition(field=state, source=State.CHECKING, target=State.FULFILLING, permission=handler, conditions=[is_copy])
    def send_back(self, *, now: datetime) -> None:
        """Something is missing or wrong: the sources are asked again."""
        self.begun_at = None

    @transition(
        field=state,
        source=[State.TRIAGE, State.VERIFYING, State.LOCATING, State.REVIEW, State.CLARIFYING, State.FULFILLING],
        target=State.COMPLETED,
        permission=system,
        conditions=[overtaken_by_a_deletion],
    )
    def overtake(self, *, now: datetime) -> None:
        """The person has confirmed a deletion: there is nothing left to correct or to weigh."""
        self._end(Outcome.OVERTAKEN, now)


VERBS = (
    "route", "classify", "split", "merge", "reject", "ask", "answer", "no_answer", "charge_fee", "settle_fee",
    "unpaid", "withdraw", "verify", "fall_back",
    "not_proven",
    "located", "approve", "nothing_found", "refuse", "refer", "lapse", "extend", "confirm", "start_over", "unanswered",
    "release", "narrow",
    "dispute", "doubt",
    "dismiss_dispute", "uphold_dispute", "settle", "packed", "hand_over", "send_back", "overtake",
)  # fmt: skip
