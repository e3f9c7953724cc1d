"""Deletion from Settings > Security: a fresh password, then the same mail and the same confirmation."""

import pytest

from dsar.enums import Channel, Outcome, State
from dsar.models import PrivacyRequest
from tests.house import CAST, House, everything_of, link_in, mail_to, mails, rows
from tests.journeys import scenes
from tests.journeys.people import PASSWORD, Colleague, Visitor


def test_from_the_settings_to_the_letter(stack: House, visitor: Visitor, lead: Colleague) -> None:
    me = scenes.number_of(CAST.plain)
    account = scenes.an_account(CAST.plain)
    others = scenes.company_without(me)
    visitor.open("/settings/security/")
    assert visitor.path == "/accounts/login/"
    visitor.press("Sign in", login=CAST.plain, password=PASSWORD)
    visitor.sees("Security", CAST.plain)
    visitor.follow("Delete my account")
    visitor.press("Send me the link", password="not this one, surely")
    visitor.sees("This is not your current password.")
    assert not PrivacyRequest.objects.exists()
    visitor.press("Send me the link", password=PASSWORD)
    visitor.sees("We have your request", CAST.plain)
    request = scenes.request_of(CAST.plain)
    assert request.case.channel == Channel.SETTINGS
    assert request.state == State.VERIFYING

    visitor.prove(CAST.plain, "You want us to delete your account and your data.")
    visitor.sees("This cannot be undone", "Prompts and outputs")
    visitor.press("Delete my data")
    visitor.sees("Your deletion is confirmed")
    visitor.open("/settings/security/")
    assert visitor.path == "/accounts/login/"
    visitor.press("Sign in", login=CAST.plain, password=PASSWORD)
    visitor.open("/settings/security/")
    assert visitor.path == "/accounts/login/"

    letter = scenes.carried_out(request, lead)
    assert "* Sign-in to this privacy desk: Made anonymous (1 record)" in letter
    assert rows("users", id=me) == []
    assert scenes.company_without(me) == others
    account.refresh_from_db()
    assert account.closed_at is not None
    assert CAST.plain not in account.email
    assert scenes.fresh(request).outcome == Outcome.GRANTED_IN_PART


@pytest.mark.once
def test_the_mail_goes_to_the_address_on_the_account_and_to_no_other(stack: House, visitor: Visitor) -> None:
    scenes.an_account(CAST.plain)
    visitor.sign_in(CAST.plain)
    visitor.open("/settings/security/delete/")
    visitor.press("Send me the link", password=PASSWORD)
    mail = mail_to(CAST.plain)
    assert mail["To"] == CAST.plain
    scenes.post_is_out()
    assert len(mails()) == 1

    # Whoever sits at the signed-in browser and does not read the mailbox gets no further.
    visitor.open("/confirm/")
    visitor.sees("Please open your link first", status=404)
    reader = Visitor(stack.url)
    reader.open(link_in(mail))
    reader.press("Yes, this is my mailbox")
    reader.arrive()
    reader.sees("Do you want to delete your data?")


@pytest.mark.once
def test_five_wrong_passwords_end_the_session_and_ask_for_nothing(visitor: Visitor) -> None:
    me = scenes.number_of(CAST.plain)
    before = everything_of(me)
    scenes.an_account(CAST.plain)
    visitor.sign_in(CAST.plain)
    visitor.open("/settings/security/delete/")
    for number in range(5):
        visitor.press("Send me the link", password=f"wrong {number}")
    assert visitor.path == "/accounts/login/"
    visitor.sees("There were too many wrong passwords.")
    assert not PrivacyRequest.objects.exists()
    assert mails() == []
    assert everything_of(me) == before


@pytest.mark.once
def test_sending_the_form_twice_makes_one_request(visitor: Visitor) -> None:
    scenes.an_account(CAST.plain)
    visitor.sign_in(CAST.plain)
    visitor.open("/settings/security/delete/")
    page = visitor.page
    visitor.press("Send me the link", password=PASSWORD)
    visitor.page = page
    visitor.press("Send me the link", password=PASSWORD)
    visitor.sees("We have your request")
    assert PrivacyRequest.objects.count() == 1
