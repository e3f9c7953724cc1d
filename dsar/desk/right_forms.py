"""What the desk asks for before the verbs of single rights."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dsar.desk.forms import READ_BY_THEM, VerbForm, long_text
from dsar.enums import Right
from dsar.law import codes
from dsar.review import corrections


class ProposeCorrectionForm(VerbForm):
    """Which field, and what it should say."""

    field = forms.ChoiceField(label=_("Which field?"))
    value = forms.CharField(label=_("What should it say?"), max_length=corrections.LONGEST)

    def prepare(self) -> None:
        """The fields of the data map."""
        self.offer("field", [("", _("Please choose")), *corrections.fields()])


class DecideCorrectionForm(VerbForm):
    """Accept one field, or refuse it with its reason."""

    correction = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=40)
    decision = forms.ChoiceField(
        label=_("Your decision"),
        choices=[("accept", _("Accept: it is corrected")), ("refuse", _("Refuse: it stays as it is"))],
        widget=forms.RadioSelect,
    )
    code = forms.ChoiceField(label=_("Reason in law, where you refuse"), required=False)
    text = long_text(_("The reason in your own words"), READ_BY_THEM, required=False, rows=2)

    def prepare(self) -> None:
        """Reasons that this law knows for a correction."""
        self.offer_codes(codes.refusals(self.request.case.law, Right.CORRECTION))

    def clean(self) -> dict[str, Any]:
        """A refusal needs both its code and its words."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("decision") == "refuse":
            for name in ("code", "text"):
                if not data.get(name):
                    self.add_error(name, _("Please give the reason: the requester reads it."))
        return data


class ConfirmCorrectionForm(VerbForm):
    """The refused fields that the page shows: nobody confirms what they have not read."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=4000)
    sure = forms.BooleanField(
        label=_("I have read the fields that colleagues refused, with their reasons, and I agree")
    )

    def prepare(self) -> None:
        """Those that wait."""
        self.initial["seen"] = corrections.to_confirm(self.request)


class ReviewAgainForm(VerbForm):
    """What a person found who looked at a machine's decision again."""

    what = long_text(_("Which decision did you look at, and with which data?"), READ_BY_THEM, rows=2)
    outcome = forms.ChoiceField(
        label=_("What came of it?"),
        choices=[("changed", _("It is changed")), ("upheld", _("It stays as it was"))],
        widget=forms.RadioSelect,
    )
    text = long_text(_("Your reasons"), READ_BY_THEM)


class LiftForm(VerbForm):
    """Why a restriction ends."""

    text = long_text(_("Why does it end?"), READ_BY_THEM, rows=3)


class KeepForm(VerbForm):
    """Why it stays after all."""

    text = long_text(_("Why does it stay?"), READ_BY_THEM, rows=3)
