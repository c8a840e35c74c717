"""A real Chromium, and the console's pages in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.app.console.fake_console import FakeConsole
from tests.app.console.made_up import State

# Kept after the tests, for people to look at.
SCREENSHOTS = Path(__file__).resolve().parents[3] / "build" / "screenshots"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (.[dev])")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no Chromium (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        flags = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        browser = driver.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@contextmanager
def browsing(chromium: Any) -> Iterator[Callable[..., Any]]:
    """open_page(address, **how) gives a page; whatever pages complain of in their console fails the test."""
    complaints: list[str] = []
    contexts = []

    def complain(said: Any) -> None:
        if said.type in ("error", "warning"):
            complaints.append(f"{said.text} ({said.location.get('url')})")

    def open_page(address: str, **how: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, **how})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", complain)
        page.complaints = complaints
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def opened(chromium: Any, console: FakeConsole) -> Iterator[Callable[..., Any]]:
    """Pages of the made-up console, closed before it ends."""
    with browsing(chromium) as open_page:
        yield open_page


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
def console(state: State) -> Iterator[FakeConsole]:
    served = FakeConsole(state)
    yield served
    served.stop()


@pytest.fixture
def kept() -> Callable[[Any, str], None]:
    """kept(page, name) keeps a screenshot."""

    def keep(page: Any, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return keep
