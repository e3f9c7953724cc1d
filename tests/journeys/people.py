"""Who walks through the house: somebody with a browser that knows no script, and colleagues at the desk."""

from typing import Any

from bs4 import BeautifulSoup, Tag
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from accounts.models import User
from dsar.models import Actor, PrivacyRequest
from tests.house import Person, link_in, mail_to, wait_for

PASSWORD = "a long password, of course"


def words_of(tag: Tag | BeautifulSoup) -> str:
    """Visible words, white space folded."""
    return " ".join(tag.get_text(" ").split())


_open: list["Visitor"] = []


def everybody_leaves() -> None:
    """Close every browser."""
    while _open:
        _open.pop().client.close()


class Visitor(Person):
    """Presses buttons by the words on them, and sends what the form holds besides what was typed."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        _open.append(self)

    @property
    def path(self) -> str:
        """Where the last answer came from."""
        assert self.page is not None
        return self.page.url.path

    def sees(self, *words: str, status: int = 200) -> None:
        """The page has come with this status and says all of this."""
        assert self.page is not None
        assert self.page.status_code == status, (self.page.status_code, self.path, self.text[:500])
        for some in words:
            assert some in self.text, (some, self.path, self.text)

    def follow(self, words: str) -> None:
        """Open the first link of the page that bears these words."""
        for link in self.soup.find_all("a", href=True):
            if words in words_of(link):
                self.open(str(self.page.url.join(str(link["href"]))))  # type: ignore[union-attr]
                return
        raise AssertionError(f"no link {words!r} on {self.path}: {self.text[:500]}")

    def button(self, words: str) -> tuple[Tag, Tag] | None:
        """The form and the button that bears these words, if the page has one."""
        for form in self.soup.find_all("form", {"method": "post"}):
            for button in form.find_all("button"):
                if words_of(button) == words:
                    return form, button
        return None

    def press(self, words: str, **values: Any) -> None:
        """Fill the form around a button and press it."""
        found = self.button(words)
        assert found, f"no button {words!r} on {self.path}: {self.text[:500]}"
        self.submit(*found, **values)

    def submit(self, form: Tag, button: Tag | None, **values: Any) -> None:
        """Send a form as a browser would: what it holds, what was typed, the button that was pressed."""
        assert self.page is not None
        data = _held(form)
        for name, value in values.items():
            known = next((one for one in _names(form) if one == name or one.endswith(f"-{name}")), None)
            assert known, f"no field {name!r} in the form to {form.get('action')} on {self.path}: {_names(form)}"
            data[known] = value
        if button is not None and button.get("name"):
            data[str(button["name"])] = str(button.get("value", ""))
        target = str(self.page.url.join(str(form.get("action") or "")))
        self.page = self.client.post(target, data=data, headers={"Referer": str(self.page.url)})

    def post(self, path: str, **values: Any) -> int:
        """Send something that no form on the page sends, with this browser's protection; returns the status."""
        self.open("/")
        held = self.soup.find("input", {"name": "csrfmiddlewaretoken"})
        if held is None:
            self.open("/new-link/")
            held = self.soup.find("input", {"name": "csrfmiddlewaretoken"})
        assert held is not None
        data = {"csrfmiddlewaretoken": str(held["value"]), **values}
        self.page = self.client.post(path, data=data, headers={"Referer": str(self.client.base_url)})
        return self.page.status_code

    # --- what requesters do -------------------------------------------------------------------------------------------

    def ask(self, address: str, card: str = "Delete my data", **given: str) -> None:
        """From the start page to "We have your request"."""
        self.open("/")
        self.follow(card)
        self.press("Send my request", email=address, **{"country": "DE", **given})

    def prove(self, address: str, containing: str = "open the link", *, after: int = 0) -> None:
        """Open the link of a mail, press the button where this browser has not proven the mailbox yet, and wait until
        the search is over."""
        self.open(link_in(mail_to(address, containing, after=after)))
        if self.path == "/proof/":
            self.press("Yes, this is my mailbox")
        self.arrive()

    def arrive(self) -> None:
        """Stay on the page that waits for the workers until it leads on."""
        wait_for(lambda: self.path != "/waiting/" or (self.open("/waiting/") and self.path != "/waiting/"))

    def reach(self, address: str) -> None:
        """Ask for a deletion and prove the mailbox."""
        self.ask(address)
        self.prove(address)

    def sign_in(self, address: str, password: str = PASSWORD) -> None:
        """By the form that is there for it."""
        self.open("/accounts/login/")
        self.press("Sign in", login=address, password=password)


class Colleague(Visitor):
    """Somebody of the desk, signed in."""

    def __init__(self, url: str, actor: Actor) -> None:
        super().__init__(url)
        self.actor = actor
        assert actor.user_id is not None
        user = User.objects.get(pk=actor.user_id)
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        self.client.cookies.set(settings.SESSION_COOKIE_NAME, str(session.session_key))

    def look_at(self, request: PrivacyRequest) -> None:
        """Open the page of a request."""
        self.open(f"/desk/requests/{request.pk}/")
        self.sees(request.case.reference)

    def offers(self, request: PrivacyRequest, verb: str) -> bool:
        """Whether the page of a request has this verb's form for this colleague."""
        self.look_at(request)
        return self._form(f"/desk/requests/{request.pk}/{verb}/") is not None

    def act(self, request: PrivacyRequest, verb: str, **values: Any) -> None:
        """Open the page of a request, fill the form of a verb, send it."""
        self.look_at(request)
        form = self._form(f"/desk/requests/{request.pk}/{verb}/")
        assert form is not None, f"no form for {verb!r}: {self.text[:500]}"
        self.submit(form, form.find("button"), **values)
        self.sees(status=200)

    def confirms(self, request: PrivacyRequest) -> None:
        """As the second person: what a colleague proposed takes effect."""
        self.act(request, "confirm-refusal", sure="on")

    def release(self, request: PrivacyRequest) -> None:
        """Let the workers begin, with the reference typed."""
        self.act(request, "release", reference=request.case.reference)

    def _form(self, action: str) -> Tag | None:
        found = self.soup.find("form", {"action": action, "method": "post"})
        return found if isinstance(found, Tag) else None


def _names(form: Tag) -> list[str]:
    return [str(one["name"]) for one in form.find_all(["input", "select", "textarea"]) if one.get("name")]


def _held(form: Tag) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for one in form.find_all("input"):
        kind = str(one.get("type", "text"))
        if (
            not one.get("name")
            or kind in ("submit", "button")
            or (kind in ("radio", "checkbox") and not one.has_attr("checked"))
        ):
            continue
        data[str(one["name"])] = str(one.get("value", "on" if kind == "checkbox" else ""))
    for one in form.find_all("textarea"):
        data[str(one["name"])] = one.get_text().removeprefix("\n")
    for one in form.find_all("select"):
        options = one.find_all("option")
        chosen = next((option for option in options if option.has_attr("selected")), options[0] if options else None)
        data[str(one["name"])] = str(chosen.get("value", "")) if chosen else ""
    return data
