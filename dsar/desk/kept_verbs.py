"""The verb for what a deletion kept and whose day of review has come (law 6)."""

from typing import Any, Final

from django import forms as fields
from django.utils.translation import gettext_lazy as _

from dsar.desk import forms
from dsar.desk.roles import APPROVERS
from dsar.desk.verb import Data, Verb
from dsar.fulfilment import later
from dsar.law import codes
from dsar.models import Actor
from dsar.notifications import kept_letter


class KeptForm(forms.VerbForm):
    """Whether the reason for keeping still stands, and if so, when somebody looks again."""

    kept = fields.ChoiceField(label=_("What was kept"))
    decision = fields.ChoiceField(
        label=_("Does the reason still stand?"),
        choices=[("goes", _("No: erase it now")), ("stays", _("Yes: it stays for now"))],
        widget=fields.RadioSelect,
    )
    review_on = fields.DateField(
        label=_("If it stays: look again on"), required=False, widget=fields.DateInput(attrs={"type": "date"})
    )
    text = forms.long_text(_("What did you find?"), _("Of what stays, the requester reads this."), rows=3)

    def prepare(self) -> None:
        """What waits for a look, with its reason."""
        regime = self.request.case.law
        lines = []
        for row in later.to_review(self.request):
            code = codes.named(row.code, regime)
            lines.append((str(row.pk), f"{kept_letter.label(row.category)}: {code.label if code else row.code or '–'}"))
        self.offer("kept", lines)

    def clean(self) -> dict[str, Any]:
        """What stays has a day."""
        data: dict[str, Any] = self.cleaned_data
        if data.get("decision") == "stays" and not data.get("review_on") and "review_on" not in self.errors:
            self.add_error("review_on", _("Please choose the day on which somebody looks again."))
        return data


def _decide(pk: int, data: Data, actor: Actor) -> None:
    if data["decision"] == "goes":
        later.let_go(pk, int(data["kept"]), data["text"], actor=actor)
    else:
        later.keep_on(pk, int(data["kept"]), data["review_on"], data["text"], actor=actor)


VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "kept",
        _("Decide about what was kept"),
        _("Noted. What goes is erased now; of what stays the person is told."),
        KeptForm,
        _decide,
        APPROVERS,
        exists=lambda request: request.is_ended and bool(later.to_review(request)),
        danger=True,
        help=_(
            "Its day of review has come, or something keeps it that nobody was told of. What is erased stays erased."
        ),
    ),
)
