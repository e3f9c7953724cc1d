"""A window of Chromium that holds against the page whatever goes wrong in it: requests that leave, errors, refusals."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, Response, Route, expect

from tests.house import mail_to

Scheme = Literal["light", "dark"]
SECONDS = 20
WIDE, NARROW = 1280, 320
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LOOKS: tuple[tuple[Scheme, int], ...] = (("light", WIDE), ("dark", WIDE), ("dark", NARROW), ("light", NARROW))
# A scheme changes colours and nothing else, so that dark needs no more than the rules about colours.
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
# The one frame of ours holds a mail, sandboxed: nobody may ask it anything.
AXE = """rules => axe.run({runOnly: rules, resultTypes: ['violations'], iframes: false}).then(found =>
    found.violations.flatMap(rule => rule.nodes.map(node =>
        `${rule.id}: ${node.target} ${node.failureSummary.replace(/\\s+/g, ' ')} ${node.html.slice(0, 160)}`)))"""
TOO_WIDE = """() => { const wide = innerWidth; return document.documentElement.scrollWidth <= wide ? [] :
    [...document.body.querySelectorAll('*')].filter(one => one.getBoundingClientRect().right > wide + 0.5 &&
        !one.closest('.scroll, .vh, svg')).slice(0, 5).map(one => `${one.tagName}.${one.className}`) || ['the page'] }"""
FOCUS = """() => { const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
    const over = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return {tag: one.tagName, id: one.id, name: one.name || '',
        words: (one.labels?.[0]?.innerText || one.innerText || one.value || '').replace(/\\s+/g, ' ').trim(),
        outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        seen: box.width > 0 && box.height > 0 && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight + 1
            && box.right <= innerWidth + 1 && (one === over || one.contains(over) || over?.contains(one))}; }"""


class Window:
    """One person's browser. `faults` collects what no page of ours may do; the fixture looks at it in the end."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        scheme: Scheme = "light",
        width: int = WIDE,
        javascript: bool = True,
        axe: bool = False,
    ) -> None:
        self.url, self.refused = url, 0
        self.faults: list[str] = []
        self.context = browser.new_context(
            base_url=url, color_scheme=scheme, viewport={"width": width, "height": 900}, java_script_enabled=javascript,
            reduced_motion="reduce", service_workers="block",
        )  # fmt: skip
        self.context.set_default_timeout(SECONDS * 1000)
        self.context.route(lambda address: not address.startswith((f"{url}/", "data:", "about:")), self._foreign)
        if axe:
            # An init script, because a page's own policy forbids to evaluate strings in it.
            self.context.add_init_script(AXE_SCRIPT)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._fault(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("response", self._response)
        self.page.on("requestfailed", self._failed)

    def _fault(self, words: str) -> None:
        self.faults.append(f"{self.page.url}: {words}")

    def _dialog(self, dialog: Dialog) -> None:
        self._fault(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _foreign(self, route: Route) -> None:
        self._fault(f"asked for {route.request.url}")
        route.abort()

    def _console(self, message: ConsoleMessage) -> None:
        # A status that is no success is seen in the response, where it can be told whose it is.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self._fault(f"console: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and not (
            response.request.is_navigation_request() and self.refused == response.status
        ):
            self._fault(f"{response.status} {response.url}")

    def _failed(self, request: Request) -> None:
        # A page left before its last file came is no fault of the page.
        if request.failure != "net::ERR_ABORTED":
            self._fault(f"{request.url} failed: {request.failure}")

    @contextmanager
    def refusal(self, status: int) -> Iterator[None]:
        """The page that comes next has this status, and that is right."""
        self.refused = status
        yield
        self.refused = 0

    # --- walking --------------------------------------------------------------------------------------------------

    def open(self, path: str) -> None:
        """Type an address."""
        self.page.goto(path)

    def press(self, words: str) -> None:
        """Click the one button with these words, and wait for the page that comes."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=words, exact=True).click()

    def follow(self, words: str) -> None:
        """Click the first link with these words."""
        self.page.get_by_role("main").get_by_role("link", name=words).first.click()

    def sees(self, *words: str) -> None:
        """Wait until the page says this."""
        for some in words:
            expect(self.page.get_by_role("main")).to_contain_text(some, timeout=SECONDS * 1000)

    def titled(self, words: str) -> None:
        """Wait until the page's heading says this."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(words, timeout=SECONDS * 1000)

    def ask(self, address: str) -> None:
        """Fill the form of a deletion and send it."""
        self.open("/ask/deletion/")
        self.page.get_by_label("Your e-mail address").fill(address)
        self.page.get_by_label("Where do you live?").select_option("DE")
        self.press("Send my request")
        self.titled("We have your request")

    def open_mail(self, address: str, subject: str, *, after: int = 0) -> None:
        """Open the newest mail with this subject as a page."""
        mail_to(address, subject, after=after)
        self.open("/dev/mail/")
        self.follow(subject)
        self.titled(subject)

    def follow_mail(self, address: str, subject: str) -> None:
        """Click the link in a mail."""
        self.open_mail(address, subject)
        self.page.locator(".mail-text a").first.click()

    def prove(self, address: str) -> None:
        """From the mail with the link to what comes after the search."""
        self.follow_mail(address, "Please confirm that this request is yours")
        self.press("Yes, this is my mailbox")
        self.page.wait_for_url(re.compile(r"/(confirm|case)/$"))

    def sign_in(self, address: str, password: str = "a long password") -> None:
        """By the form that is there for it."""
        self.open("/accounts/login/")
        self.page.locator("input[name=login]").fill(address)
        self.page.locator("input[name=password]").fill(password)
        self.press("Sign in")
        self.page.wait_for_url(re.compile(r"(?<!login/)$"))

    # --- keys -----------------------------------------------------------------------------------------------------

    def tab_to(self, words: str, *, turns: int = 80) -> dict[str, Any]:
        """Press Tab until what bears these words has the focus; every stop on the way must be seen and outlined."""
        stops = []
        for _turn in range(turns):
            self.page.keyboard.press("Tab")
            stop: dict[str, Any] = self.page.evaluate(FOCUS)
            if stop["tag"] == "BODY":
                continue
            assert stop["outlined"], f"no outline on {stop} at {self.page.url}"
            assert stop["seen"], f"hidden focus on {stop} at {self.page.url}"
            if words in stop["words"]:
                return stop
            stops.append(stop["words"])
        raise AssertionError(f"Tab never came to {words!r} at {self.page.url}: {stops}")

    def press_enter(self) -> None:
        """Enter, and whatever loads after it."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def press_space(self) -> None:
        """The space bar on a button, and whatever loads after it."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Space")

    # --- looking --------------------------------------------------------------------------------------------------

    def look(self, name: str) -> list[str]:
        """What is wrong with the page as it stands, in light and dark, wide and narrow; it is wide and light again."""
        wrong = []
        # The words of a page may be there before its style.
        self.page.wait_for_load_state("load")
        for scheme, width in LOOKS:
            self.page.emulate_media(color_scheme=scheme)
            self.page.set_viewport_size({"width": width, "height": 900})
            found = self.page.evaluate(AXE, {"type": "tag", "values": RULES} if scheme == "light" else COLOURS)
            if width == NARROW:
                found += [f"wider than the window: {one}" for one in self.page.evaluate(TOO_WIDE)]
            wrong += [f"{name} ({scheme}, {width} px): {one}" for one in found]
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": WIDE, "height": 900})
        return wrong
