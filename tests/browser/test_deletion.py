"""A deletion by clicking, with and without script, and by keys alone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from dsar.models import Actor
from tests.browser.window import NARROW, WIDE, Window
from tests.house import CAST, body_of, mail_to, rows
from tests.journeys.scenes import code_in

pytestmark = pytest.mark.once
Opener = Callable[..., Window]


@pytest.mark.parametrize("javascript", [True, False], ids=["with-script", "without-script"])
def test_by_clicking_from_the_form_to_the_letter(open_window: Opener, approver: Actor, javascript: bool) -> None:
    person = open_window(javascript=javascript, width=420)
    person.open("/")
    person.follow("Delete my data")
    person.page.get_by_label("Your e-mail address").fill(CAST.plain)
    person.page.get_by_label("Where do you live?").select_option("DE")
    person.press("Send my request")
    person.titled("We have your request")
    person.sees("You want us to delete your account and your data.", CAST.plain)
    person.prove(CAST.plain)
    person.titled("Do you want to delete your data?")
    person.sees("This cannot be undone", "Prompts and outputs", "Invoices", "EUR 25.00")
    person.press("Delete my data")
    person.sees("Your deletion is confirmed. Your account is closed.")

    desk = open_window(javascript=javascript)
    desk.sign_in("approver@desk.example.com")
    desk.open("/desk/")
    desk.page.get_by_role("navigation", name="Saved views").get_by_role("link", name="To release").click()
    link = desk.page.get_by_role("rowheader").get_by_role("link")
    reference = link.inner_text()
    link.click()
    desk.titled(reference)
    desk.sees("Confirmed: release it", CAST.plain)
    desk.page.get_by_label("Type the reference").fill(reference)
    desk.press("Release for erasure")
    desk.sees("Released. The workers have begun.")

    elsewhere = open_window(javascript=javascript, width=NARROW)
    elsewhere.follow_mail(CAST.plain, "has been carried out")
    assert rows("users", email=CAST.plain) == []
    elsewhere.titled("Open my request")
    elsewhere.press("Send me a code")
    elsewhere.page.get_by_label("Code").fill(code_in(body_of(mail_to(CAST.plain, "Your code"))))
    elsewhere.press("Open my request")
    elsewhere.titled(reference)
    elsewhere.sees("What happened", "deleted", "kept", "Done on")
    desk.page.reload()
    desk.sees("Granted in part")


def test_by_keys_alone(open_window: Opener, approver: Actor) -> None:
    person = open_window()
    person.open("/")
    person.tab_to("Skip to the main content")
    skip = person.page.get_by_role("link", name="Skip to the main content")
    expect(skip).to_be_in_viewport()
    person.page.keyboard.press("Enter")
    expect(person.page.locator("#main")).to_be_focused()
    person.tab_to("Delete my data")
    person.press_enter()

    person.tab_to("Your e-mail address")
    person.page.keyboard.type(CAST.plain)
    person.tab_to("Where do you live?")
    person.page.keyboard.type("Germ")
    expect(person.page.get_by_label("Where do you live?")).to_have_value("DE")
    person.tab_to("Send my request")
    person.press_enter()
    person.titled("We have your request")

    person.follow_mail(CAST.plain, "Please confirm that this request is yours")
    person.titled("Is this your mailbox?")
    person.tab_to("Yes, this is my mailbox")
    person.press_enter()
    person.page.wait_for_url("**/confirm/")
    person.tab_to("Get a copy first")
    person.tab_to("Delete my data")
    person.tab_to("Keep my data", turns=1)
    person.page.keyboard.press("Shift+Tab")
    person.press_enter()
    person.sees("Your deletion is confirmed")

    desk = open_window()
    desk.sign_in("approver@desk.example.com")
    desk.open("/desk/?view=release")
    desk.page.keyboard.press("j")
    focused = desk.page.locator("*:focus")
    expect(focused).to_have_class("ref")
    reference = focused.inner_text()
    desk.press_enter()
    desk.tab_to("Type the reference")
    desk.page.keyboard.type(reference.lower())
    desk.press_enter()
    desk.sees("Released. The workers have begun.")


def test_an_error_takes_the_focus_and_leads_to_its_field(open_window: Opener) -> None:
    person = open_window()
    person.open("/ask/deletion/")
    person.page.get_by_label("Your e-mail address").fill("nobody")
    person.press("Send my request")
    summary = person.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(person.page).to_have_title(re.compile("^Error: "))
    expect(person.page.get_by_label("Your e-mail address")).to_have_value("nobody")
    person.tab_to("Please enter a whole e-mail address")
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_label("Your e-mail address")).to_be_focused()
    expect(person.page.get_by_label("Your e-mail address")).to_have_accessible_description(
        re.compile("We write to this address.*Please enter a whole e-mail address", re.DOTALL)
    )


STYLE = "one => Object.fromEntries([...getComputedStyle(one)].map(name => [name, getComputedStyle(one).getPropertyValue(name)]))"


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_two_buttons_of_the_confirmation_weigh_the_same(open_window: Opener, width: int) -> None:
    person = open_window(width=width)
    person.ask(CAST.plain)
    person.prove(CAST.plain)
    for scheme in ("light", "dark"):
        person.page.emulate_media(color_scheme=scheme)
        buttons = [
            person.page.get_by_role("button", name=name, exact=True) for name in ("Delete my data", "Keep my data")
        ]
        boxes = [button.bounding_box() for button in buttons]
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert (boxes[0]["width"], boxes[0]["height"]) == (boxes[1]["width"], boxes[1]["height"])
        assert boxes[0]["height"] >= 44
        styles = [button.evaluate(STYLE) for button in buttons]
        assert styles[0] == styles[1]
