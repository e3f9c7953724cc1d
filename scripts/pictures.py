"""`make pictures`: takes the README's pictures from the running app.

Starts the house from nothing in a folder of its own (`manage.py up`), lets some weeks of requests come in through the
real engine, confirms a deletion on the real pages, and photographs queue, request and confirmation with Chromium.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
LARGEST = 200 * 1024
ELSEWHERE = (
    "DATABASE_URL", "REDIS_URL", "COMPANY_DATABASE_URL", "COMPANY_DATABASE_SCHEMA", "DATA_MAP", "BASE_URL",
    "JOURNAL_FILE",
)  # fmt: skip
SOMEBODY = "aneko.larchham.102@example.net"
"""Of the demo company's thousand: invoices and a security log to keep, credit to refund, and a page that is not long."""
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-lcd-text", "--hide-scrollbars",
]  # fmt: skip


@contextmanager
def running_house(var_dir: Path) -> Iterator[str]:
    """`manage.py up` on a free port, until it answers; yields its address. SystemExit where it does not start."""
    for name in ELSEWHERE:
        os.environ.pop(name, None)
    os.environ |= {"DEBUG": "1", "VAR_DIR": str(var_dir), "DJANGO_SETTINGS_MODULE": "config.settings"}
    house = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", "0", "--with-parent"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert house.stdout is not None
        for line in house.stdout:
            found = re.match(r"\s+Public form\s+(http\S+)/$", line)
            if found:
                yield found[1]
                return
        raise SystemExit("The house did not start.")
    finally:
        house.terminate()
        house.communicate()


def weeks_of_requests() -> str:
    """What has come in and where it stands, oldest first; returns the reference of the request that waits for release."""
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from datetime import timedelta

    from django.utils import timezone

    from accounts.models import User
    from dsar.demo.cast import CAST
    from dsar.enums import Channel, Right, State
    from dsar.fulfilment import locating, runner
    from dsar.intake import email, submit, sweep
    from dsar.models import Intake, PrivacyRequest, staff
    from dsar.review import clock, decide
    from dsar.verification import confirmation, links

    real_now = timezone.now
    colleagues = {user.full_name.split()[0]: staff(user) for user in User.objects.exclude(role="")}

    @contextmanager
    def days_ago(days: float) -> Iterator[None]:
        with patch("django.utils.timezone.now", lambda: real_now() - timedelta(days=days)):
            yield

    def ask(
        days: float, address: str, right: str, country: str, taken_by: str = "", *, proven: bool = True
    ) -> PrivacyRequest:
        with days_ago(days):
            data = {"right": right, "email": address, "country": country, "acts_as": "self", "language": "en-gb"}
            raw = json.dumps({**data, "statement": "I have moved; the address is the old one."}).encode()
            intake, _fresh = submit.receive(Channel.WEB, raw, f"web:picture-{address}-{right}")
            return go_on(intake, taken_by, proven=proven)

    def write(
        days: float, address: str, subject: str, text: str, taken_by: str = "", *, proven: bool = True
    ) -> PrivacyRequest:
        with days_ago(days):
            head = f"From: {address}\nTo: privacy@example.com\nSubject: {subject}\nMessage-ID: <{days}@picture.example.com>\n"
            intake, _fresh = email.receive(f"{head}\n{text}\n".encode(), "privacy@example.com")
            return go_on(intake, taken_by, proven=proven)

    def go_on(intake: Intake, taken_by: str, *, proven: bool) -> PrivacyRequest:
        sweep.open_one(intake)
        request = PrivacyRequest.objects.filter(case__intakes=intake).select_related("case").order_by("pk")[0]
        locating.drain()
        check = request.case.checks.filter(kind="mailbox").order_by("-pk").first()
        if proven and check:
            links.prove_mailbox(check.token)
            locating.drain()
        if taken_by:
            decide.assign(request.pk, actor=colleagues[taken_by])
        return PrivacyRequest.objects.select_related("case").get(pk=request.pk)

    ask(41, "maren.vossberg@example.com", Right.ACCESS, "US-CA", "Hanno")
    ask(31, CAST.org_member, Right.OBJECTION, "DE", "Arden")
    ask(27, CAST.sole_owner, Right.DELETION, "FR", "Hanno")
    write(24, CAST.on_hold, "Close my account", "Please delete my account and everything you have about me.", "Arden")
    ask(18, CAST.two_accounts[0], Right.CORRECTION, "NL", "Hanno")
    released = ask(9, CAST.plain, Right.DELETION, "DE")
    with days_ago(8.9):
        plan = confirmation.current_plan(released)
        assert plan is not None, released.state
        confirmation.confirm(released.pk, plan.digest)
        runner.drain_closing()
        decide.note(
            released.pk, "Invoice of last year checked with accounting: stays for ten years.", actor=colleagues["Hanno"]
        )
    ask(6, CAST.recently_changed, Right.DELETION, "DE")
    write(
        4, "tibor.lindqvist@example.net", "my data", "Hello, what about my data and the mails you send? Thanks, Tibor"
    )
    ask(3, CAST.org_owner, Right.MARKETING_OPT_OUT, "AT")
    ask(2, CAST.crypto, Right.DELETION, "DE")
    write(1, "pia.sommerau@example.org", "Re: your offer", "Do not delete my data, just tell me who got it.")
    ask(0.2, CAST.security_flag, Right.DELETION, "US-CA")
    ask(0.1, CAST.refund_due, Right.DELETION, "DE", proven=False)
    clock.sweep()
    assert PrivacyRequest.objects.get(pk=released.pk).state == State.RELEASING
    return str(released.case.reference)


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Ask again and again; SystemExit after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("The workers did not get there.")
        time.sleep(0.2)


