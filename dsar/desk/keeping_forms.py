"""What the desk asks for before something is kept: more than the plan keeps, or by an exception that must be weighed."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dsar.desk.forms import READ_BY_THEM, VerbForm, forbidden_day, forbidden_law, long_text
from dsar.fulfilment import weighing
from dsar.fulfilment.plan import ERASING
from dsar.law import codes
from dsar.law.code_words import CODES
from dsar.law.shapes import Regime


def review_day() -> forms.DateField:
    """The day on which somebody looks again; half a year from now stands there already."""
    return forms.DateField(
        label=_("Look at it again on"),
        required=False,
        initial=lambda: timezone.localdate() + timedelta(days=180),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class NarrowForm(VerbForm):
    """What is kept after all, on which ground."""

    keep = forms.MultipleChoiceField(label=_("Keep after all"), widget=forms.CheckboxSelectMultiple)
    code = forms.ChoiceField(label=_("Ground in law"))
    text = long_text(_("What is new, and why must it be kept?"), READ_BY_THEM)
    weighed = long_text(
        _("What was weighed against what?"),
        _("Only for a ground that must be weighed. For the record; the requester does not read it."),
        required=False, rows=3,
    )  # fmt: skip
    review_on = review_day()
    forbidden_by = forbidden_law()
    forbidden_until = forbidden_day()

    def prepare(self) -> None:
        """What the frozen plan would erase; the grounds of this law."""
        erasing = [item for item in self.plan.get("items", []) if item["action"] in ERASING]
        labels = {key: found["label"] for key, found in self.plan.get("sources", {}).items()}
        self.offer(
            "keep",
            {
                f"{item['source']}|{item['category']}": f"{item['label']} – {labels.get(item['source'])}"
                for item in erasing
            }.items(),
        )
        self.offer_codes(codes.grounds(self.request.case.law))

    def clean_keep(self) -> set[tuple[str, str]]:
        """(source, category) pairs."""
        pairs = (value.partition("|") for value in self.cleaned_data["keep"])
        return {(source, category) for source, _bar, category in pairs}


class WeighForm(VerbForm):
    """One exception that nobody has weighed yet: does it hold, by which ground, and what was weighed against what."""

    place = forms.ChoiceField(label=_("What is kept for now"))
    decision = forms.ChoiceField(
        label=_("Does the reason hold?"),
        choices=[("holds", _("Yes: it stays, by the ground below")), ("goes", _("No: it is deleted with the rest"))],
        widget=forms.RadioSelect,
    )
    code = forms.ChoiceField(label=_("Ground in law"), required=False)
    review_on = review_day()
    text = long_text(
        _("What did you weigh against what?"),
        _(
            "The person's interests on one side, the reason on the other, and why it tips as it does. It stays on record."
        ),
    )

    def prepare(self) -> None:
        """What waits; the grounds of this law, the one in question chosen where this law knows it."""
        waiting = weighing.open_places(self.request, self.plan)
        labels = {key: found["label"] for key, found in self.plan.get("sources", {}).items()}
        law = self.request.case.law
        outdated = weighing.outdated(self.request) if waiting else {}
        places = {}
        for item in waiting:
            place = (item["source"], item["category"], item["code"])
            source = str(labels.get(item["source"], item["source"]))
            said = (gettext(item["label"]), source, _ground(item["code"]), _why(law, item["code"], outdated.get(place)))
            places["|".join(place)] = " – ".join(filter(None, said))
        self.offer("place", places.items())
        grounds = codes.grounds(law)
        self.offer_codes(grounds)
        if waiting and waiting[0]["code"] in {one.code for one in grounds}:
            self.initial["code"] = waiting[0]["code"]

    def clean(self) -> dict[str, Any]:
        """What holds has a ground and a day."""
        data: dict[str, Any] = self.cleaned_data
        if data.get("decision") == "holds":
            if not data.get("code") and "code" not in self.errors:
                self.add_error("code", _("Please choose the ground by which it stays."))
            if not data.get("review_on") and "review_on" not in self.errors:
                self.add_error("review_on", _("Please choose the day on which somebody looks again."))
        if "place" in data:
            source, category, doubt = data["place"].split("|")
            data["place"] = (source, category, doubt)
        return data


def _ground(code: str) -> str:
    return str(CODES[code][0]) if code in CODES else code


def _why(law: Regime, code: str, weighed: str | None) -> str:
    """Why somebody has to say whether a reason holds: `code` as the data map names it, `weighed` the ground that somebody
    found and that this law does not know."""
    if weighed is not None:
        words = {"ground": _ground(weighed), "law": law.text("short")}
        return gettext("kept by “%(ground)s” so far, a ground that %(law)s does not know") % words
    if not code:
        return gettext("no ground is named for it")
    if codes.valid(code, law) is None:
        return gettext("%(law)s does not know this ground") % {"law": law.text("short")}
    return gettext("to be weighed")
