"""The web form: asks what the right needs and no more, and becomes a case."""

import json
import re
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
from dsar.enums import Channel, IntakeStatus, RepresentativeKind, Right
from dsar.intake import submit
from dsar.law import countries
from dsar.models import Case, Intake

log = structlog.get_logger(__name__)

FORM_SALT = "rightsdesk.form"
FORM_HOURS = 24
# What no name has: signs of addresses and markup, figures, a full stop between letters ("evil.example"), and characters
# that hide or turn text around.
NO_NAME = re.compile(
    r"[<>@/\\:;{}\[\]()|=#%&?*+~^$\"`0-9_\x00-\x1f\x7f\u200b\u200e\u200f\u2028-\u202f\u2060-\u206f]|\.\w\w|www\b",
    re.IGNORECASE,
)
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


class SentOnce(forms.Form):
    """A form that carries a one-time number: sending it twice does once what it asks for."""

    number = forms.CharField(widget=forms.HiddenInput, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.initial["number"] = new_number()

    def clean_number(self) -> str:
        """The one-time number of this form, unsigned."""
        return one_time_number(self.cleaned_data["number"])


class RequestForm(SentOnce):
    """One request. `right` decides the fields (GDPR Art 5(1)(c): nothing that the right does not need)."""

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

    def clean_email(self) -> str:
        """A usable address: it is the only way to reach the person."""
        return clean_address(self.cleaned_data["email"])

    def renew(self) -> None:
        """Give a form that failed only for its age a fresh number, so that sending it again works."""
        if "number" in self.errors:
            self.data = {**self.data.dict(), self.add_prefix("number"): new_number()}  # type: ignore[attr-defined]

    def submit(self) -> Intake:
        """Store what was typed, then open the case."""
        data = self.cleaned_data
        return take_in(
            Channel.WEB, f"web:{data['number']}", email=data["email"], rights=(self.right,) if self.right else (),
            country=data["country"], acts_as=data.get("acts_as", "self"), statement=data.get("statement", ""),
            own_name=data.get("own_name", ""), own_email=data.get("own_email", ""),
        )  # fmt: skip


class RepresentedForm(RequestForm):
    """The same, asked by somebody for somebody else: whose data, who asks, and by what right they do."""

    field_order = ("number", "acts_as", "email", "country", "statement", "own_name", "own_email")

    acts_as = forms.ChoiceField(
        label=_("How do you act for them?"),
        help_text=_(
            "Whoever is 13 or older and understands what this means asks alone. For a child who cannot, a parent or"
            " guardian asks."
        ),
        choices=RepresentativeKind.choices,
        error_messages={"required": _("Please say how you act for them.")},
        widget=forms.RadioSelect,
    )
    own_name = forms.CharField(
        label=_("Your own name"),
        help_text=_("We tell it to the person you ask for."),
        max_length=80,
        error_messages={"required": _("Please enter your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    own_email = forms.CharField(
        label=_("Your own e-mail address"),
        help_text=_("We write to you here. It need not be known to us."),
        max_length=254,
        error_messages={"required": _("Please enter your own e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )

    def __init__(self, *args: Any, right: Right, **kwargs: Any) -> None:
        super().__init__(*args, right=right, **kwargs)
        self.fields["email"].label = _("Their e-mail address")
        self.fields["email"].help_text = _("If they have an account, the address of the account.")
        self.fields["email"].widget.attrs["autocomplete"] = "off"
        self.fields["country"].label = _("Where do they live?")
        self.fields["country"].help_text = _("It decides which law protects them and by when we must answer.")
        self.order_fields(self.field_order)

    def clean_own_name(self) -> str:
        """A name, and nothing that a mail program makes a link of: a stranger reads it in a mail of ours."""
        return clean_name(self.cleaned_data["own_name"])

    def clean_own_email(self) -> str:
        """A usable address, and not the person's own."""
        value = clean_address(self.cleaned_data["own_email"])
        if keys.normalise_email(value) == keys.normalise_email(str(self.cleaned_data.get("email", ""))):
            raise forms.ValidationError(
                _("This is the address of the person. Please enter your own, or ask for yourself on the other form.")
            )
        return value


class LostMailboxForm(RequestForm):
    """Somebody who cannot read the mailbox on file any more: what they want, the old address and the new one."""

    field_order = ("number", "wish", "email", "new_email", "country", "statement")

    wish = forms.ChoiceField(
        label=_("What would you like?"),
        choices=[("", _("Please choose")), *((right.value, right.label) for right in Right if right.value)],
        error_messages={"required": _("Please choose what you would like.")},
    )
    new_email = forms.CharField(
        label=_("The address at which you read your mail now"),
        max_length=254,
        error_messages={"required": _("Please enter your new e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, right=Right.UNCLEAR, **kwargs)
        self.fields["email"].label = _("The address that you cannot read any more")
        self.fields["email"].help_text = _("If you have an account, the address of the account.")
        self.fields["email"].widget.attrs["autocomplete"] = "off"
        self.fields["statement"].label = _("What happened, and how can we reach you?")
        self.fields["statement"].help_text = _(
            "The reference of a request that you made, if you have one. No passwords."
        )
        self.order_fields(self.field_order)

    def clean_new_email(self) -> str:
        """A usable address, and another one."""
        value = clean_address(self.cleaned_data["new_email"])
        if keys.normalise_email(value) == keys.normalise_email(str(self.cleaned_data.get("email", ""))):
            raise forms.ValidationError(_("This is the address that you cannot read. Please enter your new one."))
        return value

    def submit(self) -> Intake:
        """Store what was typed, then open a case that a person of the desk reads."""
        data = self.cleaned_data
        return take_in(
            Channel.WEB, f"web:{data['number']}", email=data["email"], rights=(data["wish"],), country=data["country"],
            statement=data["statement"], new_email=data["new_email"],
        )  # fmt: skip


def clean_name(value: str) -> str:
    """A person's name as text of one line. Raises ValidationError for what looks like an address."""
    name = " ".join(value.split())
    if not name or NO_NAME.search(name):
        raise forms.ValidationError(_("Please write the name alone, without addresses or signs that no name has."))
    return name


def clean_address(value: str) -> str:
    """A usable address. Raises ValidationError."""
    address = value.strip()
    try:
        validate_email(address)
    except forms.ValidationError:
        raise forms.ValidationError(_("Please enter a whole e-mail address, such as name@example.com.")) from None
    if not keys.normalise_email(address):
        raise forms.ValidationError(_("Please enter the address at which you read your mail."))
    return address


def take_in(
    channel: Channel,
    dedupe: str,
    *,
    email: str,
    rights: tuple[str, ...],
    country: str = "",
    acts_as: str = "self",
    own_name: str = "",
    own_email: str = "",
    new_email: str = "",
    statement: str = "",
    take_back: bool = False,
) -> Intake:
    """Store what somebody asked for on a page of ours, in the language of that page, then open its case.

    `country` as in law/countries.py; `own_name` and `own_email` are those of whoever asks for somebody else;
    `new_email` is where somebody reads their mail who cannot read that of `email` any more.
    `dedupe` names this very press of a button: a repeat opens what was stored the first time, if that is not open yet.
    If opening fails, the sweep does it: it is stored, so it has been received. Raises RuntimeError in a transaction.
    """
    raw = json.dumps(
        {
            "rights": rights, "email": email, "country": country, "acts_as": acts_as, "statement": statement,
            "own_name": own_name, "own_email": own_email, "new_email": new_email,
            "language": get_language() or settings.LANGUAGE_CODE, "take_back": take_back,
        }
    ).encode()  # fmt: skip
    intake, fresh = submit.receive(channel, raw, dedupe)
    if intake.status == IntakeStatus.STORED:
        try:
            process(intake, raw if fresh else None)
        except Exception as error:
            log.error("what was stored could not be opened", intake=intake.pk, error=type(error).__name__)
    return intake


def process(intake: Intake, raw: bytes | None = None) -> Case:
    """Open the case of a stored form; repeatable."""
    data = json.loads(raw if raw is not None else submit.raw_bytes(intake))
    country, region = countries.split(data["country"])
    rights = tuple(data["rights"])
    contact = submit.Contact(
        email=data["email"], rights=rights, statement=data["statement"],
        country=country, region=region, language=data["language"], acts_as=data["acts_as"],
        own_name=data["own_name"], own_email=data["own_email"], new_email=data.get("new_email", ""),
        clear=bool(rights) and not data.get("new_email"), take_back=data["take_back"],
    )  # fmt: skip
    return submit.open_case(intake, contact)
