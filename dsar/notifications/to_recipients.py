"""Mails to recipients: where they go, and as little as the recipient needs to act."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from dsar.datamap import loader
from dsar.datamap.schema import Recipient
from dsar.enums import Right
from dsar.models import Message, RecipientNotice


class NoContact(Exception):
    """The data map names no address for this recipient any more."""


def recipient_of(message: Message) -> Recipient:
    """The recipient of a mail, as the data map describes it now. Raises NoContact."""
    found = loader.current().recipients.get(message.recipient)
    if found is None or not found.contact:
        raise NoContact
    return found


def context(message: Message) -> dict[str, Any]:
    """The reference, what to do, and for which categories; the address of the person only where the map says so."""
    request, recipient, data_map = message.request, recipient_of(message), loader.current()
    right = Right(request.right) if request else Right.UNCLEAR
    notice = RecipientNotice.objects.filter(message=message).first()
    names = notice.categories if notice else []
    words = {
        Right.DELETION: _("We have deleted data about a person, as the person asked. Please delete them too."),
        Right.CORRECTION: _("We have corrected data about a person, as the person asked. Please do the same."),
        Right.RESTRICTION: _(
            "We have restricted the use of data about a person, as the person asked. Please do the same."
        ),
    }
    california = message.case.regime.startswith("us_ca")
    return {
        "company": settings.COMPANY_NAME,
        "privacy_email": settings.PRIVACY_EMAIL,
        "reference": message.case.reference,
        "what": words.get(
            right, _("A person has made a choice about data that you received from us. Please follow it.")
        )
        + ("" if right in words else f" {right.label}."),
        "categories": [_(data_map.categories[name].label) for name in names if name in data_map.categories],
        "identifier": message.case.email if recipient.identifier == "email" else "",
        "citation": "Cal. Civ. Code 1798.105(c), 11 CCR 7022(b), 7026(f)" if california else "GDPR Art 19",
    }
