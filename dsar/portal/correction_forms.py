"""The forms of a correction on the case page. None of them shows what we hold."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dsar.enums import Right
from dsar.intake import beside
from dsar.models import PrivacyRequest
from dsar.review import corrections


class FieldForm(forms.Form):
    """One field and what it should say."""

    field = forms.ChoiceField(label=_("What is wrong?"), error_messages={"required": _("Please choose.")})
    value = forms.CharField(
        label=_("What should it say?"),
        max_length=corrections.LONGEST,
        error_messages={"required": _("Please write what it should say.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("Please choose")), *corrections.fields()]
        self.fields["field"].choices = choices  # type: ignore[attr-defined]


class FileForm(forms.Form):
    """A file that shows what is right."""

    file = forms.FileField(
        label=_("A file that shows it"),
        help_text=_("Only if you want to. Please black out what it need not show."),
        error_messages={"required": _("Please choose a file."), "empty": _("This file is empty.")},
    )


class IdentityPaperForm(forms.Form):
    """A masked copy of an identity paper."""

    file = forms.FileField(
        label=_("The covered copy"),
        help_text=_(
            "Cover everything that we did not ask for before you take the picture: photograph, number, signature, the strip at"
            " the edge."
        ),
        error_messages={"required": _("Please choose a file."), "empty": _("This file is empty.")},
    )


class StatementForm(forms.Form):
    """The person's own words beside what was not corrected."""

    text = forms.CharField(
        label=_("Your statement"),
        max_length=corrections.STATEMENT,
        error_messages={"required": _("Please write your statement.")},
        widget=forms.Textarea(attrs={"rows": 5}),
    )


def forms_of(one: PrivacyRequest) -> dict[str, Any]:
    """What the case page shows of a correction beside the rest."""
    if one.right != Right.CORRECTION:
        return {}
    found: dict[str, Any] = {"wishes": _wishes(one)}
    if corrections.is_open(one):
        # A data map that names no field leaves nothing to choose from: a person reads what was written instead.
        if corrections.fields():
            found["field_form"] = FieldForm(prefix=f"f{one.pk}")
        found |= {"file_form": FileForm(prefix=f"e{one.pk}"), "files": one.evidence.count()}
    found["may_restrict"] = beside.may_restrict_meanwhile(one)
    if corrections.may_state(one):
        found["statement_form"] = StatementForm(prefix=f"s{one.pk}")
    return found


def _wishes(one: PrivacyRequest) -> list[dict[str, Any]]:
    lines = []
    for wish in one.corrections.order_by("pk"):
        wish.request = one
        lines.append({"label": corrections.label_of(wish.field), "value": wish.new, "status": wish.status})
    return lines
