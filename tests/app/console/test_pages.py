"""The pages in a real browser, over made-up data: who may see them, what is live, what they say in trouble."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.app.console.fake_answers import problem
from tests.app.console.fake_console import FakeConsole
from tests.app.console.made_up import State, camera, event
from tests.app.console.pages import heading

Open = Callable[..., Any]
PAGES = ["live", "people", "people/id-Ada", "unknowns", "events", "latency", "settings", "health"]
HEADINGS = ["Live", "People", "Ada", "Unknown faces", "Events", "Latency", "Settings", "Health"]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def filled(page: Any, name: str) -> None:
    """Waits until a page shows what it has to show."""
    inside = {"live": ".face", "people": ".card", "unknowns": ".card", "events": ".events li", "latency": ".waterfall"}
    page.locator(inside.get(name.split("/")[0], "table")).first.wait_for()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("colours", "device"), [("light", {}), ("dark", PHONE)])
def test_no_page_has_a_serious_barrier(
    opened: Open, console: FakeConsole, kept: Callable[[Any, str], None], colours: str, device: dict[str, Any]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = opened(console.address, color_scheme=colours, **device)
    for name, title in zip(PAGES, HEADINGS, strict=True):
        page.goto(f"{console.address}/#/{name}")
        heading(page, title)
        filled(page, name)
        kept(page, f"{name.replace('/', '-')}-{colours}-{'phone' if device else 'wide'}")
        found = axe.Axe().run(page).response["violations"]
        barriers = [
            (one["id"], [n["html"] for n in one["nodes"]]) for one in found if one["impact"] in ("serious", "critical")
        ]
        assert not barriers, name
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{name} is {wider} px wider than the screen"


def test_the_live_picture_moves_and_faces_are_where_they_were_found(opened: Open, console: FakeConsole) -> None:
    page = opened(console.address)
    page.locator(".face.unknown").first.wait_for()
    canvas = page.locator(".tile canvas").first
    before = canvas.screenshot()
    while canvas.screenshot() == before:
        page.evaluate("new Promise(requestAnimationFrame)")
    picture = canvas.bounding_box()
    box = page.locator(".face.unknown").first.bounding_box()
    assert (box["x"] - picture["x"]) / picture["width"] == pytest.approx(220 / 640, abs=0.01)
    assert (box["y"] - picture["y"]) / picture["height"] == pytest.approx(60 / 360, abs=0.01)


def test_all_cameras_share_one_connection(opened: Open, console: FakeConsole, state: State) -> None:
    state.cameras = [camera(f"c{n}") for n in range(9)]
    page = opened(console.address)
    page.locator(".tile >> nth=8 >> .state.good").wait_for()
    page.locator(".tile >> nth=8 >> .face").first.wait_for()
    assert state.asked.count("/api/live") == 1
    page.goto(f"{console.address}/#/health")
    heading(page, "Health")


def test_a_camera_that_is_stale_says_for_how_long(opened: Open, console: FakeConsole, state: State) -> None:
    state.cameras = [camera("door", "stale", 12.4), camera("yard", "reconnecting", None)]
    page = opened(console.address)
    page.get_by_text("stale for 12 s").first.wait_for()
    page.get_by_text("reconnecting").first.wait_for()
    assert page.locator(".state.good").count() == 0


def test_pictures_that_stop_coming_are_not_called_live(opened: Open, console: FakeConsole, state: State) -> None:
    state.cameras = [camera("door")]
    state.frames = 3
    page = opened(console.address)
    page.locator(".face").first.wait_for()
    state.wrong["/api/live"] = (500, problem("The pictures cannot be had."))
    page.locator(".over", has_text="stale for").wait_for()
    page.complaints.clear()  # the browser tells of the 500


def test_signing_in_and_out(opened: Open, console: FakeConsole, state: State) -> None:
    state.password = "open sesame"
    page = opened(f"{console.address}/#/people")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("This is not the password.").wait_for()
    page.complaints.clear()  # the browser tells of the 401
    page.get_by_label("Password").fill("open sesame")
    page.keyboard.press("Enter")
    heading(page, "People")
    page.get_by_role("button", name="Sign out").click()
    heading(page, "Sign in")
    assert page.get_by_role("navigation").count() == 0


def test_a_session_that_has_ended_asks_again(opened: Open, console: FakeConsole, state: State) -> None:
    page = opened(f"{console.address}/#/people")
    heading(page, "People")
    state.password = "new"
    page.get_by_role("link", name="Events", exact=True).click()
    heading(page, "Sign in")
    page.complaints.clear()  # the browser tells of the 401


def test_the_console_comes_back_when_the_program_does(opened: Open, console: FakeConsole) -> None:
    page = opened(console.address)
    page.locator(".face").first.wait_for()
    console.stop()
    page.get_by_text("The program does not answer. Trying again…").wait_for()
    page.get_by_text("no answer").first.wait_for()
    console.start()
    page.locator(".state.good").first.wait_for()
    page.get_by_text("The program does not answer. Trying again…").wait_for(state="hidden")
    page.complaints.clear()  # the browser tells of connections that failed


def test_names_are_text_whatever_they_hold(opened: Open, console: FakeConsole, state: State) -> None:
    name = "<img src=x onerror=alert(1)>"
    state.people = {"x": {**state.people["id-Ada"], "id": "x", "name": name}}
    state.faces[0].update(name=name, state="known")
    state.happen(event(300, name))
    for where in ("people", "people/x", "events", "live"):
        page = opened(f"{console.address}/#/{where}")
        page.get_by_text(name).first.wait_for(state="attached")
        assert page.locator("img[src=x]").count() == 0


def test_empty_pages_say_what_comes_there(opened: Open, console: FakeConsole, state: State) -> None:
    state.people, state.unknowns, state.events, state.cameras = {}, {}, [], []
    state.latency["frames"] = 0
    said = {
        "live": "No camera yet",
        "people": "Nobody has a name yet",
        "unknowns": "No unknown faces",
        "events": "No events",
        "latency": "No frame yet",
    }
    page = opened(console.address)
    for name, text in said.items():
        page.goto(f"{console.address}/#/{name}")
        page.get_by_text(text).wait_for()


def test_a_page_that_fails_can_be_tried_again(opened: Open, console: FakeConsole, state: State) -> None:
    state.wrong["/api/people"] = (500, problem("The gallery is locked.", "another program", "close it"))
    page = opened(f"{console.address}/#/people")
    page.get_by_text("The gallery is locked.").wait_for()
    state.wrong.clear()
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("link", name="Ada").wait_for()
    page.complaints.clear()  # the browser tells of the 500
