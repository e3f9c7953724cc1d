"""Where the forms of a request stand at the desk, and how they are sent."""

import re

from django.urls import reverse

from accounts.models import Role
from dsar.desk.request_page import ON_COPY_PAGE
from dsar.models import PrivacyRequest
from tests.desk import scenes


def url(request: PrivacyRequest, verb: str = "") -> str:
    """The address of a request, or of one of its verbs."""
    return reverse("desk_verb", args=[request.pk, verb]) if verb else reverse("desk_request", args=[request.pk])


def send(request: PrivacyRequest, verb: str, role: str = Role.APPROVER, number: int = 0, **data: object):
    """What a form of the page sends."""
    return scenes.browser(role, number).post(url(request, verb), data)


def page_of(request: PrivacyRequest, verb: str) -> str:
    """Where the form of a verb stands: what is about a copy stands on the page that shows it."""
    return reverse("desk_copy", args=[request.pk]) if verb in ON_COPY_PAGE else url(request)


def offered(response) -> set[str]:
    """The verbs whose forms stand on a page."""
    return set(re.findall(r'action="/desk/requests/\d+/([a-z-]+)/"', response.content.decode()))


def typed(request: PrivacyRequest) -> dict[str, str]:
    """The reference, as somebody types it to say that they mean this one."""
    return {"reference": request.case.reference}
