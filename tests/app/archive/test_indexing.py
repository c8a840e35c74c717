from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.archive.indexing import Tally, index
from app.archive.recordings import File
from app.archive.shelf import PART, RECORDING, SIGHTING
from app.archive.shelf_on_disk import open_shelf
from tests.app.archive.painted_crew import Killed, Noted, PaintedCrew, file

FILES = [file(number) for number in range(3)]  # with parts of 300 s, four each


def run(folder: Path, crew: PaintedCrew, files: Sequence[File] = FILES, progress: Noted | None = None) -> Tally:
    """The shelf is opened anew each time, as by another process."""
    shelf = open_shelf(folder, space="painted@1", dim=8)
    try:
        return index(files, shelf, crew, progress or Noted())
    finally:
        shelf.close()


def content(folder: Path) -> dict[str, Any]:
    shelf = open_shelf(folder, space="painted@1", dim=8)
    try:
        return {
            point.id: (point.payload, None if point.vector is None else point.vector.tobytes())
            for kind in (SIGHTING, PART, RECORDING)
            for point in shelf.points(kind, vectors=True)
        }
    finally:
        shelf.close()


def test_a_run_that_is_killed_again_and_again_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    run(tmp_path / "undisturbed", PaintedCrew())
    wanted = content(tmp_path / "undisturbed")
    watched: list[str] = []
    for kill_before in (0, 3, 4, 1):
        crew = PaintedCrew(kill_before=kill_before, backwards=kill_before == 3)
        with pytest.raises(Killed):
            run(tmp_path / "killed", crew)
        assert content(tmp_path / "killed") != wanted
        watched += crew.seen
    last = PaintedCrew()
    run(tmp_path / "killed", last)
    assert content(tmp_path / "killed") == wanted
    assert len(watched + last.seen) == len(set(watched + last.seen)) == 12  # no part was watched twice


def test_a_second_run_reads_and_watches_nothing(tmp_path: Path) -> None:
    run(tmp_path, PaintedCrew())
    before, crew = content(tmp_path), PaintedCrew()
    tally = run(tmp_path, crew)
    assert (crew.read, crew.seen, tally.known, tally.sightings) == ([], [], 3, 0)
    assert content(tmp_path) == before


def test_new_recordings_are_added(tmp_path: Path) -> None:
    run(tmp_path, PaintedCrew(), FILES[:2])
    crew = PaintedCrew()
    tally = run(tmp_path, crew)
    assert crew.read == [FILES[2].place]
    assert (tally.files, tally.known, tally.video_s) == (3, 2, 1000.0)


def test_two_copies_of_a_recording_are_watched_once_and_the_first_by_name_counts(tmp_path: Path) -> None:
    contents = {one.place: "the same" for one in FILES}
    crew = PaintedCrew(contents=contents, kill_before=2)
    with pytest.raises(Killed):
        run(tmp_path, crew, FILES[1:])
    crew = PaintedCrew(contents=contents)
    run(tmp_path, crew, FILES[1:])
    files = {payload["file"] for payload, _ in content(tmp_path).values() if payload["kind"] == PART}
    assert (len(crew.seen), files) == (2, {FILES[1].place})


def test_a_file_that_has_changed_is_forgotten_and_watched_anew(tmp_path: Path) -> None:
    run(tmp_path / "grown", PaintedCrew())
    grown = [FILES[0], file(1, size=200, mtime_ns=6), FILES[2]]
    changed = {grown[1].place: "another content"}
    crew = PaintedCrew(contents=changed)
    run(tmp_path / "grown", crew, grown)
    assert (crew.read, len(crew.seen)) == ([grown[1].place], 4)
    run(tmp_path / "at once", PaintedCrew(contents=changed), grown)
    assert content(tmp_path / "grown") == content(tmp_path / "at once")


def test_a_changed_file_does_not_take_its_copy_along(tmp_path: Path) -> None:
    contents = {one.place: "the same" for one in FILES[:2]}
    run(tmp_path, PaintedCrew(contents=contents), FILES[:2])
    before = {one for one, (payload, _) in content(tmp_path).items() if payload["kind"] == SIGHTING}
    changed = [file(0, size=7), FILES[1]]
    crew = PaintedCrew(contents={**contents, changed[0].place: "new"})
    run(tmp_path, crew, changed)
    assert before <= content(tmp_path).keys()
    assert len(crew.seen) == 4


def test_a_file_with_a_new_time_and_the_old_content_costs_no_watching(tmp_path: Path) -> None:
    run(tmp_path, PaintedCrew())
    crew = PaintedCrew()
    run(tmp_path, crew, [file(0, mtime_ns=99), *FILES[1:]])
    assert (crew.read, crew.seen) == ([FILES[0].place], [])


def test_what_cannot_be_used_is_told_and_tried_again_next_time(tmp_path: Path) -> None:
    progress = Noted()
    tally = run(tmp_path, PaintedCrew(bad=(FILES[0].place,), deadly=(FILES[1].place,)), progress=progress)
    assert set(tally.failed) == {FILES[0].place, FILES[1].place}
    assert tally.failed[FILES[0].place] == "no video"
    assert "died" in tally.failed[FILES[1].place]
    assert len(progress.problems) == 5  # one for the file, one for each part
    crew = PaintedCrew()
    assert not run(tmp_path, crew).failed
    assert crew.read == [FILES[0].place]
    assert len(crew.seen) == 8


def test_hours_are_told_as_they_are_done(tmp_path: Path) -> None:
    progress = Noted()
    tally = run(tmp_path, PaintedCrew(), progress=progress)
    assert progress.expected_s == progress.video_s == tally.video_s == 3000.0
    assert tally.frames == 120
