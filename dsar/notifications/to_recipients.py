"""Mails to recipients: as little as they need to act."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from dsar.datamap import loader
from dsar.enums import Right
from dsar.law import articles
from dsar.models import Message, RecipientNotice


class Unknown(Exception):
    """The data map does not know this recipient any more."""


def context(message: Message) -> dict[str, Any]:
    """The reference, what to do, for which categories, and by which article of the law of the case, if it has one; the
    address of the person only where the map says so.

    Raises Unknown.
    """
    request, data_map = message.request, loader.current()
    right = Right(request.right) if request else Right.UNCLEAR
    notice = RecipientNotice.objects.get(message=message)
    recipient = data_map.recipients.get(notice.recipient)
    if recipient is None:
        raise Unknown
    words = {
        Right.DELETION: _("We have deleted data about a person, as the person asked. Please delete them too."),
        Right.CORRECTION: _("We have corrected data about a person, as the person asked. Please do the same."),
        Right.RESTRICTION: _(
            "We have restricted the use of data about a person, as the person asked. Please do the same."
        ),
    }
    return {
        "company": settings.COMPANY_NAME,
        "privacy_email": settings.PRIVACY_EMAIL,
        "reference": message.case.reference,
        "what": words.get(
            right, _("A person has made a choice about data that you received from us. Please follow it.")
        )
        + ("" if right in words else f" {right.label}."),
        "categories": [_(data_map.categories[name].label) for name in notice.categories if name in data_map.categories],
        "identifier": message.case.email if recipient.identifier == "email" else "",
        "citation": articles.told(right, message.case.law),
    }
