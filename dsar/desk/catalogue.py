"""Every verb of the desk: its form, its one call, who may, and when it exists. Page and POST read the same table."""

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dsar.desk import (
    appeal_filing,
    barred,
    fee_verbs,
    forms,
    keeping_forms,
    kept_verbs,
    law_verbs,
    paper_verbs,
    proposal_verbs,
    recusal_verbs,
    right_forms,
    silence_verbs,
    standing_verbs,
    words,
    work_verbs,
)
from dsar.desk.roles import APPROVERS, HANDLERS
from dsar.desk.verb import Data, Verb
from dsar.enums import DecisionKind, Right, State
from dsar.fulfilment import narrowing, restricting, weighing
from dsar.intake import submit
from dsar.models import Actor
from dsar.review import appeals, corrections, decide, refusals
from dsar.verification import asking
from dsar.workflow import Because, move


def split(pk: int, rights: list[str], *, actor: Actor) -> None:
    """Open the other rights of a message beside this request, each in TRIAGE, counted from the same receipt."""
    with transaction.atomic():
        request = move(pk, "split", actor=actor, because=Because(DecisionKind.SPLIT, code=str(len(rights))))
        for right in rights:
            submit.add_request(request.case, right, request.statement, clear=False, received_at=request.received_at)


def approve(pk: int, data: Data, *, actor: Actor) -> None:
    """Approve a plan as it stands now: what waited to be weighed may have been settled by the end of a hold."""
    weighing.look_again(pk)
    decide.approve(pk, actor=actor, text=data["text"], ground=data.get("ground", ""))


