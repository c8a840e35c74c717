from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.archive.indexing import Tally, index, prune
from app.archive.recordings import File
from app.archive.shelf import PART, RECORDING, SIGHTING, Shelf
from app.archive.shelf_on_disk import open_shelf
from app.archive.sources import Listed
from checkpoints.errors import ArchiveError
from tests.app.archive.memory_shelf import MemoryShelf
from tests.app.archive.painted_crew import Killed, Noted, PaintedCrew, file

FILES = [file(number) for number in range(3)]  # with parts of 300 s, four each


def run(shelf: Shelf, crew: PaintedCrew, files: Sequence[File] = FILES, progress: Noted | None = None) -> Tally:
    return index(files, shelf, crew, progress or Noted())


def content(shelf: Shelf) -> dict[str, Any]:
    return {
        point.id: (point.payload, None if point.vector is None else point.vector.tobytes())
        for kind in (SIGHTING, PART, RECORDING)
        for point in shelf.points(kind, vectors=True)
    }


@pytest.fixture
def shelf() -> MemoryShelf:
    return MemoryShelf()


@contextmanager
def on_disk(folder: Path) -> Iterator[Shelf]:
    """Opened anew each time, as by another process."""
    shelf = open_shelf(folder, space="painted@1", dim=8)
    try:
        yield shelf
    finally:
        shelf.close()


def test_a_run_that_is_killed_again_and_again_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    with on_disk(tmp_path / "undisturbed") as shelf:
        run(shelf, PaintedCrew())
        wanted = content(shelf)
    watched: list[str] = []
    for kill_before in (0, 3, 4, 1):
        crew = PaintedCrew(kill_before=kill_before, backwards=kill_before == 3)
        with on_disk(tmp_path / "killed") as shelf:
            with pytest.raises(Killed):
                run(shelf, crew)
            assert content(shelf) != wanted
        watched += crew.seen
    last = PaintedCrew()
    with on_disk(tmp_path / "killed") as shelf:
        run(shelf, last)
        assert content(shelf) == wanted
    assert len(watched + last.seen) == len(set(watched + last.seen)) == 12  # no part was watched twice


def test_a_second_run_reads_and_watches_nothing(shelf: MemoryShelf) -> None:
    run(shelf, PaintedCrew())
    before, crew = content(shelf), PaintedCrew()
    tally = run(shelf, crew)
    assert (crew.read, crew.seen, tally.known, tally.sightings) == ([], [], 3, 0)
    assert content(shelf) == before


def test_new_recordings_are_added(shelf: MemoryShelf) -> None:
    run(shelf, PaintedCrew(), FILES[:2])
    crew = PaintedCrew()
    tally = run(shelf, crew)
    assert crew.read == [FILES[2].place]
    assert (tally.files, tally.known, tally.video_s) == (3, 2, 1000.0)


def test_two_copies_of_a_recording_are_watched_once_and_the_first_by_name_counts(shelf: MemoryShelf) -> None:
    contents = {one.place: "the same" for one in FILES}
    crew = PaintedCrew(contents=contents, kill_before=2)
    with pytest.raises(Killed):
        run(shelf, crew, FILES[1:])
    crew = PaintedCrew(contents=contents)
    run(shelf, crew, FILES[1:])
    files = {payload["file"] for payload, _ in content(shelf).values() if payload["kind"] == PART}
    assert (len(crew.seen), files) == (2, {FILES[1].place})


def test_a_file_that_has_changed_is_forgotten_and_watched_anew(shelf: MemoryShelf) -> None:
    run(shelf, PaintedCrew())
    grown = [FILES[0], file(1, size=200, mtime_ns=6), FILES[2]]
    changed = {grown[1].place: "another content"}
    crew = PaintedCrew(contents=changed)
    run(shelf, crew, grown)
    assert (crew.read, len(crew.seen)) == ([grown[1].place], 4)
    at_once = MemoryShelf()
    run(at_once, PaintedCrew(contents=changed), grown)
    assert content(shelf) == content(at_once)


def test_a_changed_file_does_not_take_its_copy_along(shelf: MemoryShelf) -> None:
    contents = {one.place: "the same" for one in FILES[:2]}
    run(shelf, PaintedCrew(contents=contents), FILES[:2])
    before = {one for one, (payload, _) in content(shelf).items() if payload["kind"] == SIGHTING}
    changed = [file(0, size=7), FILES[1]]
    crew = PaintedCrew(contents={**contents, changed[0].place: "new"})
    run(shelf, crew, changed)
    assert before <= content(shelf).keys()
    assert len(crew.seen) == 4


