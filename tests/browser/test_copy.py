"""The page in a copy, opened from a folder: whatever the rows hold, it shows them, runs nothing and asks for nothing."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from dsar.demo.schema import metadata
from dsar.models import Actor
from tests import house
from tests.browser.test_hostile import CLOSING, FORMULA, HOSTILE, SCRIPT
from tests.browser.window import AXE, RULES
from tests.fulfilment import copies
from tests.house import CAST

pytestmark = pytest.mark.once
STYLES = "</style><style>*{background:url(//evil.example/)}</style><link rel=stylesheet href=//evil.example/x.css>"
FRAMES = "<iframe src=//evil.example/></iframe><meta http-equiv=refresh content='0;url=//evil.example/'><base href=//evil.example/>"
EVERYTHING = "\n".join([HOSTILE, STYLES, FRAMES, "<svg/onload=alert(1)>", "]]>-->"])


def test_hostile_rows_open_harmlessly(company: None, approver: Actor, chromium: Browser, tmp_path: Path) -> None:
    identity = house.user_id(CAST.plain)
    prompts, users = metadata.tables["prompts"], metadata.tables["users"]
    with house.company_engine().begin() as connection:
        connection.execute(
            sa.update(prompts).where(prompts.c.user_id == identity).values(prompt=EVERYTHING, output=FORMULA)
        )
        connection.execute(sa.update(users).where(users.c.id == identity).values(full_name=SCRIPT))
    copy = copies.of(copies.checking(approver))
    for name, content in copy.files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    context = chromium.new_context()
    page = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    address = (tmp_path / "index.html").as_uri()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("heading", level=1)).to_have_text("What Example AI holds about you")
    expect(page.locator("td", has_text=SCRIPT).first).to_be_visible()
    assert CLOSING in (page.locator("td", has_text="Sign in").first.text_content() or "")
    expect(page.locator("script, img, iframe, form, link, base, svg, object, style ~ style")).to_have_count(0)
    assert "owned" not in page.title().casefold()
    # Only what is in the folder, and the style is ours.
    assert asked == [address]
    assert faults == []
    hrefs = page.eval_on_selector_all("a[href]", "all => all.map(one => one.getAttribute('href'))")
    assert hrefs and all(re.fullmatch(r"data/[a-z0-9_-]+\.(json|jsonl|csv)", one) for one in hrefs)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 246, 242)"
    for name in hrefs:
        assert (tmp_path / name).exists()
    context.close()
    assert all(row["output"] == f"'{FORMULA}" for row in copy.cells("prompts"))


def test_the_page_can_be_read_by_everybody(company: None, approver: Actor, chromium: Browser, tmp_path: Path) -> None:
    from axe_playwright_python.base import AXE_SCRIPT

    path = tmp_path / "index.html"
    path.write_bytes(copies.of(copies.checking(approver)).files["index.html"])
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme, viewport={"width": 320, "height": 800}, bypass_csp=True)
        context.add_init_script(AXE_SCRIPT)
        page = context.new_page()
        page.goto(path.as_uri())
        assert page.evaluate(AXE, {"type": "tag", "values": RULES}) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        context.close()
