"""The one store: each event once, and the newest run of a camera is believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.fleet.collect import Collecting, run_number
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
