"""What the console answers: the same operations as the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.clock import now_ns
from tests.app.console.small_console import CAMERA, Browser, SmallConsole, face, jpeg, picture


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallConsole]:
    made = SmallConsole(tmp_path)
    yield made
    made.close()


@pytest.fixture
def browser(small: SmallConsole) -> Iterator[Browser]:
    with small.client() as client:
        yield Browser(client)


def until(what: Callable[[], object]) -> None:
    end_ns = now_ns() + 20_000_000_000
    while not what():
        assert now_ns() < end_ns, "it never came to be"


def test_a_camera_tells_its_state_without_its_password(small: SmallConsole, browser: Browser) -> None:
    (camera,) = browser.client.get("/api/cameras").json()
    assert (camera["name"], camera["state"], camera["source"]) == (CAMERA, "starting", "rtsp://…@host/stream")
    small.show(1)
    (camera,) = browser.client.get("/api/cameras").json()
    assert (camera["state"], camera["size"]) == ("live", [320, 180])


def test_health_fails_on_a_stale_picture_and_on_a_dead_stage_and_says_which(
    small: SmallConsole, browser: Browser
) -> None:
    small.show(1)
    assert browser.client.get("/healthz").json()["status"] == "ok"
    small.show(2, age_s=60)
    answer = browser.client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == [f"{CAMERA} is stale: no picture for 60 s"]
    small.tell(type="camera", state="lost", why="gone")
    assert browser.client.get("/api/cameras").json()[0]["state"] == "reconnecting"
    small.show(3)
    small.board.set_word(2, 0, 2**22 + 1)  # a process number that Linux never gives
    answer = browser.client.get("/healthz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["align is dead"])


def test_the_newest_picture_with_and_without_boxes(small: SmallConsole, browser: Browser) -> None:
    assert browser.client.get(f"/api/cameras/{CAMERA}/snapshot").status_code == 503
    small.show(1, [face(4)], grey=100)
    until(lambda: browser.client.get(f"/api/cameras/{CAMERA}/faces").status_code == 200)
    plain = browser.client.get(f"/api/cameras/{CAMERA}/snapshot")
    assert plain.headers["content-type"] == "image/jpeg"
    image = cv2.imdecode(np.frombuffer(plain.content, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (180, 320, 3)
    assert abs(float(image.mean()) - 100) < 2
    drawn = browser.client.get(f"/api/cameras/{CAMERA}/snapshot", params={"boxes": True}).content
    assert cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR).std() > 5
    (seen,) = browser.client.get(f"/api/cameras/{CAMERA}/faces").json()["faces"]
    assert (seen["track"], seen["box"], seen["name"]) == (4, [20.0, 20.0, 120.0, 140.0], None)
    assert browser.client.get("/api/cameras/..%2F..%2Fetc/snapshot").status_code == 404


def test_people_are_listed_renamed_merged_and_deleted(small: SmallConsole, browser: Browser) -> None:
    small.served.gallery.add("Ada", [picture(1), picture(2)])
    small.served.gallery.add("Bob", [picture(3)])
    ada, bob = browser.client.get("/api/people").json()
    assert (ada["name"], ada["pictures"], bob["name"]) == ("Ada", 2, "Bob")
    assert browser.client.get(f"/api/people/{ada['id']}/picture").headers["content-type"] == "image/jpeg"
    small.served.gallery.add("Cy", [replace(picture(4), cutout=None)])
    (cy,) = [one for one in browser.client.get("/api/people").json() if one["name"] == "Cy"]
    assert browser.client.get(f"/api/people/{cy['id']}/picture").status_code == 204
    small.served.gallery.delete("Cy")
    whole = browser.client.get(f"/api/people/{ada['id']}").json()
    assert {one["source"] for one in whole["kept"]} == {"1.jpg", "2.jpg"}

    renamed = browser.send("PATCH", f"/api/people/{ada['id']}", json={"name": "Ada L"}).json()
    assert renamed["name"] == "Ada L"
    assert browser.client.get(f"/api/people/{ada['id']}").status_code == 404
    taken = browser.send("PATCH", f"/api/people/{renamed['id']}", json={"name": "Bob"})
    assert (taken.status_code, taken.json()["what"]) == (409, "Somebody else has this name.")

    merged = browser.send("POST", f"/api/people/{bob['id']}/merge", json={"into": renamed["id"]}).json()
    assert (merged["name"], merged["pictures"]) == ("Ada L", 3)
    small.tell(id="door/1/1", frame=1, track=1, name="Ada L", state="known")
    assert browser.client.get(f"/api/people/{merged['id']}/erasure").json() == {
        "pictures": 3,
        "sightings": 0,
        "events": 1,
    }


def test_two_browsers_delete_the_same_person(small: SmallConsole, browser: Browser) -> None:
    small.served.gallery.add("Ada", [picture(1)])
    (ada,) = browser.client.get("/api/people").json()
    first = browser.send("DELETE", f"/api/people/{ada['id']}")
    second = browser.send("DELETE", f"/api/people/{ada['id']}")
    assert (first.status_code, first.json()["pictures"]) == (200, 1)
    assert second.status_code == 404
    assert second.json() == {
        "what": "There is no such person.",
        "saw": ada["id"],
        "fix": "somebody else may have changed it meanwhile; load the page again",
    }


def test_an_unknown_becomes_a_person_a_stranger_or_nothing(small: SmallConsole, browser: Browser) -> None:
    small.add_unknown(7)
    small.add_unknown(8)
    small.add_unknown(9)
    listed = browser.client.get("/api/unknowns").json()
    one, two, three = (each["id"] for each in listed)
    assert browser.client.get(f"/api/unknowns/{one}/picture").headers["content-type"] == "image/jpeg"
    done = browser.send("POST", f"/api/unknowns/{one}/promote", json={"name": "Cleo"}).json()
    assert (done["person"]["name"], done["pictures"], done["sightings"]) == ("Cleo", 1, 1)
    assert browser.send("POST", f"/api/unknowns/{two}/stranger").json() == {"pictures": 1}
    assert browser.client.get("/api/strangers").json() == {"pictures": 1}
    assert browser.send("DELETE", f"/api/unknowns/{three}").json() == {"faces": 1, "sightings": 1}
    assert browser.send("DELETE", f"/api/unknowns/{three}").status_code == 404
    assert browser.client.get("/api/unknowns").json() == []


def test_a_face_in_sight_is_named_at_the_desk(small: SmallConsole, browser: Browser) -> None:
    said = {"camera": CAMERA, "track": 5, "name": "Dora"}
    done = browser.send("POST", "/api/faces/enrol", json=said).json()
    assert (done["person"]["name"], done["pictures"]) == ("Dora", 1)
    assert small.served.named == [(CAMERA, 5, "Dora")]
    assert browser.send("POST", "/api/faces/enrol", json={**said, "camera": "none"}).status_code == 404


def test_without_its_holder_the_gallery_is_away_and_not_taken(small: SmallConsole, browser: Browser) -> None:
    assert browser.client.get("/api/people").status_code == 200
    small.served.close()
    answer = browser.client.get("/api/people")
    assert (answer.status_code, answer.json()["what"]) == (503, "The gallery cannot be asked just now.")


def test_events_are_searched_paged_and_exported(small: SmallConsole, browser: Browser) -> None:
    for n in range(5):
        name = "Ada" if n % 2 else None
        state = "known" if name else "unknown"
        small.tell(id=f"door/{n}/1", frame=n, track=1, name=name, state=state, t=f"2026-01-01T00:00:0{n}.000Z")
    page = browser.client.get("/api/events", params={"limit": 2}).json()
    assert [one["frame"] for one in page["events"]] == [4, 3]
    rest = browser.client.get("/api/events", params={"limit": 10, "after": page["next"]}).json()
    assert ([one["frame"] for one in rest["events"]], rest["next"]) == ([2, 1, 0], None)
    known = browser.client.get("/api/events", params={"person": "Ada"}).json()["events"]
    assert [one["event"] for one in known] == ["door/3/1", "door/1/1"]
    since = browser.client.get("/api/events", params={"since": "2026-01-01T00:00:03"}).json()["events"]
    assert [one["frame"] for one in since] == [4, 3]
    one = browser.client.get(f"/api/events/{known[0]['id']}").json()
    assert (one["name"], one["crop"], one["why"]) == ("Ada", False, None)
    assert browser.client.get(f"/api/events/{known[0]['id']}/crop").status_code == 404
    assert browser.client.get("/api/events/99999999999999999999").status_code == 404

    rows = browser.client.get("/api/events/export").text.splitlines()
    assert rows[0].startswith("id,t,camera,frame")
    assert len(rows) == 6
    lines = browser.client.get("/api/events/export", params={"format": "jsonl", "person": "Ada"}).text.splitlines()
    assert [json.loads(line)["frame"] for line in lines] == [1, 3]


def test_a_name_that_is_a_formula_is_none_in_a_spreadsheet(small: SmallConsole, browser: Browser) -> None:
    small.tell(id="door/1/1", frame=1, track=1, name="=1+1", state="known")
    assert ",'=1+1," in browser.client.get("/api/events/export").text


def test_latency_trace_and_metrics_tell_of_the_same_frames(small: SmallConsole, browser: Browser) -> None:
    for seq in range(1, 6):
        small.show(seq, [face(1, "Ada")])
    until(lambda: browser.client.get("/api/latency").json()["frames"] == 5)
    latency = browser.client.get("/api/latency").json()
    assert [one["stage"] for one in latency["stages"]] == ["capture", "detect", "align", "recognise", "lookup", "draw"]
    assert latency["total"]["p50"] == 11.0
    assert latency["recent"][-1]["visits"][1] == {"stage": "detect", "from_ms": 2.0, "to_ms": 3.0}
    assert {one["name"] for one in latency["processes"]} == {*[s["stage"] for s in latency["stages"]], "console"}
    trace = browser.send("POST", "/api/trace")
    assert 'filename="facewire-trace.json"' in trace.headers["content-disposition"]
    assert len([one for one in trace.json()["traceEvents"] if one["ph"] == "X"]) == 30

    text = browser.client.get("/metrics").text
    assert f'facewire_frames_shown_total{{camera="{CAMERA}"}} 5' in text
    assert f'facewire_identities_total{{camera="{CAMERA}"}} 5' in text
    assert 'facewire_stage_work_seconds_bucket{stage="align",le="0.001"} 5' in text
    assert "facewire_latency_seconds_count 5" in text
    assert f'facewire_camera_state{{camera="{CAMERA}",state="live"}} 1' in text
    assert "facewire_gallery_people 0" in text


def test_settings_are_told_without_secrets(tmp_path: Path) -> None:
    small = SmallConsole(tmp_path, {"CONSOLE_TOKEN": "0123456789abcdef", "VIDEO_SOURCE": "rtsp://u:hidden@host/s"})
    with small.client() as client:
        answer = client.get("/api/settings", headers={"Authorization": "Bearer 0123456789abcdef"})
    small.close()
    assert answer.status_code == 200
    assert "0123456789abcdef" not in answer.text
    assert "hidden" not in answer.text
    named = {one["name"]: one for section in answer.json() for one in section["settings"]}
    assert (named["CONSOLE_TOKEN"]["value"], named["CONSOLE_TOKEN"]["given"]) == ("…", True)
    assert named["VIDEO_SOURCE"]["value"] == "rtsp://…@host/s"


def test_pictures_that_cannot_be_used_are_refused_with_the_reason(small: SmallConsole, browser: Browser) -> None:
    files = [
        ("pictures", ("a.jpg", b"%PDF-1.7 and more", "image/jpeg")),
        ("pictures", ("b.jpg", b"", "image/jpeg")),
        ("pictures", ("../../c.jpg", jpeg()[:40], "image/jpeg")),
    ]
    answer = browser.send("POST", "/api/people", data={"name": "Eve"}, files=files).json()
    assert (answer["person"], answer["kept"]) == (None, 0)
    assert [one["file"] for one in answer["refused"]] == ["a.jpg", "b.jpg", "c.jpg"]
    assert answer["refused"][0]["why"] == "not a JPEG, PNG or WebP picture (it begins with '%PDF-1.7')"
    refused = browser.send("POST", "/api/identify", files={"picture": ("x.png", b"hello", "image/png")})
    assert (refused.status_code, refused.json()["what"]) == (422, "This picture cannot be used.")


def test_malformed_requests_are_told_what_is_wrong(small: SmallConsole, browser: Browser) -> None:
    answer = browser.send(
        "POST", "/api/faces/enrol", content=b"{not json", headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["what"]) == (422, "The request cannot be understood.")
    answer = browser.send("POST", "/api/faces/enrol", json={"camera": CAMERA, "track": 1, "name": "A", "mistake": 1})
    assert "mistake" in answer.json()["saw"]
    assert browser.client.get("/nothing").json()["what"] == "There is no such page."
