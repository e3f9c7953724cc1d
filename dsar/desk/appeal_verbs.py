"""What the desk can do about an appeal, a complaint or a grievance: forms and verbs. Its page and its POST read the same
table, like those of a request (catalogue.py)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dsar.desk import barred
from dsar.desk.barred import Barred
from dsar.desk.forms import READ_BY_THEM, long_text
from dsar.desk.roles import APPROVERS, HANDLERS
from dsar.enums import AppealKind, AppealOutcome
from dsar.intake import submit
from dsar.models import Actor, Appeal
from dsar.review import appeal_decisions, appeals, deciders
from dsar.review import decide as review


class AppealForm(forms.Form):
    """A form for one verb on one appeal."""

    def __init__(self, appeal: Appeal, verb: str, data: Any = None) -> None:
        self.appeal = appeal
        super().__init__(data, auto_id=f"{verb}_%s")
        self.prepare()

    def prepare(self) -> None:
        """Fill in what depends on the appeal."""


class NothingForm(AppealForm):
    """Nothing is asked."""


class SureForm(AppealForm):
    """The person said so by mail or telephone."""

    sure = forms.BooleanField(label=_("The person told us, and I have noted when and how"))


class WriteForm(AppealForm):
    """A question or a message to the person; what they wrote is read by that."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    text = long_text(_("Your message"), READ_BY_THEM)

    def prepare(self) -> None:
        """The newest message that stands on the page."""
        self.initial["seen"] = review.newest_received(self.appeal.request)


class LongerForm(AppealForm):
    """Why it takes longer."""

    text = long_text(_("Why do we need more time?"), READ_BY_THEM, rows=3)


class AnswerForm(AppealForm):
    """What was found, with its reasons."""

    outcome = forms.ChoiceField(
        label=_("What did you find?"),
        widget=forms.RadioSelect,
        choices=[
            (AppealOutcome.UPHELD, _("The person is right")),
            (AppealOutcome.UPHELD_IN_PART, _("The person is right in part")),
            (AppealOutcome.DISMISSED, _("The answer stays")),
        ],
        error_messages={"required": _("Please choose what you found.")},
    )
    begin = forms.BooleanField(
        label=_("Begin anew what was asked for, as a new request"),
        help_text=_("Where the person is right, and there is something that should be done now."),
        required=False,
    )
    text = long_text(
        _("Your reasons"), _("The requester reads this. Say what you looked at, and answer what they wrote."), rows=6
    )

    def prepare(self) -> None:
        """An upheld appeal always begins anew; a complaint may be about something else, or about what is still open."""
        if self.appeal.kind == AppealKind.APPEAL or not appeal_decisions.begins_anew(self.appeal):
            del self.fields["begin"]


@dataclass(frozen=True)
class AppealVerb:
    """One thing that a person of the desk can do about an appeal. `bar` says why one whose role includes it may not all
    the same."""

    slug: str
    label: Any
    done: Any
    form: type[AppealForm]
    run: Callable[[int, dict[str, Any], Actor], object]
    roles: frozenset[str]
    help: Any = ""
    exists: Callable[[Appeal], bool] = lambda appeal: appeal.is_open
    bar: Callable[[Appeal, Actor], Barred | None] = lambda _appeal, _actor: None
    danger: bool = False

    def allows(self, actor: Actor) -> bool:
        """Whether this actor's role includes it."""
        return actor.role in self.roles


def _write(pk: int, data: dict[str, Any], actor: Actor) -> object:
    request_id = Appeal.objects.values_list("request_id", flat=True).get(pk=pk)
    return review.reply(request_id, data["text"], actor=actor, seen=data["seen"])


def _from_deciding(appeal: Appeal, actor: Actor) -> Barred | None:
    """Who took part in what was decided does not decide it again."""
    page = reverse("desk_appeal", args=[appeal.pk])
    return barred.by_look(deciders.look(appeal, actor), appeal.request, actor, page)


def _from_calling_off(appeal: Appeal, actor: Actor) -> Barred | None:
    """Nor do they note that nobody needs to, before the person has written it themselves."""
    page = reverse("desk_appeal", args=[appeal.pk])
    found = barred.by_look(deciders.look_at_calling_off(appeal, actor), appeal.request, actor, page)
    if found is None or found.fresh_url:
        return found
    theirs = _("Or the person does it on their own page; or they write it to us, then you can note it.")
    return Barred(f"{found.why} {theirs}")


VERBS: Final[Mapping[str, AppealVerb]] = {
    verb.slug: verb
    for verb in (
        AppealVerb(
            "decide",
            _("Answer"),
            _("Answered. The person gets a letter with your reasons."),
            AnswerForm,
            lambda pk, data, actor: appeal_decisions.decide(
                pk, data["outcome"], data["text"], actor=actor, anew=submit.begin_anew, begin=data.get("begin", True)
            ),
            APPROVERS,
            bar=_from_deciding,
            danger=True,
            help=_(
                "Look at everything anew, with the power to change it. Where the person is right, a new request begins at"
                " once; the old one stays as it is. A deletion is confirmed by its person before anything goes."
            ),
        ),
        AppealVerb(
            "assign",
            _("Take it on"),
            _("It is yours now."),
            NothingForm,
            lambda pk, data, actor: appeal_decisions.assign(pk, actor=actor),
            HANDLERS,
        ),
        AppealVerb(
            "write",
            _("Ask or write to the requester"),
            _("Your message is on its way."),
            WriteForm,
            _write,
            HANDLERS,
            help=_("The date does not move while we wait for an answer."),
            exists=lambda _appeal: True,
        ),
        AppealVerb(
            "extend",
            _("Take more time"),
            _("Extended. The person is told why."),
            LongerForm,
            lambda pk, data, actor: appeal_decisions.extend(pk, data["text"], actor=actor),
            HANDLERS,
            exists=appeal_decisions.may_extend,
            help=_("Once only, and only before the legal date."),
        ),
        AppealVerb(
            "withdraw",
            _("Note that it is called off"),
            _("Called off. The person gets a letter."),
            SureForm,
            lambda pk, data, actor: appeals.withdraw(pk, actor=actor),
            HANDLERS,
            bar=_from_calling_off,
            danger=True,
        ),
    )
}
