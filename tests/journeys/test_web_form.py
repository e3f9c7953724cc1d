"""Deletion by web form, nobody signed in: from the start page to the letter, and the case that outlives the account."""

import re
from email.message import EmailMessage

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)  # fmt: skip

from dsar.enums import CheckStatus, Outcome, State
from dsar.models import IdentityCheck, PrivacyRequest, Tombstone
from tests.house import CAST, House, body_of, everything_of, link_in, mail_to, mails, rows
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor


def test_from_the_form_to_the_letter(stack: House, visitor: Visitor, lead: Colleague) -> None:
    me = scenes.number_of(CAST.plain)
    scenes.an_account(CAST.plain)
    before, calls, others = everything_of(me), scenes.calls_of(me), scenes.company_without(me)
    at_home = Visitor(stack.url)
    at_home.sign_in(CAST.plain)
    at_home.open("/settings/security/")
    at_home.sees(CAST.plain)

    visitor.ask(CAST.plain)
    visitor.sees("We have your request", "You want us to delete your account and your data.", CAST.plain)
    request = scenes.request_of(CAST.plain)
    mail = mail_to(CAST.plain, "Please confirm that this request is yours")
    assert mail["To"] == CAST.plain
    assert "You want us to delete your account and your data." in body_of(mail)
    assert f"{request.due_on:%Y}" in body_of(mail)

    visitor.open(link_in(mail))
    visitor.sees("Is this your mailbox?", "Nothing has happened yet")
    visitor.open(link_in(mail))
    assert not IdentityCheck.objects.exclude(status=CheckStatus.PENDING).exists()
    visitor.press("Yes, this is my mailbox")
    visitor.arrive()
    assert visitor.path == "/confirm/"
    visitor.sees(
        "Do you want to delete your data?", "This cannot be undone", "Prompts and outputs", "Invoices", "Security log",
        "25.00", "to your original means of payment, within 30 days", "is on now; it is switched off when you confirm",
    )  # fmt: skip
    buttons = [visitor.button("Delete my data"), visitor.button("Keep my data")]
    assert len({tuple(button[1]["class"]) for button in buttons if button}) == 1
    assert all(buttons)
    assert everything_of(me) == before

    visitor.press("Delete my data")
    visitor.sees("Your deletion is confirmed")
    late = Visitor(stack.url)
    late.sign_in(CAST.plain)
    assert late.path.startswith("/accounts/")
    at_home.open("/settings/security/")
    assert at_home.path == "/accounts/login/"
    assert "This was not me" in body_of(mail_to(CAST.plain, "You have confirmed the deletion"))

    scenes.closed(request)
    assert rows("sessions", user_id=me) == []
    assert all(row["revoked_at"] for row in rows("api_keys", user_id=me))
    assert not any(row["enabled"] for row in rows("auto_topups", user_id=me))
    (user,) = rows("users", id=me)
    assert user["status"] == "closed"
    assert user["password_hash"] is None
    assert rows("prompts", user_id=me) == before["prompts"]

    lead.open("/desk/?view=release")
    lead.sees(request.case.reference)
    lead.look_at(request)
    lead.sees("Prompts and outputs", "Invoices", CAST.plain)
    letter = scenes.carried_out(request, lead)

    for table in ("prompts", "searches", "support_mails", "survey_answers", "marketing_consents", "api_keys"):
        assert rows(table, user_id=me) == [], table
    assert rows("users", id=me) == []
    assert not [row for row in rows("activity_logs") if row["id"] in {call["id"] for call in calls}]
    assert scenes.company_without(me) == others
    _what_stays(me, before, request)
    _letter(letter, before, len(calls))
    assert scenes.fresh(request).outcome == Outcome.GRANTED_IN_PART
    assert Tombstone.objects.exists()

    again = Visitor(stack.url)
    scenes.open_by_code(again, mail_to(CAST.plain, "has been carried out"))
    again.sees("My request", request.case.reference, "What happened", "Done on", "Prompts and outputs", "Invoices")
    assert again.button("Withdraw this request") is None


