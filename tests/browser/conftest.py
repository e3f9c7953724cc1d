"""Chromium, and windows of it on the running house."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Browser, sync_playwright

from tests.browser.judge import Judge
from tests.browser.window import Window
from tests.house import House

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    # No page here lives long enough for what optimising its scripts costs.
    "--js-flags=--no-opt",
]  # fmt: skip


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One headless Chromium, the one that Debian packages, for all tests of this folder."""
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        pytest.fail("No Chromium here: these tests need it (Debian: apt-get install chromium).")
    with pytest.MonkeyPatch.context() as patch:
        # Playwright's blocking interface runs an event loop in this thread, in which Django refuses its queries as if
        # they were made by a coroutine. They are not.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            yield browser
            browser.close()
            # Beside a running loop Django keeps a connection of its own, which would outlive the test database.
            connections.close_all()


@pytest.fixture
def open_window(stack: House, chromium: Browser) -> Iterator[Callable[..., Window]]:
    """Opens windows (see Window for its options); in the end none may have left this machine or met an error."""
    windows: list[Window] = []

    def opened(**options: Any) -> Window:
        windows.append(Window(chromium, stack.url, **options))
        return windows[-1]

    yield opened
    faults = [fault for window in windows for fault in window.faults]
    for window in windows:
        window.context.close()
    assert faults == []


@pytest.fixture
def judge(open_window: Callable[..., Window]) -> Judge:
    """A window with a judge."""
    return Judge(open_window(axe=True))
