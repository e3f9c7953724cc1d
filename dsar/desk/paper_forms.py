"""What the desk asks for before the verbs for whoever has no mailbox."""

from django import forms
from django.utils.translation import gettext_lazy as _

from dsar.desk import words
from dsar.desk.forms import READ_BY_THEM, VerbForm, long_text
from dsar.law import declarations
from dsar.verification import by_hand


class IdentityForm(VerbForm):
    """How somebody showed who they are, by the list of the law, and what was seen."""

    method = forms.ChoiceField(label=_("How did they show it?"), widget=forms.RadioSelect)
    compared = forms.MultipleChoiceField(
        label=_("What did you compare with our records?"),
        help_text=_("Where the way is two or three things. Nothing that they want corrected."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    signed_by = forms.CharField(label=_("The name under their signed declaration"), max_length=200, required=False)
    signed_on = forms.DateField(
        label=_("The day under it"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    seen = long_text(
        _("What did you see?"),
        _("So that a colleague can follow it. No numbers of identity papers. It is sealed with the case."),
    )

    def prepare(self) -> None:
        """What reaches the tier that the waiting requests need, and who has to look."""
        case = self.request.case
        choices = []
        for name in by_hand.methods(case):
            label = words.METHODS[name]
            if by_hand.takes_approvers(case, name):
                label = _("%(how)s (two approvers look)") % {"how": label}
            elif by_hand.takes_two(case, name):
                label = _("%(how)s (a second person looks too)") % {"how": label}
            choices.append((name, label))
        self.offer("method", choices)
        self.offer("compared", by_hand.comparable(case).items())
        self.fields["signed_by"].help_text = _("Where the way asks for one. It says: %(words)s") % {
            "words": declarations.text(case.law)
        }


class AskPaperForm(VerbForm):
    """Which doubt, and what the person reads."""

    why = long_text(
        _("Which doubt does nothing milder settle?"), _("For colleagues. It is sealed with the case."), rows=3
    )
    text = long_text(
        _("What should they show, and what may stay visible?"),
        _(
            "They read this: which paper, and which two or three things on it you need to see. Everything else is covered."
        ),
    )


class SecondForm(VerbForm):
    """Whether the second person agrees."""

    agrees = forms.ChoiceField(
        label=_("Are you sure too that it is them?"),
        choices=[("yes", _("Yes")), ("no", _("No: something else has to be shown"))],
        widget=forms.RadioSelect,
    )


class SignatureForm(VerbForm):
    """Whether the second person agrees, with the reference typed."""

    agrees = forms.ChoiceField(
        label=_("Is it the person's own signature, under this very plan?"),
        choices=[("yes", _("Yes: confirm the deletion")), ("no", _("No: nothing is confirmed"))],
        widget=forms.RadioSelect,
    )
    reference = forms.CharField(
        label=_("Type the reference of the case"), max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def clean_reference(self) -> str:
        """The reference of this very case."""
        typed: str = self.cleaned_data["reference"].strip().upper()
        if typed != self.request.case.reference:
            raise forms.ValidationError(_("This is not the reference of this case. Please copy it from the top."))
        return typed


class AccountForm(VerbForm):
    """The address of the account."""

    email = forms.CharField(
        label=_("E-mail address of the account"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )


class NothingForm(VerbForm):
    """Where somebody looked."""

    text = long_text(_("Where did you look?"), READ_BY_THEM, rows=3)


class AnsweredForm(VerbForm):
    """Since when the person has our answer, and how."""

    on = forms.DateField(
        label=_("On which day did it reach them?"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    text = long_text(_("How did it reach them?"), _("For colleagues. It is sealed with the case."), rows=3)