def _what_stays(me: int, before: dict[str, list[dict[str, object]]], request: PrivacyRequest) -> None:
    (invoice,) = rows("invoices", user_id=me)
    was = max(before["invoices"], key=lambda row: str(row["issued_on"]))
    assert invoice == {**was, "bill_to_name": None, "bill_to_email": None, "bill_to_address": None}
    assert rows("security_logs", user_id=me) == [row for row in before["security_logs"] if row["id"] in _young(before)]
    (refund,) = rows("refunds", user_id=me)
    assert refund["status"] == "due"
    assert refund["amount_cents"] == 2500
    assert refund["payee_name"] is None
    assert refund["request_ref"] == str(request.uid)
    paid_with = next(row for row in before["credit_purchases"] if row["remaining_cents"])
    assert refund["payment_reference"] == paid_with["payment_reference"]


def _young(before: dict[str, list[dict[str, object]]]) -> set[object]:
    """The two younger of the events of 30, 200 and 500 days ago."""
    return {row["id"] for row in sorted(before["security_logs"], key=lambda row: str(row["created_at"]))[-2:]}


def _letter(letter: str, before: dict[str, list[dict[str, object]]], calls: int) -> None:
    def line(label: str, what: str, number: int) -> None:
        said = f"{number} record" if number == 1 else f"{number} records"
        assert f"* {label}: {what} ({said})" in letter, letter

    line("Prompts and outputs", "Deleted", len(before["prompts"]))
    line("Log of API calls", "Deleted", calls)
    line("API keys", "Deleted", len(before["api_keys"]))
    line("Signed-in devices", "Deleted", len(before["sessions"]))
    line("Invoices", "Deleted", 1)
    line("Invoices", "Kept", 1)
    line("Security log", "Deleted", 1)
    line("Security log", "Kept", 2)
    line("Refunds", "Kept", 1)
    (kept,) = re.findall(r"\* Invoices: Kept.*?(?=^\* |\n\n)", letter, re.DOTALL | re.MULTILINE)
    year = int(str(max(str(row["issued_on"]) for row in before["invoices"]))[:4])
    assert f"Until 31 December {year + 10}." in kept
    assert "§" in kept or "Art" in kept
    assert "25.00" in letter
    assert "Automatic top-up is switched off." in letter


def _plain(text: str, address: str) -> str:
    """A page or mail without what differs between any two of them."""
    text = re.sub(r'name="(csrfmiddlewaretoken|number)" value="[^"]+"', "", text.replace(address, "<address>"))
    text = re.sub(r"RD-[0-9A-Z]{5}-[0-9A-Z]{5}", "<reference>", text)
    text = re.sub(r"/l/[A-Za-z0-9_=\n-]+/", "/l/<token>/", text)
    text = re.sub(r"privacy\+[a-z0-9]+@", "privacy+<token>@", text)
    text = re.sub(r"(?m)^(Message-ID|Date|X-Rightsdesk-Loop):.*(\n\s+.*)*$", r"\1", text)
    return re.sub(r"=+\d+==", "<boundary>", text)


def _raw(mail: EmailMessage) -> str:
    for part in mail.walk():
        if not part.is_multipart():
            text = part.get_content()
            part.set_content(text, subtype=part.get_content_subtype(), cte="8bit")
    return mail.as_string(policy=mail.policy.clone(max_line_length=0))


