"""The one next step of a request, for the person who looks at it."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dsar import proposals
from dsar.desk import words
from dsar.desk.catalogue import VERBS
from dsar.enums import (
    BY_HAND,
    UNVERIFIED_RIGHTS,
    CorrectionStatus,
    DecisionKind,
    Outcome,
    Right,
    State,
    StepReason,
    StepStatus,
)
from dsar.models import Actor, PrivacyRequest
from dsar.models.privacy_request import NOT_ME, UNPAID
from dsar.models.request_conditions import copy_in_hand, copy_waits_until, fee_is_open, proposed_outcome
from dsar.models.unanswered import proof_until
from dsar.notifications import fee_letter
from dsar.review import corrections
from dsar.verification import by_hand, signed

# Trying again would end the same way.
IN_VAIN = (*BY_HAND, StepReason.SEVERAL_MATCHES, StepReason.NEEDS_JUDGEMENT, StepReason.BAD_VALUE)


@dataclass(frozen=True)
class Next:
    """`verb` is the slug whose form stands on top of the page; empty where nobody here has to act. `page` is the name of
    an address of the request where the work is done instead."""

    title: str
    text: str
    verb: str = ""
    page: str = ""


def next_step(request: PrivacyRequest, actor: Actor) -> Next:
    """What comes next, in words for this role."""
    found = _unread(request) or _proposed(request) or _ended(request) or _stopped(request) or _by_state(request)
    if not found.verb:
        return found
    verb = VERBS[found.verb]
    if not verb.is_there(request):
        return Next(found.title, found.text)
    if not verb.allows(actor):
        who = (
            _("An approver has the next step.")
            if actor.is_handler
            else _("You can read everything here and change nothing.")
        )
        return Next(found.title, f"{found.text} {who}")
    if barred := verb.bar(request, actor):
        return Next(found.title, barred.why, found.verb)
    return found


def _unread(request: PrivacyRequest) -> Next | None:
    if request.unread_at is None:
        return None
    return Next(
        _("The person has written"),
        _(
            "Do they not agree with our answer? Then have it looked at again, below. Otherwise answer, or say that it needs none."
        )
        if request.is_ended and VERBS["look-again"].is_there(request)
        else _("Read it under “Conversation”. Then answer, or say below that it needs no answer."),
        "reply",
    )


def _proposed(request: PrivacyRequest) -> Next | None:
    found = proposals.standing(request)
    if found is None:
        return None
    if found.kind == DecisionKind.NARROW:
        return Next(
            _("To keep more is proposed"),
            _("The workers wait. A second approver reads it and confirms it, or sends it back."),
            "confirm-refusal",
        )
    if found.kind == DecisionKind.NOT_DONE:
        return Next(
            _("To leave it undone in a source is proposed"),
            _(
                "Nothing has happened yet and the clock runs. A second person reads it and confirms it, or sends it back."
            ),
            "confirm-refusal",
        )
    referral = proposed_outcome(request) == Outcome.REFERRED
    return Next(
        _("A referral elsewhere is to be confirmed") if referral else _("A refusal is to be confirmed"),
        _("Nothing has happened yet and the clock runs. A second person reads it and confirms it, or sends it back."),
        "confirm-refusal",
    )


def _ended(request: PrivacyRequest) -> Next | None:
    if not request.is_ended:
        return None
    day = date_format(timezone.localtime(request.ended_at)) if request.ended_at else ""
    title = _("Ended: %(outcome)s") % {"outcome": request.get_outcome_display()}
    if request.attention == StepReason.DISPUTED:
        return Next(
            title,
            _(
                "Then somebody at an address of the person said: this was not me. Find out who is who and put right what can be;"
                " where a stranger did it, the authority may have to hear within 72 hours (GDPR Art 33). “Try again now”"
                " takes it off this list."
            ),
            "retry",
        )
    if VERBS["recipient"].is_there(request):
        return Next(title, _("A recipient of the data waits to be told by you."), "recipient")
    if VERBS["kept"].is_there(request):
        return Next(title, _("What the deletion kept waits for an approver: does its reason still stand?"), "kept")
    if VERBS["by-hand"].is_there(request):
        return Next(title, _("A source waits for your hands: what stands under “The work” is still to be done."))
    if request.named_reason:
        return Next(title, _("Something about it is stuck all the same. Once the reason is gone, try again."), "retry")
    return Next(title, _("Since %(day)s. Nothing is left to do.") % {"day": day})


def _stopped(request: PrivacyRequest) -> Next | None:
    if request.disputed_at is not None:
        return Next(
            _("Somebody says: this was not me"),
            _("The steps wait; the clock does not. Two people have to come to the same finding."),
            "dispute",
        )
    if request.attention == StepReason.LOST_MAILBOX:
        return Next(
            _("Somebody objected to a new address"),
            _("Nothing goes there. Two approvers have to look at who is who before anybody tries again."),
        )
    if request.attention == StepReason.AUTHORITY:
        return Next(
            _("Look at the authority of who asks"),
            _("Two different approvers have to see it, each in their own words. The papers stand below."),
            "authority-seen",
        )
    if request.attention == StepReason.PAPER:
        return Next(
            _("Look at an identity paper"),
            _("It stands under “Identity papers”. Then note how they showed who they are: that destroys it."),
            "identity",
        )
    if request.state == State.REVIEW:
        # What workers and data owners do meanwhile (the use of data stopped while an objection is weighed) holds no
        # decision up: the legal clock runs.
        decision = _in_review(request)
        # What was written before "this was not me" is looked into first: trying again would only take it off the list.
        doubted = request.attention == StepReason.DISPUTED and NOT_ME in request.judgement
        if doubted or (decision.verb and VERBS[decision.verb].is_there(request)):
            return decision
    if request.attention == StepReason.OWNER_EXCEPTION:
        return Next(
            _("A data owner says that it cannot be done"),
            _("Their note stands under “The work”. An approver decides: end it there, narrow the plan, or ask again.")
            if request.right == Right.DELETION
            else _("Their note stands under “The work”. An approver decides: end it there, or ask again."),
            "retry",
        )
    if request.state == State.FULFILLING:
        blocked = (step for step in request.steps.all() if step.status == StepStatus.BLOCKED)
        if not request.attention and any(step.reason == StepReason.WITH_OWNER for step in blocked):
            return Next(_("A data owner has been asked"), _("Who, since when and until when stands under “The work”."))
        if any(step.waits_for_hands and step.reason in IN_VAIN for step in request.steps.all()):
            return Next(
                _("A source waits for your hands"), _("Do what stands under “The work”, then tick it off there.")
            )
    if request.named_reason:
        return Next(
            _("Something is stuck"), _("The reason stands under “The work”. Once it is gone, try again."), "retry"
        )
    return None


def _by_state(request: PrivacyRequest) -> Next:
    state = request.state
    if state in (State.RECEIVED, State.TRIAGE):
        return Next(
            _("Read it and sort it"),
            _("Say which right the person uses. The clock has been running since receipt."),
            "classify",
        )
    if state == State.VERIFYING and request.case.by_post:
        return _shown_by_hand(request)
    if state == State.VERIFYING:
        return Next(
            _("The person has to prove the mailbox"),
            _("The link is in their mail. If nobody opens it by %(day)s, this comes back to review.")
            % {"day": _day(request.target_on)},
        )
    if state == State.LOCATING:
        return Next(_("The workers look for the data"), _("This takes seconds, minutes at most."))
    if state == State.REVIEW:
        return _in_review(request)
    if state == State.CLARIFYING and fee_is_open(request):
        return Next(
            _("The person is asked for a fee"),
            _("%(fee)s. Once it is paid or accepted, note it here. Unpaid by %(day)s it comes back to be decided.")
            % {"fee": fee_letter.sum_of(request), "day": _day(request.answer_by)},
            "fee-paid",
        )
    if state == State.CLARIFYING:
        return Next(
            _("The person has your question"),
            _("Without an answer by %(day)s it comes back to be decided on what is known.")
            % {"day": _day(request.answer_by)},
        )
    if state == State.CONFIRMING and request.case.by_post:
        if signed.waiting(request):
            return Next(
                _("A signature came back: look at it"),
                _("An approver who did not file it compares scan and plan, then types the reference."),
                "signature",
            )
        return Next(
            _("The person has to sign"),
            _("Our letter has a page to sign. When it comes back, file it below with its scan."),
        )
    if state == State.CONFIRMING:
        until = request.entered_at + settings.CONFIRM_WITHIN
        return Next(
            _("The person has to confirm"),
            _("Reminders sent: %(number)s. Without an answer by %(day)s this comes back to review.")
            % {"number": request.reminders, "day": _day(until)},
        )
    if state == State.RELEASING:
        if request.quiet_until and timezone.now() < request.quiet_until:
            return Next(
                _("Confirmed; the quiet period runs"),
                _("The account is closed. It can be released from %(day)s.") % {"day": _moment(request.quiet_until)},
            )
        if not copy_in_hand(request):
            return Next(
                _("Confirmed; the person gets a copy first"),
                _("It can be released once the copy was fetched, at the latest on %(day)s.")
                % {"day": _day(copy_waits_until(request))},
            )
        return Next(
            _("Confirmed: release it"),
            _("The account is closed and the person waits. Look at the plan once more, then type the reference."),
            "release",
        )
    if state == State.CHECKING:
        return _checking(request)
    title, text = words.CARRYING_OUT.get(request.right, words.CARRYING_OUT_ELSE)
    return Next(title, text)


def _shown_by_hand(request: PrivacyRequest) -> Next:
    check = by_hand.pending(request.case)
    if check is None:
        return Next(
            _("They have no mailbox: see by hand who they are"),
            _("Our letter says what to send. Note what came back. By %(day)s without it this comes back to review.")
            % {"day": _day(request.target_on)},
            "identity",
        )
    if by_hand.awaits_second(request):
        return Next(_("A second person has to look"), _("What was seen stands under “Person”."), "identity-second")
    return Next(
        _("It counts from %(day)s") % {"day": _day(check.counts_from)},
        _("The address on file has been told and can object until then. Nothing is left for you to do."),
    )


def _in_review(request: PrivacyRequest) -> Next:
    if not request.right:
        return Next(
            _("Nobody said which right it is"),
            _("The question was not answered. Sort it as well as you can, or end it with a reason."),
            "classify",
        )
    if "no_account" in request.judgement:
        return Next(
            _("No account was named, so no machine looked"),
            _("Look by hand, or ask which account is theirs. What is found has to be answered by a person."),
            "nothing-found",
        )
    if not request.case.is_proven and request.right not in UNVERIFIED_RIGHTS:
        return _unproven(request)
    if not request.is_proven_enough:
        return Next(
            _("The proof is not enough for this right"),
            _("The mailbox is proven; this law asks for more before anything is handed out. The person can show it on their"
              " page; send them there, note below what they showed you, or answer by the lesser right that the proof reaches."),
            "identity-second" if by_hand.awaits_second(request)
            else "ask-proof" if VERBS["ask-proof"].is_there(request) else "ask",
        )  # fmt: skip
    if UNPAID in request.judgement and request.fees.all():
        return Next(
            _("The fee was not paid"),
            _(
                "Decide what is done without it: answer all the same, or in part, or refuse and say why. “Fee not paid” is a"
                " reason, and a second person confirms it."
            ),
        )
    if NOT_ME in request.judgement:
        return Next(
            _("Somebody says: this was not me"),
            _("Find out who is who: write to them, or look at what else was shown. Then approve it, or refuse it with that"
              " reason, which takes two people."),
        )  # fmt: skip
    if "unanswered" in request.judgement and VERBS["lapse"].is_there(request):
        return Next(_("The confirmation never came"), _("Write the letter that ends this, or ask once more."), "lapse")
    if VERBS["weigh"].is_there(request):
        return Next(
            _("An exception waits to be weighed"),
            _("Something would be kept on a ground that holds only once a person has weighed it. Say below whether it holds,"
              " and why; then the plan can be approved."),
            "weigh",
        )  # fmt: skip
    if "nothing_erasable" in request.judgement and request.right == Right.DELETION:
        return Next(_("Nothing may be erased yet"), _("Check the reasons, and answer with them."), "refuse")
    if request.right == Right.CORRECTION:
        return _correcting(request)
    if request.right == Right.OBJECTION:
        return Next(
            _("Weigh the objection"),
            _("Its use is stopped meanwhile. Approve, and it stays so; refuse with our compelling grounds, and it is lifted"
              " once the letter is out."),
            "approve",
        )  # fmt: skip
    if request.right == Right.RESTRICTION:
        return Next(
            _("Is a ground met?"),
            _("Approve with its ground: each source marks the data, or a colleague does. Refuse where none is met."),
            "approve",
        )
    if request.right == Right.HUMAN_REVIEW:
        return Next(
            _("Look at the decision again"),
            _("A person with the power to change it decides anew. The reasons go into the letter."),
            "review-again",
        )
    if request.right == Right.DELETION:
        return Next(
            _("This needs your judgement"),
            _("Look at what is flagged below. Approved, the person is asked to confirm exactly this plan."),
            "approve",
        )
    title, text = words.REVIEWING.get(request.right, words.REVIEWING_ELSE)
    return Next(title, text, "approve")


def _unproven(request: PrivacyRequest) -> Next:
    title = _("Nobody has proven the mailbox")
    until = proof_until(request)
    if until is not None and timezone.now() < until:
        return Next(
            title,
            _("They have until %(day)s. To end it earlier takes two people: refuse it, and somebody else confirms it.")
            % {"day": _day(until)},
        )
    if not VERBS["lapse"].is_there(request):
        return Next(
            title,
            _(
                "They have written, so it does not end for want of a proof alone. Ask once more, or refuse it with its reason."
            ),
            "refuse",
        )
    return Next(
        title, _("It cannot be carried out without proof. Answer what can be answered, and say why it ends."), "lapse"
    )


def _checking(request: PrivacyRequest) -> Next:
    return Next(
        _("Look through the copy"),
        _("Take out what the person may not get, and say why. Then an approver hands it over."),
        page="desk_copy",
    )


def _correcting(request: PrivacyRequest) -> Next:
    if corrections.undecided(request):
        return Next(
            _("Decide field by field"),
            _("Old and new stand side by side below. Accept what is right, refuse with a reason what is not."),
        )
    decided = list(request.corrections.all())
    if any(one.status == CorrectionStatus.ACCEPTED for one in decided):
        return Next(
            _("Decided: let it be carried out"),
            _("What is accepted is written in every source that holds it, and the person gets a letter."),
            "approve",
        )
    if decided:
        return Next(
            _("Every field is refused"),
            _("Refuse the request: the letter names the reason, and the person may attach a statement."),
            "refuse",
        )
    return Next(
        _("What shall be corrected?"),
        _("Read what the person wrote and add the fields, or ask. Nothing is written before it is decided."),
        "propose-correction",
    )


def _day(moment: Any) -> str:
    if moment is None:
        return _("the set day")
    return str(date_format(timezone.localtime(moment) if hasattr(moment, "tzinfo") else moment))


def _moment(moment: Any) -> str:
    return str(date_format(timezone.localtime(moment), "DATETIME_FORMAT"))
