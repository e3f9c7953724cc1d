"""The form on which a person states what we hold about them. Nothing that we hold is shown on it."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dsar.datamap import loader
from dsar.verification import data_points, points, quiz


class PointsForm(forms.Form):
    """As many things as the offer takes, of the person's choice where there are more; a declaration where the law wants one."""

    def __init__(self, data: Any, offer: data_points.Offer) -> None:
        super().__init__(data)
        self.offer = offer
        described = loader.current().fields
        labels = {key: _(described[key].label) for key in offer.fields}
        free = len(offer.fields) > offer.number
        hints = {key: points.HINTS[kind] for key in offer.fields if (kind := described[key].kind) in points.HINTS}
        # Before anybody has chosen, the hints of all that may be chosen.
        any_hint = " ".join(f"{labels[key]}: {hint}" for key, hint in hints.items())
        for number, key in enumerate(offer.fields[: offer.number]):
            if free:
                self.fields[f"field{number}"] = forms.ChoiceField(
                    label=_("What do you want to state? (%(number)s of %(all)s)") % {"number": number + 1, "all": offer.number},
                    choices=list(labels.items()), initial=key,
                )  # fmt: skip
            self.fields[f"value{number}"] = forms.CharField(
                label=_("What does it say?") if free else labels[key],
                help_text=any_hint if free else hints.get(key, ""),
                max_length=data_points.LONGEST,
                error_messages={"required": _("Please enter it.")},
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )
        if offer.declared:
            self.fields["name"] = forms.CharField(
                label=_("Your full name, as your signature"), max_length=data_points.LONGEST,
                error_messages={"required": _("Please sign with your full name.")},
                widget=forms.TextInput(attrs={"autocomplete": "name"}),
            )  # fmt: skip
            self.fields["on"] = forms.DateField(
                label=_("Today's date"),
                error_messages={
                    "required": _("Please enter the day of today."),
                    "invalid": _("Please enter the day as year-month-day, for instance 2026-12-31."),
                },
                widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            )

    def points(self) -> list[Any]:
        """The fields above the declaration."""
        return [self[name] for name in self.fields if name not in ("name", "on")]

    def signing(self) -> list[Any]:
        """The fields of the declaration."""
        return [self[name] for name in ("name", "on") if name in self.fields]

    def clean(self) -> dict[str, Any]:
        """Different things, each once."""
        typed: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = [self._key(number, typed) for number in range(self.offer.number)]
        if len(set(chosen)) < len(chosen):
            self.add_error(None, _("Please state different things: you chose one of them twice."))
        return typed

    def _key(self, number: int, typed: dict[str, Any]) -> str:
        return str(typed.get(f"field{number}", self.offer.fields[number]))

    @property
    def stated(self) -> dict[str, str]:
        """Field of the data map -> what the person states."""
        typed = self.cleaned_data
        return {self._key(number, typed): typed[f"value{number}"] for number in range(self.offer.number)}

    @property
    def signature(self) -> data_points.Signature | None:
        """The name and the day under the declaration, where there is one."""
        if not self.offer.declared:
            return None
        on: date = self.cleaned_data["on"]
        return data_points.Signature(self.cleaned_data["name"], on)


class QuizForm(forms.Form):
    """Questions from our records, each with answers to choose from and "none of these"."""

    def __init__(self, data: Any, questions: list[quiz.Question]) -> None:
        super().__init__(data)
        for number, one in enumerate(questions):
            choices = [(answer, answer) for answer in one.answers]
            self.fields[f"answer{number}"] = forms.ChoiceField(
                label=one.text, choices=[*choices, (quiz.NONE_OF_THEM, _("None of these"))], widget=forms.RadioSelect,
                error_messages={"required": _("Please choose an answer.")},
            )  # fmt: skip

    @property
    def chosen(self) -> list[str]:
        """The answers, in the order of the questions."""
        return [self.cleaned_data[name] for name in self.fields]
