"""The verbs that keep a colleague apart from a person, and let them in again."""

from typing import Final

from django import forms as fields
from django.utils.translation import gettext_lazy as _

from dsar.desk import forms, story
from dsar.desk.roles import APPROVERS, HANDLERS
from dsar.desk.verb import Verb
from dsar.review import recuse


class RecuseForm(forms.VerbForm):
    """Who is close to the person; oneself too."""

    colleagues = fields.MultipleChoiceField(
        label=_("Who is close to this person?"),
        help_text=_("Family, friends, a neighbour, a rival: whoever could not decide as about a stranger. You too."),
        widget=fields.CheckboxSelectMultiple,
        error_messages={"required": _("Please choose at least one colleague.")},
    )

    def prepare(self) -> None:
        """Everybody of the desk who is not named yet."""
        self.offer("colleagues", [(str(one.pk), story.name_of(one)) for one in recuse.may_be_named(self.request)])


class EndRecusalForm(forms.VerbForm):
    """Who handles it again."""

    recusal = fields.ChoiceField(label=_("Who may handle this again?"), widget=fields.RadioSelect)

    def prepare(self) -> None:
        """Those who are named."""
        self.offer("recusal", [(str(one.pk), story.name_of(one.user)) for one in recuse.standing(self.request)])


VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "step-aside",
        _("Keep a colleague apart"),
        _("Noted. They see and handle nothing of this person."),
        RecuseForm,
        lambda pk, data, actor: recuse.name(pk, [int(one) for one in data["colleagues"]], actor=actor),
        HANDLERS,
        exists=lambda request: not request.case.purged_at,
        help=_("Nobody handles their own request or that of somebody close: whoever is named does not even see it."),
    ),
    Verb(
        "let-in",
        _("Let a colleague in again"),
        _("Noted. They can handle it again."),
        EndRecusalForm,
        lambda pk, data, actor: recuse.end(pk, int(data["recusal"]), actor=actor),
        APPROVERS,
        exists=lambda request: bool(recuse.standing(request)),
    ),
)
