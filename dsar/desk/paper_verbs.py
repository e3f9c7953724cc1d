"""The verbs for whoever has no mailbox: what is said by letter, by telephone or at the counter instead."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from dsar.desk import forms, paper_forms
from dsar.desk.roles import APPROVERS, HANDLERS
from dsar.desk.verb import Data, Verb
from dsar.fulfilment import locating
from dsar.intake import beside, filing
from dsar.models import Actor
from dsar.notifications import post
from dsar.review import answers, decide
from dsar.verification import by_hand, data_points, papers, signed


def _record(pk: int, data: Data, actor: Actor) -> object:
    on, name = data["signed_on"], data["signed_by"]
    signature = data_points.Signature(name, on) if on and name else None
    return by_hand.record(pk, data["method"], data["seen"], actor=actor, fields=data["compared"], signature=signature)


def _agree_to_signature(pk: int, data: Data, actor: Actor) -> object:
    """A fresh look at the sources comes first, as on the person's own page: what was signed must still be so."""
    locating.refresh(pk)
    return signed.decide(pk, data["agrees"] == "yes", actor=actor)


VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "identity",
        _("Note how they showed who they are"),
        _("Noted."),
        paper_forms.IdentityForm,
        _record,
        HANDLERS,
        exists=by_hand.may_record,
        help=_(
            "Compare with the account what only its owner can know."
            " Identity papers: look, give them back; one that was sent from their page is destroyed by this. One in a mail stays"
            " in that mail until the case is purged; destroy the scan of a letter yourself."
        ),
    ),
    Verb(
        "ask-paper",
        _("Ask for an identity paper"),
        _("Asked. The person can send a covered copy from their page."),
        paper_forms.AskPaperForm,
        lambda pk, data, actor: papers.ask(pk, data["why"], data["text"], actor=actor),
        HANDLERS,
        exists=papers.may_ask,
        help=_("The last way, where a doubt is left that nothing milder settles (GDPR Art 12(6)). Never as a rule."),
    ),
    Verb(
        "paper-not-enough",
        _("Paper not enough, or not needed"),
        _("Ended. What had come is destroyed."),
        forms.SureForm,
        lambda pk, data, actor: papers.decline(pk, actor=actor),
        HANDLERS,
        exists=papers.may_decline,
        help=_("What came is destroyed. Write to the person what else would do."),
    ),
    Verb(
        "identity-second",
        _("Look at it as the second person"),
        _("Noted."),
        paper_forms.SecondForm,
        lambda pk, data, actor: by_hand.judge(pk, data["agrees"] == "yes", actor=actor),
        HANDLERS,
        exists=by_hand.awaits_second,
        help=_("What your colleague saw stands under “Person”. Who noted it cannot agree to it."),
    ),
    Verb(
        "signature",
        _("Look at the signature as the second person"),
        _("Noted."),
        paper_forms.SignatureForm,
        _agree_to_signature,
        APPROVERS,
        exists=lambda request: signed.waiting(request) is not None,
        danger=True,
        help=_("Agreed, the deletion is confirmed at once and the account is closed. Nobody can undo this."),
    ),
    Verb(
        "not-me",
        _("Note that somebody says: this was not me"),
        _("Stopped. What was not confirmed is in review; the rest two approvers decide."),
        forms.SureForm,
        lambda pk, data, actor: by_hand.note_not_me(pk, actor=actor),
        HANDLERS,
        exists=by_hand.may_note_not_me,
        danger=True,
        help=_(
            "By telephone or letter, where a link in a mail is no use to them. It stops everything of this case, and nobody has"
            " to show for it who they are."
        ),
    ),
    Verb(
        "name-account",
        _("Note which account is theirs"),
        _("Noted. The workers look under this address."),
        paper_forms.AccountForm,
        lambda pk, data, actor: filing.name_account(pk, data["email"], actor=actor),
        HANDLERS,
        exists=filing.may_name_account,
        help=_("As the person named it. It still has to be shown that it is theirs."),
    ),
    Verb(
        "nothing-found",
        _("Answer that nothing is held"),
        _("Answered. The letter says that nothing is held."),
        paper_forms.NothingForm,
        lambda pk, data, actor: decide.nothing_found(pk, data["text"], actor=actor),
        APPROVERS,
        moves="nothing_found",
        danger=True,
        help=_("Only once somebody has looked by hand: the person named no account, so no machine did."),
    ),
    Verb(
        "post-instead",
        _("Send it by post instead"),
        _("It waits under “Letters to post”."),
        forms.EmptyForm,
        lambda pk, data, actor: post.post_instead(pk, actor=actor),
        APPROVERS,
        exists=post.may_post_instead,
        help=_("A mail could not be delivered, and the person gave a postal address. Nobody has proven that address."),
    ),
    Verb(
        "answered",
        _("Note that they have our answer"),
        _("Noted. It counts as answered on that day."),
        paper_forms.AnsweredForm,
        lambda pk, data, actor: answers.note(pk, data["on"], data["text"], actor=actor),
        APPROVERS,
        exists=answers.may_note,
        help=_(
            "Only where it reached them in another way than the letter here: handed over, read out, by another letter. A mail"
            " of the answer that could not be delivered is not tried again."
        ),
    ),
    Verb(
        "answer",
        _("Note an answer that came by post or telephone"),
        _("Noted. The request is back where the question was asked."),
        forms.AnswerForm,
        lambda pk, data, actor: beside.answer(pk, data["text"], actor=actor),
        HANDLERS,
        moves="answer",
    ),
)
