"""What can be changed on the pages, in a real browser, over made-up data: people, unknown faces, names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checkpoints.portrait import PATH as PORTRAIT
from tests.app.console.fake_answers import problem
from tests.app.console.fake_console import FakeConsole
from tests.app.console.made_up import State
from tests.app.console.pages import heading, until

Open = Callable[..., Any]


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
