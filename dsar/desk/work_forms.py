"""What the desk asks for while a request is carried out: before the release, at the copy, about a source or a recipient."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dsar.desk.forms import READ_BY_THEM, VerbForm, long_text
from dsar.enums import RecipientStatus, StepKind
from dsar.fulfilment import control, recipients
from dsar.law import codes
from dsar.models import Step
from dsar.notifications import report


class ReleaseForm(VerbForm):
    """The reference, typed: more than a click, since what is erased is gone."""

    reference = forms.CharField(
        label=_("Type the reference of this request"),
        max_length=20,
        widget=forms.TextInput(attrs={"class": "reference", "autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_reference(self) -> str:
        """Must be this request's own."""
        typed: str = self.cleaned_data["reference"].strip().upper()
        if typed != self.request.case.reference:
            raise forms.ValidationError(_("This is not the reference of this request."))
        return typed


class SendBackForm(VerbForm):
    """What is missing or wrong; a note for colleagues."""

    text = long_text(_("What is missing or wrong?"), _("For colleagues only. It is never sent."), rows=3)


class GoOnWithoutForm(VerbForm):
    """Which source the copy goes on without, and why; the person is told that it failed."""

    step = forms.ChoiceField(label=_("Which source?"))
    code = forms.ChoiceField(label=_("Reason in law"))
    text = long_text(_("Why can it not be copied?"), READ_BY_THEM, rows=3)

    def prepare(self) -> None:
        """The sources of this copy that wait for a person."""
        labels = {key: found["label"] for key, found in self.plan.get("sources", {}).items()}
        waiting = control.failing(self.request)
        self.offer("step", [(str(step.pk), labels.get(step.source, step.source)) for step in waiting])
        self.offer_codes(codes.undone_reasons(self.request.case.law, self.request.right), empty=False)


class NotDoneForm(VerbForm):
    """Which source does not carry it out, and why."""

    step = forms.ChoiceField(label=_("Where?"))
    code = forms.ChoiceField(label=_("Reason in law"))
    text = long_text(_("Why can it not be done?"), READ_BY_THEM, rows=3)

    def prepare(self) -> None:
        """The sources that wait for a person."""
        labels = {key: found["label"] for key, found in self.plan.get("sources", {}).items()}
        waiting = control.undoable(self.request)
        self.offer("step", [(str(step.pk), labels.get(step.source, step.source)) for step in waiting])
        self.offer_codes(codes.undone_reasons(self.request.case.law, self.request.right), empty=False)


class TakeOutForm(VerbForm):
    """What of one row the person does not get, on which ground of law, in which words (GDPR Art 15(4))."""

    row = forms.CharField(widget=forms.HiddenInput, max_length=2000)
    whole = forms.BooleanField(label=_("The whole row"), required=False)
    columns = forms.MultipleChoiceField(
        label=_("Or single columns of it"), required=False, widget=forms.CheckboxSelectMultiple, choices=[]
    )
    code = forms.ChoiceField(label=_("Reason in law"))
    text = long_text(_("The reason in words"), READ_BY_THEM, rows=2)

    def prepare(self) -> None:
        """The reasons of this law; the first one, with its sentence, stands there already."""
        found = codes.redactions(self.request.case.law)
        self.offer_codes(found, empty=False)
        if found:
            self.initial["code"], self.initial["text"] = found[0].code, found[0].text

    def clean(self) -> dict[str, Any]:
        """Something has to be ticked."""
        data: dict[str, Any] = self.cleaned_data
        if not data.get("whole") and not data.get("columns") and "columns" not in self.errors:
            self.add_error("columns", _("Please tick the whole row, or at least one column."))
        return data


class StepForm(VerbForm):
    """Which step a person has done by hand."""

    step = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    sure = forms.BooleanField(label=_("I have looked there and done it"))
    nothing = forms.BooleanField(label=_("There was nothing about this person"), required=False)
    file = forms.FileField(
        label=_("The copy that you made"),
        help_text=_("It goes into the package, and is looked through."),
        required=False,
    )

    def for_step(self, step: Step) -> "StepForm":
        """The form of one step: a file belongs to a copy alone."""
        self.initial["step"] = step.pk
        if step.kind != StepKind.EXPORT:
            del self.fields["file"]
        return self

    def clean(self) -> dict[str, Any]:
        """What control.done_by_hand() takes."""
        file = self.cleaned_data.get("file")
        return {
            "step": self.cleaned_data.get("step"), "found": not self.cleaned_data.get("nothing"),
            "file": file.read() if file else b"", "file_name": file.name if file else "",
        }  # fmt: skip


class RecipientForm(VerbForm):
    """What became of telling a recipient that the data map has no address for."""

    recipient = forms.ChoiceField(label=_("Recipient"))
    status = forms.ChoiceField(
        label=_("What became of it?"),
        choices=[choice for choice in RecipientStatus.choices if choice[0] != RecipientStatus.QUEUED],
    )
    text = long_text(_("In your own words; the requester reads it"), required=False, rows=3)

    def prepare(self) -> None:
        """Only those that wait for a person."""
        waiting = recipients.open_notices(self.request)
        self.offer("recipient", [(one.recipient, report.recipient_label(one.recipient)) for one in waiting])
