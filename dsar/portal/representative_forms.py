"""What a person is asked about somebody who asks in their name, and what the latter sends us."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

ALLOW, ALONE, NO = "allow", "alone", "no"


class AllowForm(forms.Form):
    """Yes and how far, no but I go on myself, or none of it. Nothing is ticked before the person does."""

    answer = forms.ChoiceField(
        label=_("Is that all right?"),
        choices=[
            (ALLOW, _("Yes, they may ask for me")),
            (ALONE, _("I go on with this myself; they have nothing to do with it")),
            (NO, _("No, I want none of this")),
        ],
        error_messages={"required": _("Please choose one of the answers.")},
        widget=forms.RadioSelect,
    )
    follow = forms.BooleanField(label=_("They may see how far it is, never what we hold about me"), required=False)
    receive = forms.BooleanField(label=_("They may download my copy"), required=False)

    def __init__(self, *args: Any, copy: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not copy:
            del self.fields["receive"]


class PaperForm(forms.Form):
    """A paper that shows the authority."""

    file = forms.FileField(
        label=_("A paper that shows that you may ask for them"),
        help_text=_("A scan or photograph. Please black out what it need not show."),
        error_messages={"required": _("Please choose a file."), "empty": _("This file is empty.")},
    )
