"""The pages of those who are not the person: whoever asks for somebody else, and data owners; and of a lost mailbox."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from dsar.enums import State
from dsar.models import REQUESTER, Actor
from dsar.review import decide
from dsar.verification import representation
from tests import drive
from tests.browser.judge import Judge
from tests.browser.window import Window
from tests.house import CAST, House, body_of, mail_to
from tests.journeys import scenes
from tests.journeys.test_owners import archive, asked, link_of
from tests.owners import OWNER

pytestmark = pytest.mark.once
OWN = "asks-for-others@example.net"
__all__ = ["archive"]


def code_to(address: str) -> str:
    """The code in the mail to somebody."""
    return scenes.code_in(body_of(mail_to(address, "Your code")))


def test_the_pages_of_somebody_who_asks_for_somebody_else(
    judge: Judge, open_window: Callable[..., Window], approver: Actor
) -> None:
    window = judge.window
    judge.open("/ask/deletion/for-somebody/", "Delete")
    judge.press("Send my request", "Delete")
    window.page.locator("input[name=acts_as][value=guardian]").check()
    window.page.locator("input[name=email]").fill(CAST.plain)
    window.page.locator("input[name=own_name]").fill("Jorun Aske")
    window.page.locator("input[name=own_email]").fill(OWN)
    window.page.locator("select[name=country]").select_option("DE")
    judge.press("Send my request", "We have your request")

    person = Judge(open_window(axe=True))
    person.window.follow_mail(CAST.plain, "Please confirm that this request is yours")
    person.look("proof, somebody asks")
    person.window.press("Yes, this is my mailbox")
    person.open("/case/allow/", "Somebody asks in your name")
    person.press("Save my answer", "Somebody asks in your name")

    window.follow_mail(OWN, "We have your request for somebody else")
    judge.look("represent, before the code")
    window.press("Send me a code")
    judge.look("represent, the code")
    window.page.get_by_label("Code").fill(code_to(OWN))
    judge.press("Open the request", "A request for somebody else")
    judge.press("Send the paper", "A request for somebody else", 422)

    request = scenes.request_of(CAST.plain)
    representation.attach(request.case, "court.pdf", b"%PDF-1.7 a paper", actor=REQUESTER)
    window.sign_in("approver@desk.example.com")
    judge.open(f"/desk/requests/{request.pk}/", request.case.reference)
    assert judge.wrong + person.wrong == []


def test_the_pages_of_a_lost_mailbox_and_a_letter(judge: Judge, approver: Actor) -> None:
    window = judge.window
    judge.open("/lost-mailbox/", "I cannot read my mail any more")
    judge.press("Send this", "I cannot read my mail any more")
    request = scenes.reaches(drive.by_web(CAST.plain, "know"), State.VERIFYING)
    window.open(f"/l/{drive.token_of(request.case)}/")
    window.press("Yes, this is my mailbox")
    scenes.reaches(request, State.REVIEW)
    decide.reply(request.pk, "We are at it, and you hear from us on Friday.", actor=approver)
    mail_to(CAST.plain, "you hear from us on Friday")
    window.open("/case/")
    window.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    with window.page.expect_navigation():
        window.page.locator(".thread a").first.click()
    judge.look("a letter of the case")
    window.sign_in("approver@desk.example.com")
    judge.open(f"/desk/requests/{request.pk}/", request.case.reference)
    assert judge.wrong == []


def test_the_pages_of_a_data_owner(stack: House, archive: House, approver: Actor, chromium: Browser) -> None:
    request = asked(archive, approver)
    judge = Judge(Window(chromium, archive.url, axe=True))
    window = judge.window
    judge.open("/task/forged-and-long-enough-to-be-looked-up/", "", 404)
    judge.open(link_of(mail_to(OWNER, "privacy task")), "A task for you")
    judge.press("Send me a code", "A task for you")
    window.page.get_by_label("Code").fill(code_to(OWNER))
    judge.press("Open the task", "")
    window.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    judge.press("It cannot be done", "", 422)
    window.sign_in("approver@desk.example.com")
    judge.open("/desk/tasks/", "Owners' tasks")
    judge.open(f"/desk/requests/{request.pk}/", request.case.reference)
    window.open("/task/")
    judge.press("It is done", "")
    faults = [*judge.wrong, *window.faults]
    window.context.close()
    assert faults == []
