"""The pages of the law: its dates, who somebody is, what two people decide, looking again, what is kept and counted."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from dsar.enums import Outcome, Right
from dsar.fulfilment import locating, silence
from dsar.models import Actor, Appeal, PrivacyRequest, RequestRecord
from dsar.notifications import outbox
from dsar.review import appeals, laws, refusals
from dsar.verification import data_points, papers
from tests import drive
from tests.browser.judge import Judge
from tests.browser.test_deletion import Opener
from tests.browser.window import Window
from tests.desk import scenes
from tests.house import CAST, House, at_rest, rows
from tests.remedies import under
from tests.test_measures import logged

pytestmark = pytest.mark.once
INVOICE = "The number of an invoice that you got from us"
WORDS = "You never looked into the second account."
OPEN_ALL = "all => all.forEach(one => { one.open = true })"


@pytest.fixture(scope="module")
def _resting(running_house: House) -> Iterator[None]:
    """No worker for this file: the tests do its rounds themselves, where a page would have them wait."""
    with at_rest():
        yield


@pytest.fixture
def quiet(_resting: None, stack: House) -> Iterator[House]:
    """The house without its workers; what was to be mailed is gone in the end."""
    yield stack
    post_goes()


def post_goes() -> None:
    """All that waits in the outbox is sent."""
    while outbox.drain():
        pass


def last_year() -> date:
    """A day of it."""
    return date(timezone.localdate().year - 1, 3, 1)


def records_of(received_on: date) -> None:
    """What the log has of some days: every outcome, grounds, lateness."""
    given: tuple[dict[str, Any], ...] = (
        {}, {"right": Right.KNOW, "late": True}, {"right": Right.PORTABILITY, "extended": True}, {"right": Right.OPT_OUT_SALE},
        {"outcome": Outcome.DENIED, "basis": "CA_SECURITY Cal. Civ. Code 1798.105(d)(2)", "right": Right.DELETION},
        {"outcome": Outcome.GRANTED_IN_PART, "basis": "CA_SECURITY Cal. Civ. Code 1798.105(d)(2)", "right": Right.DELETION},
        {"outcome": Outcome.NOT_PROVEN, "right": Right.UNCLEAR}, {"outcome": Outcome.MERGED}, {"outcome": Outcome.WITHDRAWN},
    )  # fmt: skip
    RequestRecord.objects.bulk_create(
        logged(number, **{"regime": "us_ca_ccpa", "received_on": received_on, "answered_on": received_on, **one})
        for number, one in enumerate(given)
    )


@pytest.fixture
def busy_desk(quiet: House, approver: Actor) -> dict[str, PrivacyRequest]:
    """A request for every way in which the law makes its page look different."""
    records_of(timezone.localdate())
    appeals.take(scenes.not_content().pk, WORDS)
    weighed, doubtful, tomorrow = scenes.unweighed(), scenes.doubtful(), timezone.localdate() + timedelta(days=1)
    hidden = silence.found(weighed)[0][0]
    silence.propose(weighed.pk, hidden, "A law", "An order of secrecy.", tomorrow, actor=scenes.actor(number=7))
    laws.say(weighed.case_id, "US", "VA")
    refusals.propose(
        doubtful.pk, "MANIFESTLY_UNFOUNDED", "Because.", actor=scenes.actor(number=7), facts="Ten in a day."
    )
    made = {
        "a standing proposal": doubtful, "a fee owed": scenes.owing(), "a paper asked for": scenes.paper_asked(),
        "an exception to weigh, and something not told": weighed,
    }  # fmt: skip
    post_goes()
    return made


def opened(judge: Judge, name: str) -> None:
    """The page with all that can be unfolded."""
    judge.window.page.locator("details").evaluate_all(OPEN_ALL)
    judge.look(name)


def test_the_pages_of_the_law_at_the_desk(judge: Judge, busy_desk: dict[str, PrivacyRequest]) -> None:
    window = judge.window
    window.sign_in("approver@desk.example.com")
    for path, heading in (
        ("laws/", "Laws"), ("laws/us_ca_ccpa/", "California"), ("measures/", "Measures"), ("keeping/", "What we keep"),
        ("appeals/", "Appeals"),
    ):  # fmt: skip
        judge.open(f"/desk/{path}", heading)
    window.page.get_by_role("rowheader").get_by_role("link").click()
    window.titled("Appeal")
    window.sees(WORDS)
    opened(judge, "an appeal")
    window.open("/desk/calendar/")
    judge.press("Make an address", "Dates in your calendar")

    for name, said in (
        ("a standing proposal", ["The requester would read"]), ("a fee owed", ["EUR 12.50"]),
        ("a paper asked for", ["Which doubt it shall settle"]),
        ("an exception to weigh, and something not told",
         ["An exception waits to be weighed", "A law forbids to tell the person of this", "The person says that they live here"]),
    ):  # fmt: skip
        request = busy_desk[name]
        window.open(f"/desk/requests/{request.pk}/")
        window.titled(request.case.reference)
        # What else can be done is long, and looked at elsewhere.
        window.page.locator(".split > div details, .why-dates, .why-dates details").evaluate_all(OPEN_ALL)
        window.sees("Why this date?", *said)
        judge.look(name)
    window.follow("Bundle for an authority")
    window.titled("Bundle for an authority")
    window.sees("It holds something that a law forbids to tell the person")
    judge.press("Make the bundle", "Bundle for an authority", 422)
    assert judge.wrong == []


def mailbox_proven(window: Window, request: PrivacyRequest) -> None:
    """The person opens the link of the mail, and the workers look."""
    window.open(f"/l/{drive.token_of(request.case)}/")
    window.press("Yes, this is my mailbox")
    locating.drain()


def test_the_pages_of_the_law_for_whoever_asks(judge: Judge, quiet: House) -> None:
    records_of(last_year())
    window = judge.window
    judge.open("/privacy-measures/", "Privacy requests in")
    window.sees("Requests to know, in all")
    copy = scenes.ask(CAST.neighbour, Right.ACCESS, country="US-CA")
    mailbox_proven(window, copy)
    judge.open("/case/prove/", "Show that it is you")
    judge.press("Sign and send", "Show that it is you", 422)
    prove_wrongly(window)
    window.open("/case/prove/")
    window.sees("What you told us does not fit", "You can try this 2 times")
    judge.look("prove, after a wrong try")
    papers.ask(copy.pk, "The name differs.", "Your passport: the name alone. Cover the rest.", actor=scenes.actor())
    post_goes()
    window.open("/case/")
    window.sees(
        "We asked you for a paper", "We have to be surer that it is you", "May we see a paper that shows who you are?"
    )
    expect(window.page.locator("dt", has_text="With").locator("+ dd")).to_have_text("you")
    opened(judge, "case, a paper asked for")
    window.follow("I live somewhere else")
    window.titled("Where you live")
    judge.look("place")

    refused_under_an_appeal(window)
    window.follow("Ask another person to look again")
    window.titled("Ask another person to look again")
    opened(judge, "look again")
    judge.press("Send", "Ask another person to look again", 422)
    window.page.get_by_label("What is wrong with our answer?").fill(WORDS)
    judge.press("Send", "My request")
    window.sees("Another person looks at our answer again")
    assert judge.wrong == []


def prove_wrongly(window: Window) -> None:
    """Three things that do not fit, signed."""
    for label, value in (("Name", "Somebody Else"), ("Telephone number", "+1 212 555 0100"), (INVOICE, "X-1")):
        window.page.get_by_label(label, exact=True).fill(value)
    window.page.get_by_label("Your full name, as your signature").fill("Somebody Else")
    window.page.get_by_label("Today's date").fill(timezone.localdate().isoformat())
    window.press("Sign and send")
    window.sees("We compare what you stated")
    assert data_points.drain() == 1


def refused_under_an_appeal(window: Window) -> None:
    """A deletion that was refused, in a browser that has proven its mailbox."""
    request = scenes.ask(CAST.org_member)
    mailbox_proven(window, request)
    under(drive.refuse(request.pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=scenes.actor()))
    post_goes()
    window.open("/case/")


@pytest.mark.parametrize("javascript", [True, False], ids=["with-script", "without-script"])
def test_by_keys_alone_from_the_proof_to_looking_again(open_window: Opener, quiet: House, javascript: bool) -> None:
    window = open_window(javascript=javascript)
    page, keys = window.page, window.page.keyboard
    copy = scenes.ask(CAST.neighbour, Right.ACCESS, country="US-CA")
    mailbox_proven(window, copy)
    window.open("/case/")
    window.tab_to("Show that it is you")
    window.press_enter()
    window.titled("Show that it is you")
    [user] = rows("users", email=CAST.neighbour)
    window.tab_to("Sign in")
    for label, value in (
        ("Name", user["full_name"]), ("Telephone number", user["phone"]),
        (INVOICE, rows("invoices", user_id=user["id"])[-1]["number"]),
        ("Your full name, as your signature", user["full_name"]),
    ):  # fmt: skip
        window.tab_to(label)
        keys.type(str(value))
    window.tab_to("Today's date")
    keys.type(f"{timezone.localdate():%m%d%Y}")
    expect(page.get_by_label("Today's date")).to_have_value(timezone.localdate().isoformat())
    window.tab_to("Sign and send")
    window.press_space()
    window.sees("We compare what you stated")
    assert data_points.drain() == 1
    assert scenes.fresh(copy).case.proven_tier == 3

    refused_under_an_appeal(window)
    window.tab_to("Ask another person to look again")
    window.press_enter()
    window.tab_to("What is wrong with our answer?")
    keys.type(WORDS)
    window.tab_to("Send")
    window.tab_to("Why this date?")
    keys.press("Space")
    expect(page.get_by_text("C.R.S. 6-1-1306(3)")).to_be_visible()
    keys.press("Shift+Tab")
    window.press_space()
    window.sees("Thank you. We have it and look again.")
    assert Appeal.objects.get().words == WORDS
    window.tab_to("Call it off")
    window.press_space()
    window.sees("Our answer stays as it was.")
