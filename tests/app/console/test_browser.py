"""The whole way: a person at a real browser, over the program as it runs, with its demo."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from checkpoints.portrait import PERSON
from tests.app.console.conftest import browsing

Keep = Callable[[Any, str], None]


@pytest.fixture
def address(chromium: Any, program: Any) -> Iterator[str]:
    """Where the console of the running demo is."""
    started = program.start("--source", "demo", "--display", "web", "--port", 0)
    said = []
    for line in started.stdout:
        said.append(line)
        found = re.search(r"console\] listening at (http://\S+)/", line)
        if found:
            break
    else:
        pytest.fail("".join(said))
    yield found[1]
    started.terminate()
    rest = started.communicate(timeout=30)[0]
    assert started.returncode == 0, "".join(said) + rest


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_unknown_face_is_named_by_one_click_renamed_and_forgotten(chromium: Any, address: str, kept: Keep) -> None:
    with browsing(chromium) as open_page:
        page = open_page(address)
        picture_moves(page)
        face(page, "known", PERSON)
        kept(page, "demo-1-live")

        forget(page, address, PERSON)
        page.get_by_text("Nobody has a name yet").wait_for()
        page.goto(f"{address}/#/live")
        face(page, "unknown", "Unknown")
        kept(page, "demo-2-unknown")

        ask_who_it_is(page)
        page.get_by_role("combobox", name="Name").fill("Grace")
        kept(page, "demo-3-who-is-this")
        page.keyboard.press("Enter")
        face(page, "known", "Grace")
        page.locator(".seen", has_text="Grace").wait_for()
        kept(page, "demo-4-named")
        events_of(page, address, "Grace").first.wait_for()
        kept(page, "demo-5-events")

        open_person(page, address, "Grace")
        page.get_by_role("button", name="Rename").click()
        page.get_by_label("New name").fill("Grace H")
        page.get_by_role("dialog").get_by_role("button", name="Rename").click()
        page.get_by_role("heading", name="Grace H", level=1).wait_for()
        page.goto(f"{address}/#/live")
        face(page, "known", "Grace H")

        forget(page, address, "Grace H")
        page.get_by_text("Nobody has a name yet").wait_for()
        page.goto(f"{address}/#/live")
        face(page, "unknown", "Unknown")
        events_of(page, address, "Grace H")
        page.get_by_role("heading", name="No events").wait_for()
        kept(page, "demo-6-forgotten")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_pages_of_a_real_run_have_no_serious_barrier(chromium: Any, address: str, kept: Keep) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    ready = {"live": ".face", "people": ".card", "events": ".events li", "latency": ".waterfall", "health": "table"}
    with browsing(chromium) as open_page:
        page = open_page(address)
        for name, inside in {**ready, "settings": "table", "unknowns": "h1"}.items():
            page.goto(f"{address}/#/{name}")
            page.locator(inside).first.wait_for()
            kept(page, f"real-{name}")
            found = axe.Axe().run(page).response["violations"]
            assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == [], name


def picture_moves(page: Any) -> None:
    canvas = page.locator(".tile canvas").first
    canvas.wait_for()
    before = canvas.screenshot()
    while canvas.screenshot() == before:
        page.evaluate("new Promise(requestAnimationFrame)")


def face(page: Any, state: str, text: str) -> None:
    page.locator(f".face.{state}").get_by_text(text, exact=True).wait_for()


def ask_who_it_is(page: Any) -> None:
    """It moves, as faces do: where the machine is busy a click may come too late, and be made again."""
    errors = pytest.importorskip("playwright.sync_api")
    question = page.get_by_role("combobox", name="Name")
    for _ in range(10):
        page.locator(".face.unknown").click(force=True)
        with suppress(errors.TimeoutError):
            question.wait_for(timeout=5_000)
            return


def all_pictures_came(page: Any) -> None:
    """One that is still asked for when its person is deleted would rightly be told to be gone."""
    page.locator("img").evaluate_all(
        """images => Promise.all(images.filter((image) => !image.complete).map((image) => new Promise((end) => {
               for (const how of ["load", "error"]) image.addEventListener(how, end);
           })))"""
    )


def open_person(page: Any, address: str, name: str) -> None:
    page.goto(f"{address}/#/people")
    page.get_by_role("link", name=name).wait_for()
    all_pictures_came(page)
    page.get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name, exact=True, level=1).wait_for()


def forget(page: Any, address: str, name: str) -> None:
    open_person(page, address, name)
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("These are erased for good").wait_for()
    all_pictures_came(page)
    page.get_by_role("button", name="Erase", exact=True).last.click()
    page.get_by_text(f"{name} is forgotten.").wait_for()


def events_of(page: Any, address: str, name: str) -> Any:
    page.goto(f"{address}/#/events?person={name}")
    page.get_by_role("heading", name="Events", exact=True, level=1).wait_for()
    return page.locator(".events li", has_text=name)