VERBS: Mapping[str, Verb] = {
    verb.slug: verb
    for verb in (
        Verb(
            "classify",
            _("Sort this request"),
            _("Sorted. The person is told."),
            forms.ClassifyForm,
            lambda pk, data, actor: decide.classify(pk, data["right"], actor=actor),
            HANDLERS,
            moves="classify",
            help=_("The dates are counted from receipt, as the right and the law demand."),
        ),
        Verb(
            "approve",
            _("Approve the plan"),
            _("Approved. The person is asked to confirm."),
            forms.ApproveForm,
            lambda pk, data, actor: approve(pk, data, actor=actor),
            APPROVERS,
            moves="approve",
            exists=lambda request: request.right != Right.HUMAN_REVIEW,
            bar=barred.from_approval,
            by_right=words.APPROVING,
        ),
        Verb(
            "weigh",
            _("Weigh an exception"),
            _("Noted. The plan is made anew from it."),
            keeping_forms.WeighForm,
            lambda pk, data, actor: weighing.weigh(
                pk,
                data["place"],
                holds=data["decision"] == "holds",
                code=data["code"],
                review_on=data["review_on"],
                text=data["text"],
                actor=actor,
            ),
            APPROVERS,
            exists=lambda request: bool(weighing.open_places(request)),
            help=_("What is kept for a reason that must be weighed stays only once somebody has written down why."),
        ),
        *work_verbs.VERBS,
        Verb(
            "dispute",
            _("Decide the dispute"),
            _("Your finding is noted. Two people have to agree."),
            forms.DisputeForm,
            lambda pk, data, actor: decide.judge_dispute(pk, data["founded"] == "founded", data["text"], actor=actor),
            APPROVERS,
            exists=lambda request: request.disputed_at is not None and not request.is_ended,
        ),
        Verb(
            "review-again",
            _("Say what you found"),
            _("Noted. The person gets a letter with your reasons."),
            right_forms.ReviewAgainForm,
            lambda pk, data, actor: decide.review_again(
                pk, data["outcome"] == "changed", data["what"], data["text"], actor=actor
            ),
            APPROVERS,
            moves="approve",
            exists=lambda request: request.right == Right.HUMAN_REVIEW,
            help=_("Look at the decision yourself, with the power to change it, before you write."),
        ),
        Verb(
            "lift",
            _("End the restriction"),
            _("The person is told now; the workers lift it when the notice is over."),
            right_forms.LiftForm,
            lambda pk, data, actor: restricting.lift(pk, data["text"], actor=actor),
            APPROVERS,
            exists=restricting.may_lift,
            help=_("The person is told before it ends."),
        ),
        Verb(
            "keep-restriction",
            _("Keep the restriction"),
            _("Kept. The person is told."),
            right_forms.KeepForm,
            lambda pk, data, actor: restricting.keep(pk, data["text"], actor=actor),
            APPROVERS,
            exists=restricting.may_keep,
            help=_("Its end is announced and has not come. The workers do not lift it."),
        ),
        Verb(
            "propose-correction",
            _("Add a field to correct"),
            _("Noted. It waits for its decision."),
            right_forms.ProposeCorrectionForm,
            lambda pk, data, actor: corrections.propose(pk, data["field"], data["value"], actor=actor),
            HANDLERS,
            exists=corrections.is_open,
            help=_(
                "What the person asked for in their own words, field by field. Written again, the newer words count."
            ),
        ),
        Verb(
            "decide-correction",
            _("Decide"),
            _("Decided."),
            right_forms.DecideCorrectionForm,
            lambda pk, data, actor: corrections.decide(
                pk,
                data["correction"],
                data["decision"] == "accept",
                data["code"],
                data["text"],
                seen=data["seen"],
                actor=actor,
            ),
            APPROVERS,
            exists=lambda request: request.state == State.REVIEW and corrections.undecided(request),
        ),
        Verb(
            "confirm-correction",
            _("Confirm the fields that colleagues refused"),
            _("Confirmed."),
            right_forms.ConfirmCorrectionForm,
            lambda pk, data, actor: corrections.confirm(pk, seen=data["seen"], actor=actor),
            APPROVERS,
            exists=corrections.may_confirm,
            bar=barred.from_confirming_fields,
            help=_("Whoever refused a field approves the rest once somebody else has confirmed it."),
        ),
        Verb(
            "ask",
            _("Ask the requester"),
            _("Your question is on its way."),
            forms.QuestionForm,
            lambda pk, data, actor: decide.ask(pk, data["text"], actor=actor),
            HANDLERS,
            moves="ask",
            help=_("It comes back with the answer, or after the set days without one. The clock goes on."),
        ),
        Verb(
            "ask-proof",
            _("Ask them to show who they are"),
            _("The mail with the way to the page is on its way."),
            forms.AskProofForm,
            lambda pk, data, actor: asking.ask(pk, data["text"], actor=actor),
            HANDLERS,
            exists=asking.may_ask,
            help=_(
                "The mail says why, by the law of this request. On the page they sign in, or state what we compare with our"
                " records. Please ask for no copy of an identity card."
            ),
        ),
        Verb(
            "reply",
            _("Write to the requester"),
            _("Your message is on its way."),
            forms.ReplyForm,
            lambda pk, data, actor: decide.reply(pk, data["text"], actor=actor, seen=data["seen"]),
            HANDLERS,
            help=_("Changes nothing about the request."),
        ),
        Verb(
            "read",
            _("Read, needs no answer"),
            _("Noted as read."),
            forms.ReadForm,
            lambda pk, data, actor: decide.read(pk, actor=actor, seen=data["seen"]),
            HANDLERS,
            exists=lambda request: request.unread_at is not None,
            help=_("For thanks and the like. A new wish is filed as a request of its own."),
        ),
        Verb(
            "look-again",
            _("They do not agree: have it looked at again"),
            _("Taken up. The person is told, and it stands under “Appeals”."),
            appeal_filing.LookAgainForm,
            appeal_filing.run,
            HANDLERS,
            exists=appeals.may_file,
            help=_(
                "An appeal, or a complaint, as the law of this person calls it. It is decided by somebody who did not decide"
                " this request; whether it is one you say, not a machine."
            ),
        ),
        Verb(
            "note",
            _("Write a note"),
            _("Noted."),
            forms.NoteForm,
            lambda pk, data, actor: decide.note(pk, data["text"], actor=actor),
            HANDLERS,
        ),
        Verb(
            "assign",
            _("Take it on"),
            _("This request is yours now."),
            forms.EmptyForm,
            lambda pk, data, actor: decide.assign(pk, actor=actor),
            HANDLERS,
            exists=lambda request: not request.is_ended,
        ),
        Verb(
            "split",
            _("Split off other rights"),
            _("Opened beside this request."),
            forms.SplitForm,
            lambda pk, data, actor: split(pk, data["rights"], actor=actor),
            HANDLERS,
            moves="split",
        ),
        Verb(
            "extend",
            _("Take more time"),
            _("Extended. The person is told why."),
            forms.ExtendForm,
            lambda pk, data, actor: decide.extend(pk, data["code"], data["text"], actor=actor, until=data.get("until")),
            HANDLERS,
            moves="extend",
            exists=decide.may_extend,
            help=_("Once only, and only before the legal date."),
        ),
        Verb(
            "fall-back",
            _("Answer with the categories"),
            _("It is a request to know now. The letter says why."),
            forms.SureForm,
            lambda pk, data, actor: decide.fall_back(pk, actor=actor),
            HANDLERS,
            moves="fall_back",
            help=_("The proof does not reach a copy; it reaches which data are held, why, and who gets them."),
        ),
        Verb(
            "refer",
            _("Refer elsewhere"),
            _("Referred. The person is told where to turn."),
            forms.ReferForm,
            lambda pk, data, actor: decide.refer(pk, data["text"], actor=actor),
            HANDLERS,
            moves="refer",
            danger=True,
        ),
        Verb(
            "propose-referral",
            _("Refer elsewhere"),
            _("Proposed. An approver has to confirm it; until then nothing happens and the clock runs."),
            forms.ReferForm,
            lambda pk, data, actor: refusals.propose_referral(pk, data["text"], actor=actor),
            HANDLERS,
            exists=refusals.may_propose_referral,
            danger=True,
            help=_(
                "It takes two people: you propose it, an approver who is somebody else confirms it. Then the person is told"
                " where to turn."
            ),
        ),
        Verb(
            "merge",
            _("Merge with the person's other request"),
            _("Merged."),
            forms.SureForm,
            lambda pk, data, actor: decide.merge(pk, actor=actor),
            HANDLERS,
            moves="merge",
            exists=lambda request: decide.twin_of(request) is not None,
            danger=True,
            help=_(
                "The same verified person asks for the same elsewhere; that request answers both, from the earlier day."
            ),
        ),
        Verb(
            "narrow",
            _("Narrow the plan"),
            _("Proposed. Nothing is erased until another approver has looked at it."),
            keeping_forms.NarrowForm,
            lambda pk, data, actor: narrowing.propose(
                pk,
                data["keep"],
                data["code"],
                data["text"],
                weighed=data["weighed"],
                review_on=data["review_on"],
                forbidden_by=data["forbidden_by"],
                forbidden_until=data["forbidden_until"],
                actor=actor,
            ),
            APPROVERS,
            exists=narrowing.may_propose,
            danger=True,
            help=_(
                "Only for a lawful reason that is new. Another approver confirms it. Keeping everything ends the request as"
                " denied."
            ),
        ),
        Verb(
            "refuse",
            _("Refuse"),
            _("Proposed. An approver has to confirm it; until then nothing happens and the clock runs."),
            forms.RefuseForm,
            lambda pk, data, actor: refusals.propose(
                pk,
                data["code"],
                data["text"],
                facts=data.get("facts", ""),
                forbidden_by=data["forbidden_by"],
                forbidden_until=data["forbidden_until"],
                actor=actor,
            ),
            HANDLERS,
            exists=refusals.may_propose,
            danger=True,
            help=_(
                "It takes two people: you propose it, an approver who is somebody else confirms it. Then the letter goes, with"
                " the reason, the article and the authority to complain to."
            ),
        ),
        Verb(
            "lapse",
            _("End with a letter"),
            _("Ended. The letter is on its way."),
            forms.LapseForm,
            lambda pk, data, actor: decide.lapse(pk, data["text"], actor=actor),
            APPROVERS,
            moves="lapse",
            danger=True,
            help=_(
                "For what was never proven or never answered, once the time for it is over. Say what can be said without proof."
            ),
        ),
        Verb(
            "withdraw",
            _("Note a withdrawal"),
            _("Withdrawn. The person gets a letter."),
            forms.WithdrawForm,
            lambda pk, data, actor: decide.withdraw_for(pk, actor=actor),
            HANDLERS,
            moves="withdraw",
            danger=True,
        ),
        Verb(
            "reject",
            _("Not a request"),
            _("Put aside as no request."),
            forms.SureForm,
            lambda pk, data, actor: decide.reject(pk, actor=actor),
            HANDLERS,
            moves="reject",
            danger=True,
            help=_("Spam, or mail that asks for nothing. The one end without a letter."),
        ),
        *fee_verbs.VERBS,
        *law_verbs.VERBS,
        *kept_verbs.VERBS,
        *paper_verbs.VERBS,
        *standing_verbs.VERBS,
        *recusal_verbs.VERBS,
        *proposal_verbs.VERBS,
        *silence_verbs.VERBS,
    )
}
