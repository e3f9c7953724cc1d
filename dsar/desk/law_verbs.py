"""The verbs that correct the law of a case."""

from typing import Any, Final

from django import forms as fields
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsar import deadlines
from dsar.desk import forms
from dsar.desk.roles import HANDLERS
from dsar.desk.verb import Verb
from dsar.enums import LawChangeStatus
from dsar.law import countries, regimes, words
from dsar.models import PrivacyRequest
from dsar.review import laws

AGREE, STAYS = "agree", "stays"


class LawForm(forms.VerbForm):
    """Another law, and why."""

    law = fields.ChoiceField(
        label=gettext_lazy("Which law applies?"),
        error_messages={"required": gettext_lazy("Please choose a law from the list.")},
    )
    text = forms.long_text(gettext_lazy("Why does it apply?"), forms.READ_BY_THEM, rows=3)

    def prepare(self) -> None:
        """Every other law by its name."""
        case = self.request.case
        known = [(one, str(regimes.load(one).name)) for one in regimes.all_ids() if one != case.regime]
        self.offer("law", [("", _("Please choose")), *sorted(known, key=lambda one: one[1].casefold())])


class SaidForm(forms.VerbForm):
    """Whether what the person said about where they live changes the law."""

    answer = fields.ChoiceField(
        label=gettext_lazy("Does that law apply?"),
        widget=fields.RadioSelect,
        choices=[
            (AGREE, gettext_lazy("Yes: put the case under it")),
            (STAYS, gettext_lazy("No: the law stays as it is")),
        ],
        error_messages={"required": gettext_lazy("Please choose one of the two.")},
    )
    text = forms.long_text(gettext_lazy("Why?"), forms.READ_BY_THEM, rows=3)


def panel(request: PrivacyRequest) -> dict[str, Any]:
    """What the page says of the law: `law_why`, why this one applies, and `law_said`, what the person said of where they
    live, with what it would do to each request."""
    case = request.case
    guessed, why = deadlines.law_reason(case.country, case.region, case.received_at)
    applied = [one for one in case.law_changes.all() if one.status == LawChangeStatus.APPLIED]
    last = max(applied, key=lambda one: (one.decided_at, one.pk), default=None)
    said = laws.asked(case)
    context: dict[str, Any] = {
        "lives_in": countries.described(case.country, case.region),
        "law_why": words.GUESSES[why] if guessed == case.regime and last is None else "",
        "law_corrected": last,
        "law_said": None,
    }
    if said is not None:
        law = laws.in_version(said.after, case)
        effects = laws.effects(case, law)
        context["law_said"] = {
            "place": countries.described(said.country, said.region),
            "law": law.name,
            "at": said.said_at,
            "lines": [{"title": one.request.title, "said": _effect(one)} for one in effects],
        }
    return context


def _effect(one: laws.Effect) -> str:
    day = date_format(one.due_on)
    parts = [_("later: %(day)s") % {"day": day} if one.later else _("due by %(day)s") % {"day": day}]
    if one.fewer:
        parts.append(_("that law does not name this right"))
    if one.weaker:
        parts.append(_("a weaker proof would be enough"))
    return "; ".join(parts)


VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "law-said",
        gettext_lazy("Decide where they live"),
        gettext_lazy("Decided. The person gets a letter."),
        SaidForm,
        lambda pk, data, actor: laws.judge(pk, data["answer"] == AGREE, data["text"], actor=actor),
        HANDLERS,
        exists=lambda request: laws.asked(request.case) is not None and laws.may_change(request),
        help=gettext_lazy("What the person said stands under “Person”, with what it would change."),
    ),
    Verb(
        "law",
        gettext_lazy("Correct the law"),
        gettext_lazy("Corrected. Dates, proof and plan are worked out anew, and the person gets a letter."),
        LawForm,
        lambda pk, data, actor: laws.change(pk, data["law"], data["text"], actor=actor),
        HANDLERS,
        exists=laws.may_change,
        help=gettext_lazy(
            "For every open request of this case, from the same receipt. A confirmed deletion is not disturbed."
        ),
    ),
)
