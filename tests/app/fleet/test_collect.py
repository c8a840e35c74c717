"""The one store: each event once, and the newest run of a camera is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.fleet.collect import Collecting, run_number
from pipeline.clock import utc_iso
from pipeline.outlets.stored import Wanted
from tests.app.fleet.made_up import face, lines

OLD, NEW = "2026-01-31T12:00:00.000Z-ff", "2026-01-31T12:00:20.000Z-00"


@pytest.fixture
def collecting(tmp_path: Path) -> Collecting:
    return Collecting(tmp_path / "events")


def frames(collecting: Collecting) -> list[tuple[str, int]]:
    return [(event.body["run"], event.body["frame"]) for event in collecting.store.all(Wanted())]


def test_what_is_posted_twice_is_kept_once(collecting: Collecting) -> None:
    assert collecting.take(lines(face(1), face(2))) == 2
    assert collecting.take(lines(face(2), face(3))) == 1
    assert [frame for _, frame in frames(collecting)] == [1, 2, 3]
    assert (collecting.counts.stored, collecting.counts.again) == (3, 1)


def test_frames_and_tracks_that_begin_anew_elsewhere_are_other_faces(collecting: Collecting) -> None:
    collecting.take(lines(face(1, run=OLD)))
    collecting.take(lines(face(1, run=NEW, t="2026-01-31T12:00:30.000Z")))
    assert frames(collecting) == [(OLD, 1), (NEW, 1)]
    assert [event.run for event in collecting.store.all(Wanted())] == [run_number(OLD), run_number(NEW)]
    assert run_number(OLD) != run_number(NEW)


def test_a_run_that_was_replaced_is_not_listened_to_any_more(collecting: Collecting) -> None:
    collecting.take(lines(face(20, run=OLD)))
    collecting.take(lines(face(30, run=NEW)))
    collecting.take(lines(face(25, run=OLD), face(30, run=OLD), face(31, run=OLD)))
    assert frames(collecting) == [(OLD, 20), (NEW, 30), (OLD, 25)]
    assert collecting.counts.overlaps == 2


def test_a_newer_run_of_another_camera_replaces_nobody(collecting: Collecting) -> None:
    collecting.take(lines(face(30, run=NEW, camera="yard")))
    collecting.take(lines(face(31, run=OLD)))
    assert collecting.counts.overlaps == 0
    assert collecting.last_of_cameras() == {"yard": "2026-01-31T12:00:30.000Z", "door": "2026-01-31T12:00:31.000Z"}


def test_what_is_no_event_is_counted_and_holds_up_nobody(collecting: Collecting) -> None:
    unmarked = {key: value for key, value in face(2).items() if key != "run"}
    assert collecting.take(lines(face(1)) + b"\nhalf a li\n[1]\n" + lines(unmarked, face(3))) == 2
    assert collecting.counts.unfit == 3


def test_events_without_a_camera_are_kept_too(collecting: Collecting) -> None:
    told = {"type": "stage", "stage": "detect", "state": "restarted", "t": "2026-01-31T12:00:00.000Z"}
    assert collecting.take(lines({**told, "run": OLD, "uid": f"{OLD}/1"}, {**told, "run": NEW, "uid": f"{NEW}/1"})) == 2


def test_a_store_that_is_opened_again_knows_what_it_had(collecting: Collecting, tmp_path: Path) -> None:
    collecting.take(lines(face(30, run=NEW)))
    again = Collecting(tmp_path / "events")
    again.take(lines(face(30, run=NEW), face(31, run=OLD)))
    assert frames(again) == [(NEW, 30)]


def test_what_an_older_run_told_before_the_newer_one_was_heard_is_not_kept_twice(collecting: Collecting) -> None:
    """A machine that is cut off from the others, but not from the store."""
    collecting.take(lines(face(20, run=OLD), face(30, run=OLD), face(31, run=OLD), face(31, run=OLD, camera="yard")))
    collecting.take(lines(face(30, run=NEW)))
    assert frames(collecting) == [(OLD, 20), (OLD, 31), (NEW, 30)]
    assert {event.body["camera"] for event in collecting.store.all(Wanted()) if event.body["frame"] == 31} == {"yard"}
    assert collecting.counts.overlaps == 2
    collecting.take(lines(face(20, run=NEW)))
    assert frames(collecting) == [(OLD, 31), (NEW, 30), (NEW, 20)]


def test_the_last_moments_are_known_without_going_through_the_events(collecting: Collecting, tmp_path: Path) -> None:
    collecting.take(lines(face(31), face(30), face(7, camera="yard")))
    last = {"door": face(31)["t"], "yard": face(7)["t"]}
    assert collecting.last_of_cameras() == last
    assert Collecting(tmp_path / "events").last_of_cameras() == last
    collecting.store.database.path.unlink()
    assert collecting.last_of_cameras() == last


def compared(frame: int, name: str, other: str, **more: object) -> dict[str, object]:
    shots = [{"frame": frame, "nearest": [[name, 0.8], [other, 0.4]]}]
    return face(frame, name=name, why={"runner_up": other, "shots": shots}, **more)


def test_what_is_told_late_of_somebody_who_was_forgotten_is_not_kept(collecting: Collecting, tmp_path: Path) -> None:
    now = utc_iso()
    collecting.take(lines(face(1, track=5), face(0, track=6)))
    collecting.bar("Ann")
    told = [face(2, track=5, name="Ann"), compared(3, "Bob", "Ann", track=6), face(4, name="Ann", t=now)]
    assert Collecting(tmp_path / "events").take(lines(*told)) == 1
    assert [(body["name"], body["track"]) for body in bodies(collecting)] == [(None, 6), ("Bob", 6)]
    assert bodies(collecting)[-1]["why"] == {"runner_up": None, "shots": [{"frame": 3, "nearest": [["Bob", 0.8]]}]}
    assert b"Ann" not in b"".join(path.read_bytes() for path in (tmp_path / "events").glob("events.sqlite*"))


def test_who_is_given_a_name_anew_is_somebody_else(collecting: Collecting) -> None:
    collecting.bar("Ann")
    collecting.take(lines(face(2, name="Ann", t="2999-01-31T12:00:00.000Z")))
    assert [body["name"] for body in bodies(collecting)] == ["Ann"]
    assert collecting.counts.forgotten == 0


def test_machines_that_were_ever_met_are_known(collecting: Collecting, tmp_path: Path) -> None:
    collecting.meet(["10.0.0.2", "10.0.0.1"])
    collecting.meet(["10.0.0.2"])
    assert list(Collecting(tmp_path / "events").met()) == ["10.0.0.1", "10.0.0.2"]


def bodies(collecting: Collecting) -> list[dict[str, Any]]:
    return [event.body for event in collecting.store.all(Wanted())]


def test_what_is_nested_too_deeply_is_no_event(collecting: Collecting) -> None:
    assert collecting.take(b"[" * 100_000 + b"\n" + lines(face(1))) == 1
    assert collecting.counts.unfit == 1
