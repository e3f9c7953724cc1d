"""The verbs for whoever has no mailbox: what is said by letter, by telephone or at the counter instead."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from dsar.desk import forms
from dsar.desk.roles import APPROVERS, HANDLERS
from dsar.desk.verb import Verb
from dsar.intake import beside
from dsar.notifications import post

VERBS: Final[tuple[Verb, ...]] = (
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
        "answer",
        _("Note an answer that came by post or telephone"),
        _("Noted. The request is back where the question was asked."),
        forms.AnswerForm,
        lambda pk, data, actor: beside.answer(pk, data["text"], actor=actor),
        HANDLERS,
        moves="answer",
    ),
)
