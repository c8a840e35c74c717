"""What is read on the pages, in a real browser, over made-up data: events, latency, settings, health."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.app.console.fake_console import FakeConsole
from tests.app.console.made_up import State, event
from tests.app.console.pages import listening, until

Open = Callable[..., Any]


def test_events_are_filtered_paged_explained_and_exported(opened: Open, console: FakeConsole, state: State) -> None:
    page = opened(f"{console.address}/#/events")
    page.locator(".events li >> nth=49").wait_for()
    page.get_by_role("button", name="Show older ones").click()
    page.locator(".events li >> nth=59").wait_for()
    page.get_by_label("State").select_option("unknown")
    until(page, "document.querySelectorAll('.events li').length === 20")
    assert "state=unknown" in page.get_by_role("link", name="Export CSV").get_attribute("href")
    page.locator(".events li").first.get_by_role("button").click()
    page.get_by_role("dialog").get_by_text("A name needs 0.36").wait_for()
    page.get_by_role("dialog").get_by_text("Ada 0.61, a stranger 0.20").wait_for()
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="All").click()
    until(page, "document.querySelectorAll('.events li').length === 50")


def test_new_events_arrive_by_themselves_when_they_fit(opened: Open, console: FakeConsole, state: State) -> None:
    page = opened(f"{console.address}/#/events?person=Ada")
    page.locator(".events li").first.wait_for()
    listening(page, state)
    state.happen(event(200, "Bob"))
    state.happen(event(201, "Ada"))
    page.locator('[data-event="201"]').wait_for()
    assert page.locator('[data-event="200"]').count() == 0


def test_a_face_that_stays_is_one_row(opened: Open, console: FakeConsole, state: State) -> None:
    state.events = [
        event(n, "Ada") | {"track": 1, "camera": "door", "t": f"2026-05-01T10:00:{n:02d}Z"} for n in (9, 8, 7)
    ]
    page = opened(f"{console.address}/#/events")
    page.locator(".events time", has_text="–").wait_for()
    assert page.locator(".events li").count() == 1
    listening(page, state)
    state.happen(event(10, "Ada") | {"track": 1, "camera": "door", "t": "2026-05-01T10:00:10Z"})
    page.locator('[data-event="10"]').wait_for()
    assert page.locator(".events li").count() == 1


def test_health_says_what_is_wrong(opened: Open, console: FakeConsole, state: State) -> None:
    page = opened(f"{console.address}/#/health")
    page.get_by_text("All is well.").wait_for()
    state.health.update(status="failing", problems=["camera door is stale for 40 s"])
    page.get_by_text("Something is wrong.").wait_for()
    page.get_by_text("camera door is stale for 40 s").wait_for()
    page.complaints.clear()  # the browser tells of the 503


def test_a_trace_is_saved(opened: Open, console: FakeConsole) -> None:
    page = opened(f"{console.address}/#/latency")
    page.locator(".waterfall").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save a trace").click()
    assert saved.value.suggested_filename == "trace.json"


def test_a_setting_is_found_by_its_meaning(opened: Open, console: FakeConsole) -> None:
    page = opened(f"{console.address}/#/settings")
    page.get_by_role("rowheader", name="THREADS").wait_for()
    page.get_by_label("Find a setting").fill("cpu")
    page.get_by_role("rowheader", name="THREADS").wait_for()
    page.get_by_label("Find a setting").fill("nothing like it")
    page.get_by_text("No setting has this").wait_for()
