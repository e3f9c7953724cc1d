"""The page on which a person shows more surely who they are: the same for everybody, and never more than is needed."""

from pytest_django import Settings

from accounts.models import User
from dsar.enums import CheckKind, State
from dsar.models import PrivacyRequest
from tests.house import CAST
from tests.portal.conftest import Visitor, lasting, newest_link, only, page, words, work

PROVE = "/case/prove/"


def in_california(visitor: Visitor, email: str = CAST.neighbour) -> PrivacyRequest:
    """A copy, asked for under a law that wants more than the mailbox, and the mailbox proven in this browser."""
    visitor.ask(email, "access", country="US-CA")
    work()
    visitor.get(newest_link(email))
    visitor.post("/proof/")
    work()
    return only()


def test_the_case_says_that_more_is_needed_and_a_sign_in_is_enough(visitor: Visitor) -> None:
    request = in_california(visitor)
    assert "We have to be surer that it is you" in words(visitor.get("/case/"))
    shown = words(visitor.get(PROVE))
    assert "Get a copy" in shown
    assert "11 CCR 7060-7062" in shown
    User.objects.create_user(CAST.neighbour, "a long password")
    login = {"login": CAST.neighbour, "password": "a long password", "next": PROVE}
    assert "You have just signed in" in words(visitor.post("/accounts/login/", login))
    assert only().state == State.REVIEW, "looking changes nothing"
    visitor.post(f"{PROVE}sign-in/")
    work()
    held = only()
    assert (held.case.proven_tier, "tier" in held.judgement) == (3, False)
    assert held.case.checks.get(kind=CheckKind.SIGN_IN).method == "sign_in_fresh"
    assert "Show that it is you" not in words(visitor.get(PROVE)), "nothing is asked that is not needed"
    assert request.pk == held.pk


def test_an_old_sign_in_is_asked_for_once_more(visitor: Visitor, settings: Settings) -> None:
    in_california(visitor)
    visitor.client.force_login(User.objects.create_user(CAST.neighbour, "a long password"))
    assert "once more" in words(visitor.get(PROVE))
    assert "too old" in words(visitor.post(f"{PROVE}sign-in/"))
    done = {"password": "a long password", "next": PROVE}
    assert "You have just signed in" in words(visitor.post("/accounts/reauthenticate/", done))
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    assert "once more" in words(visitor.get(PROVE))


def test_another_account_shows_nothing(visitor: Visitor) -> None:
    in_california(visitor)
    User.objects.create_user(CAST.plain, "a long password")
    login = {"login": CAST.plain, "password": "a long password", "next": PROVE}
    assert "another address" in words(visitor.post("/accounts/login/", login))
    visitor.post(f"{PROVE}sign-in/")
    assert only().case.proven_tier == 2


def test_without_a_proven_mailbox_there_is_no_such_page(visitor: Visitor) -> None:
    assert visitor.get(PROVE).status_code == 404
    assert visitor.post(f"{PROVE}sign-in/").status_code == 404


def test_law_10_the_page_is_the_same_whether_we_know_them_or_not(visitor: Visitor) -> None:
    shown = []
    for email in (CAST.neighbour, CAST.unknown):
        one = Visitor()
        one.ask(email, "access", country="US-CA")
        work()
        one.get(newest_link(email))
        one.post("/proof/")
        work()
        request = PrivacyRequest.objects.latest("pk")
        shown.append(lasting(page(one.get(PROVE)), request.case.reference).replace(f"/case/{request.pk}/", "•"))
    assert shown[0] == shown[1]
