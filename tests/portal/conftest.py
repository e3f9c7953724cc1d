"""A person at the pages, with the workers' rounds made by hand between two clicks."""

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from dsar.fulfilment import locating, runner
from dsar.models import PrivacyRequest
from dsar.notifications import outbox
from tests import house

# Random by design, the same for everybody: the form's protection and its one-time number.
NONCES = re.compile(r'(name="(?:csrfmiddlewaretoken|number)" value=")[^"]*"')
# Of no two mails the same: the link, and the time of day, since two made one after the other may lie in two minutes.
PASSING = re.compile(r"/l/[\w-]+/|\b\d{1,2}:\d\d\b")


def work() -> None:
    """What workers would do: look for data, shut accounts, send mail."""
    locating.drain()
    runner.drain_closing()
    outbox.drain()


def page(answer: HttpResponse) -> str:
    """The bytes of a page without its nonces."""
    return NONCES.sub(r'\1"', answer.content.decode())


def lasting(text: str, reference: str) -> str:
    """A page or a mail without what differs between any two of one kind."""
    return PASSING.sub("•", text).replace(reference, "•")


def words(answer: HttpResponse) -> str:
    """The visible words of a page's main part."""
    soup = BeautifulSoup(answer.content, "html.parser")
    main = soup.find("main") or soup
    return " ".join(main.get_text(" ").split())


def tables() -> dict[str, list[Any]]:
    """Every row of the desk, but for sessions (a link swaps its token for one)."""
    names = [model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    found = {}
    with connection.cursor() as cursor:
        for name in names:
            if name != "django_session":
                cursor.execute(f'SELECT * FROM "{name}"')  # the names are Django's own
                found[name] = sorted(map(repr, cursor.fetchall()))
    return found


def only() -> PrivacyRequest:
    """The one request there is, as the database has it now."""
    return PrivacyRequest.objects.select_related("case").get()


class Visitor:
    """A browser of one person."""

    def __init__(self) -> None:
        self.client = Client()

    def get(self, path: str, *, follow: bool = True) -> HttpResponse:
        """Open a page."""
        return self.client.get(path, follow=follow)  # type: ignore[return-value]

    def post(self, path: str, data: dict[str, str] | None = None, *, follow: bool = True) -> HttpResponse:
        """Press a button."""
        return self.client.post(path, data or {}, follow=follow)  # type: ignore[return-value]

    def forms(self, path: str) -> list[dict[str, str]]:
        """The hidden fields of each form on a page."""
        return self.shown(self.get(path))

    def shown(self, answer: HttpResponse) -> list[dict[str, str]]:
        """The same of a page that has come."""
        soup = BeautifulSoup(answer.content, "html.parser")
        return [
            {str(one["name"]): str(one.get("value", "")) for one in form.select("input[type=hidden]")}
            for form in soup.select("main form")
        ]

    def fields(self, path: str) -> dict[str, str]:
        """The hidden fields of all forms on a page; the first of a name counts."""
        found: dict[str, str] = {}
        for form in self.forms(path):
            found = {**form, **found}
        return found

    def ask(self, email: str, right: str = "deletion", **typed: str) -> HttpResponse:
        """Fill and send the form of a right."""
        given = {**self.fields(f"/ask/{right}/"), "email": email, "country": "DE", "acts_as": "self", **typed}
        return self.post(f"/ask/{right}/", given)

    def prove(self, email: str, right: str = "deletion") -> HttpResponse:
        """Ask, open the link of the mail, press its button."""
        self.ask(email, right)
        work()
        self.get(newest_link(email))
        return self.post("/proof/")

    def confirm(self, **given: str) -> HttpResponse:
        """Press "Delete my data"."""
        return self.post("/confirm/", {**self.fields("/confirm/"), "answer": "delete", **given})


def newest_link(email: str) -> str:
    """The path of the link in the newest mail to an address, but for those that only say "was this you?"."""
    return house.link_in([one for one in house.mails(email) if "Was this you?" not in str(one["Subject"])][-1])


@pytest.fixture
def visitor(company: None, settings: Settings) -> Visitor:
    """Somebody with a browser, a fresh company, an empty desk; mails become files, as they do for the processes."""
    settings.EMAIL_BACKEND = "dsar.notifications.folder.FolderBackend"
    return Visitor()
