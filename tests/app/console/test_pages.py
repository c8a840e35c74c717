"""The pages in a real browser, over made-up data: what they show, what they ask for, and what they say in trouble."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from checkpoints.portrait import PATH as PORTRAIT
from tests.app.console.fake_answers import problem
from tests.app.console.fake_console import FakeConsole
from tests.app.console.made_up import State, camera, event

PAGES = ["live", "people", "people/id-Ada", "unknowns", "events", "latency", "settings", "health"]
HEADINGS = ["Live", "People", "Ada", "Unknown faces", "Events", "Latency", "Settings", "Health"]
Open = Callable[..., Any]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def heading(page: Any, text: str) -> Any:
    found = page.get_by_role("heading", name=text, exact=True, level=1)
    found.wait_for()
    return found


def until(page: Any, wanted: str) -> None:
    """Playwright's own wait_for_function evaluates text in the page, which the console's policy forbids."""
    page.evaluate(
        f"new Promise((done) => {{ const look = () => ({wanted}) ? done() : requestAnimationFrame(look); look(); }})"
    )


def listening(page: Any, state: State) -> None:
    while not any(one.startswith("/api/events/stream") for one in state.asked):
        page.evaluate("new Promise(requestAnimationFrame)")


def filled(page: Any, name: str) -> None:
    """Waits until a page shows what it has to show."""
    inside = {"live": ".face", "people": ".card", "unknowns": ".card", "events": ".events li", "latency": ".waterfall"}
    page.locator(inside.get(name.split("/")[0], "table")).first.wait_for()


@pytest.mark.parametrize(("colours", "device"), [("light", {}), ("dark", {}), ("light", PHONE), ("dark", PHONE)])
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


def test_one_click_on_an_unknown_face_gives_it_a_name(opened: Open, console: FakeConsole, state: State) -> None:
    page = opened(console.address)
    page.locator(".face.unknown").first.click()
    page.get_by_role("dialog", name="Who is this?").wait_for()
    page.keyboard.type("Cleo")
    page.keyboard.press("Enter")
    page.locator(".face.known", has_text="Cleo").first.wait_for()
    page.locator(".seen", has_text="Cleo").wait_for()
    assert "POST /api/faces/enrol" in state.asked
    assert "id-Cleo" in state.people


def test_a_face_can_be_named_with_the_keyboard_alone(opened: Open, console: FakeConsole, state: State) -> None:
    page = opened(console.address)
    page.locator(".face.unknown").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("combobox", name="Name").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert "POST /api/faces/enrol" not in state.asked


def test_a_refusal_stays_in_the_dialog_with_its_reason(opened: Open, console: FakeConsole, state: State) -> None:
    state.wrong["POST /api/faces/enrol"] = (409, problem("The face has left the picture.", "track 7", "wait for it"))
    page = opened(console.address)
    page.locator(".face.unknown").first.click()
    page.get_by_role("combobox", name="Name").fill("Cleo")
    page.get_by_role("button", name="Save the name").click()
    page.get_by_role("alert").get_by_text("The face has left the picture.").wait_for()
    page.get_by_text("What to do: wait for it").wait_for()
    assert page.get_by_role("combobox", name="Name").input_value() == "Cleo"
    page.complaints.clear()  # the browser tells of the 409


def test_a_viewer_is_offered_no_changes(opened: Open, console: FakeConsole, state: State) -> None:
    state.role = "viewer"
    page = opened(f"{console.address}/#/unknowns")
    page.locator(".card").first.wait_for()
    assert page.get_by_role("button", name="Give a name").count() == 0
    page.goto(f"{console.address}/#/people/id-Ada")
    heading(page, "Ada")
    assert page.get_by_role("button", name="Delete").count() == 0
    page.goto(f"{console.address}/#/live")
    page.locator(".face.unknown").first.click()
    page.get_by_text("Only an admin may give names.").wait_for()


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


def test_photographs_are_sent_and_refusals_told(opened: Open, console: FakeConsole, state: State) -> None:
    state.refused = [{"file": "b.jpg", "why": "there are two faces in it"}]
    page = opened(f"{console.address}/#/people")
    page.get_by_role("button", name="Add a person").click()
    page.get_by_role("combobox", name="Name").fill("Dora")
    jpeg = PORTRAIT.read_bytes()
    files = [{"name": name, "mimeType": "image/jpeg", "buffer": jpeg} for name in ("a.jpg", "b.jpg")]
    page.get_by_label("Pictures", exact=True).set_input_files(files)
    page.get_by_role("button", name="Add the pictures").click()
    report = page.get_by_role("dialog", name="Some pictures were refused")
    report.get_by_text("there are two faces in it").wait_for()
    report.get_by_text("1 picture added").wait_for()
    report.get_by_role("button", name="Close").click()
    heading(page, "Dora")


def test_a_picture_is_taken_with_the_camera_of_the_computer(opened: Open, console: FakeConsole, state: State) -> None:
    page = opened(f"{console.address}/#/people", permissions=["camera"])
    page.get_by_role("button", name="Add a person").click()
    page.get_by_role("combobox", name="Name").fill("Emil")
    page.get_by_role("button", name="Take one with this camera").click()
    until(page, "document.querySelector('.webcam video')?.videoWidth > 0")
    page.get_by_role("button", name="Take the picture").click()
    page.locator(".chosen li").wait_for()
    page.get_by_role("button", name="Add the pictures").click()
    page.get_by_text("1 picture added").wait_for()
    assert "id-Emil" in state.people


def test_a_file_that_is_too_large_is_not_sent(opened: Open, console: FakeConsole, state: State) -> None:
    page = opened(f"{console.address}/#/people")
    page.get_by_role("button", name="Add a person").click()
    page.get_by_role("combobox", name="Name").fill("Dora")
    page.get_by_label("Pictures", exact=True).set_input_files(
        [{"name": "huge.jpg", "mimeType": "image/jpeg", "buffer": bytes(11 << 20)}]
    )
    page.get_by_role("button", name="Add the pictures").click()
    page.get_by_text("This picture is too large.").wait_for()
    assert "POST /api/people" not in state.asked


def test_rename_merge_and_delete(opened: Open, console: FakeConsole, state: State) -> None:
    page = opened(f"{console.address}/#/people/id-Ada")
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("Ada L")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    heading(page, "Ada L")
    page.get_by_role("button", name="Merge").click()
    page.get_by_role("dialog").get_by_role("button", name="Merge").click()
    heading(page, "Bob")
    assert list(state.people) == ["id-Bob"]
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("These are erased for good: 4 pictures, 1 sighting, 5 events.").wait_for()
    page.get_by_role("button", name="Erase", exact=True).click()
    page.get_by_text("Nobody has a name yet").wait_for()
    assert not state.people


def test_a_bad_picture_is_erased(opened: Open, console: FakeConsole, state: State) -> None:
    page = opened(f"{console.address}/#/people/id-Ada")
    page.get_by_role("button", name="Erase the picture a.jpg").first.click()
    page.get_by_role("button", name="Erase", exact=True).click()
    page.get_by_text("1 picture, since").wait_for()
    assert "DELETE /api/people/id-Ada/pictures/p0" in state.asked


def test_two_browsers_delete_the_same_person(opened: Open, console: FakeConsole, state: State) -> None:
    first, second = (opened(f"{console.address}/#/people/id-Ada") for _ in range(2))
    for page in (first, second):
        page.get_by_role("button", name="Delete").click()
        page.get_by_role("dialog").wait_for()
    first.get_by_role("button", name="Erase", exact=True).click()
    first.get_by_text("Ada is forgotten.").wait_for()
    second.get_by_role("button", name="Erase", exact=True).click()
    second.get_by_role("alert").get_by_text("There is no such person.").wait_for()
    second.complaints.clear()  # the browser tells of the 404


def test_unknown_faces_are_named_never_named_and_erased(opened: Open, console: FakeConsole, state: State) -> None:
    state.unknowns["u3"] = {**state.unknowns["u2"], "id": "u3"}
    page = opened(f"{console.address}/#/unknowns")
    page.get_by_role("button", name="Give a name: u1").click()
    page.get_by_role("combobox", name="Name").fill("Fay")
    page.keyboard.press("Enter")
    page.get_by_text("This is Fay now: 3 pictures.").wait_for()
    page.get_by_role("button", name="Never name: u2").click()
    page.get_by_role("dialog").get_by_role("button", name="Never name").click()
    page.get_by_text("This face is given no name from now on.").wait_for()
    page.get_by_role("button", name="Delete: u3").click()
    page.get_by_role("button", name="Erase", exact=True).click()
    page.get_by_text("No unknown faces").wait_for()
    assert not state.unknowns


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


def test_names_are_text_whatever_they_hold(opened: Open, console: FakeConsole, state: State) -> None:
    name = "<img src=x onerror=alert(1)>"
    state.people = {"x": {**state.people["id-Ada"], "id": "x", "name": name}}
    state.faces[0].update(name=name, state="known")
    state.happen(event(300, name))
    for where in ("people", "people/x", "events", "live"):
        page = opened(f"{console.address}/#/{where}")
        page.get_by_text(name).first.wait_for(state="attached")
        assert page.locator("img[src=x]").count() == 0


def test_the_console_comes_back_when_the_program_does(opened: Open, console: FakeConsole) -> None:
    page = opened(console.address)
    page.locator(".face").first.wait_for()
    console.stop()
    page.get_by_text("The program does not answer. Trying again…").wait_for()
    page.get_by_text("no answer").first.wait_for()
    console.start()
    page.locator(".state.good").first.wait_for(timeout=30_000)
    page.get_by_text("The program does not answer. Trying again…").wait_for(state="hidden")
    page.complaints.clear()  # the browser tells of connections that failed


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
