"""Text that wants to be more than text, on the pages of the desk: it is shown as it was written and does nothing."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from dsar.enums import IntakeStatus
from dsar.intake import email
from dsar.models import Actor, Intake
from tests.browser.window import NARROW, Window
from tests.house import CAST, House, wait_for
from tests.journeys.scenes import request_of

pytestmark = pytest.mark.once

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://evil.example/","pay")'
TURNED = "invoice \u202efdp.exe"
CLOSING = "</p></article></main><h1>Owned</h1><form action=//evil.example/><button>Sign in"
LONG = "w" * 900
HOSTILE = "\n".join([SCRIPT, FORMULA, TURNED, CLOSING, "javascript:alert(1)", "{{ 7|add:7 }} {% now 'Y' %}", LONG])


def test_a_request_full_of_tricks(stack: House, open_window: Callable[..., Window], approver: Actor) -> None:
    person = open_window()
    person.open("/ask/correction/")
    person.page.get_by_label("Your e-mail address").fill(CAST.plain)
    person.page.get_by_label("Where do you live?").select_option("DE")
    person.page.get_by_label("What is wrong").fill(HOSTILE)
    person.press("Send my request")
    person.titled("We have your request")
    request = request_of(CAST.plain, "correction")

    desk = open_window(width=NARROW)
    desk.sign_in("approver@desk.example.com")
    desk.open(f"/desk/requests/{request.pk}/")
    desk.titled(request.case.reference)
    desk.sees(SCRIPT, FORMULA, CLOSING, "{{ 7|add:7 }} {% now 'Y' %}")
    expect(desk.page.locator("h1")).to_have_count(1)
    expect(
        desk.page.locator("img[src=x], main script, form[action*=evil], a[href^=javascript], a[href*=evil]")
    ).to_have_count(0)
    assert "owned" not in desk.page.title().casefold()
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= NARROW
    holder = desk.page.get_by_text(TURNED).first
    # Whatever turns the direction of the text ends where the text ends.
    assert holder.evaluate("one => getComputedStyle(one).unicodeBidi") in ("isolate", "plaintext")


def test_an_item_that_cannot_be_read(stack: House, open_window: Callable[..., Window], approver: Actor) -> None:
    email.receive(f"{HOSTILE}\x00\x1b[31m".encode(), "")
    wait_for(lambda: Intake.objects.filter(status=IntakeStatus.QUARANTINED).exists(), what="the unreadable item")
    desk = open_window(width=NARROW)
    desk.sign_in("approver@desk.example.com")
    desk.open("/desk/incoming/")
    desk.page.get_by_role("rowheader").get_by_role("link").first.click()
    desk.titled("Item ")
    expect(desk.page.locator("pre.raw")).to_contain_text(SCRIPT)
    expect(desk.page.locator("main :is(img, script)")).to_have_count(0)
    assert "owned" not in desk.page.title().casefold()
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= NARROW