def test_a_file_with_a_new_time_and_the_old_content_costs_no_watching(shelf: MemoryShelf) -> None:
    run(shelf, PaintedCrew())
    crew = PaintedCrew()
    run(shelf, crew, [file(0, mtime_ns=99), *FILES[1:]])
    assert (crew.read, crew.seen) == ([FILES[0].place], [])


def test_what_cannot_be_used_is_told_and_tried_again_next_time(shelf: MemoryShelf) -> None:
    progress = Noted()
    tally = run(shelf, PaintedCrew(bad=(FILES[0].place,), deadly=(FILES[1].place,)), progress=progress)
    assert set(tally.failed) == {FILES[0].place, FILES[1].place}
    assert tally.failed[FILES[0].place] == "no video"
    assert "died" in tally.failed[FILES[1].place]
    assert len(progress.problems) == 5  # one for the file, one for each part
    crew = PaintedCrew()
    assert not run(shelf, crew).failed
    assert crew.read == [FILES[0].place]
    assert len(crew.seen) == 8


def test_hours_are_told_as_they_are_done(shelf: MemoryShelf) -> None:
    progress = Noted()
    tally = run(shelf, PaintedCrew(), progress=progress)
    assert progress.expected_s == progress.video_s == tally.video_s == 3000.0
    assert tally.frames == 120


def test_what_is_gone_is_forgotten_where_it_was_looked_for_and_unless_there_is_a_copy(shelf: MemoryShelf) -> None:
    copied = {FILES[1].place: "the same", FILES[2].place: "the same"}
    run(shelf, PaintedCrew(contents=copied))
    assert prune(Listed((FILES[2],)), ["/elsewhere", "/all/cam"], shelf) == 0
    assert shelf.count(RECORDING) == 3
    assert prune(Listed((FILES[2],)), ["/all"], shelf) == 2
    left = {point.payload["file"] for point in shelf.points(PART)}
    assert left == {FILES[1].place}  # its content is still there, by another name
    assert {point.payload["recording"] for point in shelf.points(SIGHTING)} == {
        point.payload["recording"] for point in shelf.points(PART)
    }


def test_a_recording_that_moved_while_its_name_was_used_again_is_watched_where_it_is_now(shelf: MemoryShelf) -> None:
    run(shelf, PaintedCrew())
    files = [file(0, size=7), *FILES[1:], file(9)]
    crew = PaintedCrew(contents={files[0].place: "new", files[3].place: FILES[0].place})
    run(shelf, crew, files)
    assert len(crew.seen) == 8
    watched = {point.payload["file"] for point in shelf.points(PART)}
    assert watched == {one.place for one in files}


def test_nothing_is_forgotten_where_it_could_not_be_looked(shelf: MemoryShelf) -> None:
    run(shelf, PaintedCrew())
    found = Listed((FILES[2],), {"/all/cam0": "Permission denied", FILES[1].place: "No such file or directory"})
    assert prune(found, ["/all"], shelf) == 0
    assert prune(Listed((FILES[2],), {"/all/cam": "of another name"}), ["/all"], shelf) == 2


def test_known_recordings_are_not_mixed_with_those_of_other_settings(shelf: MemoryShelf) -> None:
    with pytest.raises(Killed):
        index(FILES, shelf, PaintedCrew(kill_before=2), Noted(), "door", looks="every picture")
    before, crew = content(shelf), PaintedCrew()
    for camera, looks in (("door", "every second picture"), ("yard", "every picture")):
        with pytest.raises(ArchiveError) as caught:
            index(FILES, shelf, crew, Noted(), camera, looks=looks)
        assert f"3 of them, such as {FILES[0].place}" in (caught.value.saw or "")
    assert (crew.read, crew.seen, content(shelf)) == ([], [], before)
    index(FILES, shelf, crew, Noted(), looks="every picture")
    assert {point.payload["camera"] for point in shelf.points(SIGHTING)} == {"door"}
    index([file(7)], shelf, crew, Noted(), "yard", looks="every second picture")  # a new one may be of others
    grown = [file(1, size=9)]
    index(grown, shelf, PaintedCrew(contents={grown[0].place: "new"}), Noted(), "yard", looks="another")


def test_a_copy_of_what_is_known_with_other_settings_is_told(shelf: MemoryShelf) -> None:
    index(FILES[:1], shelf, PaintedCrew(), Noted(), "door", looks="every picture")
    before, progress = content(shelf), Noted()
    copied = PaintedCrew(contents={FILES[1].place: FILES[0].place})
    tally = index(FILES[1:2], shelf, copied, progress, "yard", looks="every picture")
    assert list(tally.failed) == [FILES[1].place]
    assert f"{FILES[0].place}, which was indexed with other settings: camera door, now yard" in progress.problems[0]
    assert content(shelf) == before