@pytest.mark.once
def test_an_unknown_address_sees_and_gets_the_same(stack: House, visitor: Visitor) -> None:
    pages, letters = [], []
    for address in (CAST.plain, CAST.unknown):
        browser = Visitor(stack.url)
        browser.ask(address)
        assert browser.page is not None
        pages.append(_plain(browser.page.text, address))
        letters.append(_plain(_raw(mail_to(address)), address))
    assert pages[0] == pages[1]
    assert letters[0] == letters[1]

    visitor.prove(CAST.unknown)
    visitor.sees("We hold nothing under this address.")
    request = scenes.request_of(CAST.unknown)
    assert (request.state, request.outcome) == (State.COMPLETED, Outcome.NOTHING_HELD)
    assert "There is nothing about you under it" in body_of(mail_to(CAST.unknown, "We hold nothing"))


@pytest.mark.once
def test_an_account_with_a_second_factor_is_asked_for_it(visitor: Visitor) -> None:
    user = scenes.an_account(CAST.mfa)
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    visitor.reach(CAST.mfa)
    visitor.sees("Your account has a second factor")
    visitor.press("Delete my data")
    assert visitor.path == "/confirm/second-factor/"
    assert scenes.request_of(CAST.mfa).state == State.CONFIRMING

    visitor.press("Continue", code="000000")
    visitor.sees("This code is not valid")
    counter = next(iter(yield_hotp_counters_from_time()))
    visitor.press("Continue", code=format_hotp_value(hotp_value(secret, counter)))
    visitor.sees("You can confirm now.")
    visitor.press("Delete my data")
    scenes.reaches(scenes.request_of(CAST.mfa), State.RELEASING)
    user.refresh_from_db()
    assert not user.is_active
    assert Authenticator.objects.filter(user=user).exists()


@pytest.mark.once
def test_an_account_under_another_address_is_reached_only_through_that_address(
    visitor: Visitor, lead: Colleague, second_lead: Colleague
) -> None:
    mine, other = CAST.two_accounts
    before = everything_of(scenes.number_of(other))
    visitor.reach(mine)
    request = scenes.request_of(mine)
    if scenes.fresh(request).state == State.REVIEW:
        lead.act(request, "approve")
        visitor.prove(mine, "Your request is ready")
    visitor.press("Delete my data")
    scenes.carried_out(request, second_lead)
    assert rows("users", email=mine) == []
    assert everything_of(scenes.number_of(other)) == before
    assert mails(other) == []


@pytest.mark.once
def test_keep_my_data_is_as_easy(visitor: Visitor) -> None:
    me = scenes.number_of(CAST.plain)
    before = everything_of(me)
    visitor.reach(CAST.plain)
    visitor.press("Keep my data")
    visitor.sees("We keep your data and your account.")
    request = scenes.request_of(CAST.plain)
    assert (request.state, request.outcome) == (State.WITHDRAWN, Outcome.WITHDRAWN)
    mail_to(CAST.plain, "You have withdrawn your request")
    assert everything_of(me) == before


@pytest.mark.once
def test_a_copy_first_is_a_request_of_its_own_beside_the_deletion(visitor: Visitor, clerk: Colleague) -> None:
    visitor.reach(CAST.plain)
    visitor.press("Get a copy first")
    visitor.sees("You have asked for a copy. Our answer comes by", "you confirm the deletion then")
    assert visitor.button("Get a copy first") is None
    assert visitor.button("Delete my data") is None
    copy = scenes.reaches(scenes.request_of(CAST.plain, "access"), State.REVIEW)
    deletion = scenes.request_of(CAST.plain)
    assert copy.due_on is not None
    assert copy.case_id == deletion.case_id
    assert deletion.state == State.CONFIRMING

    visitor.post(f"/case/{deletion.pk}/copy/")
    assert deletion.case.requests.count() == 2
    clerk.look_at(copy)
    clerk.sees("Get a copy")
    visitor.open("/confirm/")
    visitor.press("Do not wait for the copy")
    visitor.sees("You need not wait for it")
    visitor.press("Delete my data")
    scenes.reaches(deletion, State.RELEASING)
    mail_to(CAST.plain, "You have confirmed the deletion")
    assert scenes.fresh(copy).state == State.REVIEW
