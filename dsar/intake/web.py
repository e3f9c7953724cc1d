"""The web form: asks what the right needs and no more, and becomes a case."""

import json
import uuid
from typing import Any

import structlog
from django import forms
from django.conf import settings
from django.core import signing
from django.core.validators import validate_email
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from dsar import keys
from dsar.enums import Channel, IntakeStatus, Right
from dsar.intake import submit
from dsar.law import countries
from dsar.models import Case, Intake

log = structlog.get_logger(__name__)

FORM_SALT = "rightsdesk.form"
FORM_HOURS = 24
FREE_TEXT = {
    Right.CORRECTION: _("What is wrong, and what should it say instead?"),
    Right.OBJECTION: _("What use do you object to, and why?"),
    Right.RESTRICTION: _("What use should stop, and why?"),
    Right.HUMAN_REVIEW: _("Which decision should a person look at again?"),
    Right.WITHDRAW_CONSENT: _("Which consent do you withdraw?"),
    Right.UNCLEAR: _("What would you like us to do?"),
}


def new_number() -> str:
    """A signed one-time number for a form: sending it twice makes one case."""
    return signing.dumps(uuid.uuid4().hex, salt=FORM_SALT)


def one_time_number(signed: str) -> str:
    """The number that `new_number` signed. Raises ValidationError (a form's error) where it is forged or too old."""
    try:
        number: str = signing.loads(signed, salt=FORM_SALT, max_age=FORM_HOURS * 3600)
    except signing.BadSignature:
        raise forms.ValidationError(
            _("This form was open for too long. Nothing is lost: please send it again.")
        ) from None
    return number


class RequestForm(forms.Form):
    """One request. `right` decides the fields (GDPR Art 5(1)(c): nothing that the right does not need)."""

    number = forms.CharField(widget=forms.HiddenInput, max_length=200)
    email = forms.CharField(
        label=_("Your e-mail address"),
        help_text=_("We write to this address. If you have an account, use the address of the account."),
        max_length=254,
        error_messages={"required": _("Please enter your e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    country = forms.ChoiceField(
        label=_("Where do you live?"),
        help_text=_("It decides which law protects you and by when we must answer."),
        error_messages={
            "required": _("Please choose where you live."),
            "invalid_choice": _("Please choose where you live from the list."),
        },
    )
    acts_as = forms.ChoiceField(
        label=_("Who is this for?"),
        choices=[("self", _("For me")), ("agent", _("For somebody else, who allowed me to ask"))],
        initial="self",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, right: Right, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.right = right
        self.fields["country"].choices = [("", _("Please choose")), *countries.choices()]  # type: ignore[attr-defined]
        if right in FREE_TEXT:
            self.fields["statement"] = forms.CharField(
                label=FREE_TEXT[right],
                max_length=4000,
                error_messages={"required": _("Please write a few words, so that we know what to do.")},
                widget=forms.Textarea(attrs={"rows": 5}),
            )
        if not self.is_bound:
            self.initial["number"] = new_number()

    def clean_email(self) -> str:
        """A usable address: it is the only way to reach the person."""
        value: str = self.cleaned_data["email"].strip()
        try:
            validate_email(value)
        except forms.ValidationError:
            raise forms.ValidationError(_("Please enter a whole e-mail address, such as name@example.com.")) from None
        if not keys.normalise_email(value):
            raise forms.ValidationError(_("Please enter the address at which you read your mail."))
        return value

    def clean_number(self) -> str:
        """The one-time number of this form, unsigned."""
        return one_time_number(self.cleaned_data["number"])

    def renew(self) -> None:
        """Give a form that failed only for its age a fresh number, so that sending it again works."""
        if "number" in self.errors:
            self.data = {**self.data.dict(), self.add_prefix("number"): new_number()}  # type: ignore[attr-defined]

    def submit(self) -> Intake:
        """Store what was typed, then open the case. If opening fails, the stored form is opened by the sweep."""
        data = self.cleaned_data
        raw = json.dumps(
            {
                "right": self.right, "email": data["email"], "country": data["country"],
                "acts_as": data["acts_as"], "statement": data.get("statement", ""),
                "language": get_language() or settings.LANGUAGE_CODE,
            }
        ).encode()  # fmt: skip
        intake, fresh = submit.receive(Channel.WEB, raw, f"web:{data['number']}")
        if fresh:
            try:
                process(intake, raw)
            except Exception as error:
                # It is stored, so it has been received: the sweep opens it, and the person hears what is true.
                log.error("a stored form could not be opened", intake=intake.pk, error=type(error).__name__)
        return intake


def process(intake: Intake, raw: bytes | None = None) -> Case:
    """Open the case of a stored form; repeatable."""
    data = json.loads(raw if raw is not None else submit.raw_bytes(intake))
    country, _dash, region = data["country"].partition("-")
    rights = tuple(data["rights"]) if "rights" in data else (data["right"],) if data["right"] else ()
    contact = submit.Contact(
        email=data["email"], rights=rights, statement=data["statement"],
        country="" if country == "other" else country, region=region, language=data["language"], acts_as=data["acts_as"],
        clear=bool(rights), take_back=data.get("take_back", False),
    )  # fmt: skip
    return submit.open_case(intake, contact)


def from_settings(email: str, language: str, number: str) -> Intake:
    """A deletion asked for in the account settings: the same door, the same mail to the address on the account."""
    raw = json.dumps(
        {
            "right": Right.DELETION,
            "email": email,
            "country": "",
            "acts_as": "self",
            "statement": "",
            "language": language,
        }
    ).encode()
    intake, fresh = submit.receive(Channel.SETTINGS, raw, f"settings:{number}")
    if fresh or intake.status == IntakeStatus.STORED:
        process(intake, raw)
    return intake