def take(page: Page, name: str, *, whole: bool = True) -> None:
    """Write a picture; SystemExit where it is too heavy for a README."""
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, full_page=whole, animations="disabled")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KB")
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path.name} is larger than {LARGEST // 1024} KB.")


def new_page(browser: Browser, address: str, width: int, height: int, scale: float = 1) -> Page:
    """A window of its own; `scale` is pixels of the picture per pixel of the page."""
    return browser.new_context(
        base_url=address, viewport={"width": width, "height": height}, color_scheme="light", device_scale_factor=scale
    ).new_page()


def confirmation_page(browser: Browser, address: str, who: str) -> None:
    """From the form to the page with the two buttons, as anybody would."""
    page = new_page(browser, address, 720, 900, scale=0.85)
    page.goto("/ask/deletion/")
    page.get_by_label("Your e-mail address").fill(who)
    page.get_by_label("Where do you live?").select_option("DE")
    page.get_by_role("button", name="Send my request").click()

    def mail_came() -> bool:
        page.goto("/dev/mail/")
        return page.get_by_role("row", name=re.compile(re.escape(who))).count() > 0 or who in page.content()

    until(mail_came)
    page.get_by_role("main").get_by_role("link", name="Please confirm that this request is yours").first.click()
    page.locator(".mail-text a").first.click()
    page.get_by_role("button", name="Yes, this is my mailbox").click()
    page.wait_for_url("**/confirm/")
    take(page, "confirm")


def desk_pages(browser: Browser, address: str, password: str, reference: str) -> None:
    """The queue and a request that waits for its release, as an approver sees them."""
    page = new_page(browser, address, 1280, 800)
    page.goto("/accounts/login/?next=/desk/")
    page.locator("input[name=login]").fill("approver@desk.example.com")
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/desk/")
    page.goto("/desk/")  # once more, without the greeting
    take(page, "desk")
    page.get_by_role("rowheader").get_by_role("link", name=reference).click()
    page.wait_for_load_state()
    page.set_viewport_size({"width": 1280, "height": 1060})
    take(page, "request", whole=False)


def main() -> None:
    """Everything, in a folder that is gone afterwards."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("No Chromium here (Debian: apt-get install chromium).")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rightsdesk-pictures-") as folder, running_house(Path(folder)) as address:
        reference = weeks_of_requests()
        from dsar.demo import signins

        password = signins.read(Path(folder) / "demo-signins.txt")["approver@desk.example.com"].password
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
            desk_pages(browser, address, password, reference)
            confirmation_page(browser, address, SOMEBODY)
            browser.close()


if __name__ == "__main__":
    main()
