"""What a run of a fleet was worth, of runs that are made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.fleet.one_camera import folder_of
from pipeline.event_log import EventLog
from pipeline.outlets.stored import StoredEvent
from testbench.fleet_verdict import Verdict, duplicates, gaps_s, uids
from tests.app.fleet.made_up import face

OLD, NEW = "2026-01-31T12:00:00.000Z-aa", "2026-01-31T12:00:20.000Z-bb"
GOOD = Verdict(3, 12, 20.0, True, 4, 3.0, 12.0, 13.0, 2.0, 500, 0, 0, 0, 3)


def stored(*frames: int, run: str = OLD, camera: str = "door") -> list[StoredEvent]:
    return [StoredEvent(frame, f"{run}{frame}", 0, face(frame, run=run, camera=camera)) for frame in frames]


def test_the_longest_time_without_a_face_is_told_of_each_camera() -> None:
    events = stored(10, 11, 12, 30, run=OLD) + stored(10, 20, 30, camera="yard")
    found = gaps_s(events, ["door", "yard"], "2026-01-31T12:00:09.000Z", "2026-01-31T12:00:32.000Z")
    assert found == {"door": 18.0, "yard": 10.0}


def test_a_camera_that_never_told_anything_was_away_all_the_time() -> None:
    found = gaps_s(stored(1, 2), ["door", "yard"], "2026-01-31T12:00:00.000Z", "2026-01-31T12:01:00.000Z")
    assert found == {"door": 58.0, "yard": 60.0}


def test_a_camera_that_does_not_come_back_has_a_gap_until_the_end() -> None:
    assert gaps_s(stored(1, 2), ["door"], "2026-01-31T12:00:00.000Z", "2026-01-31T12:01:00.000Z") == {"door": 58.0}


def test_the_same_face_of_the_same_frame_twice_is_a_duplicate() -> None:
    assert duplicates(stored(1, 2, 3)) == 0
    assert duplicates(stored(1, 2, 2)) == 1


def test_a_run_that_goes_on_beside_a_newer_one_tells_duplicates() -> None:
    assert duplicates(stored(18, 19) + stored(25, 26, run=NEW)) == 0
    assert duplicates(stored(18, 19, 25, 27) + stored(25, 26, run=NEW)) == 2


def test_what_the_machines_have_written_is_found_also_in_older_parts(tmp_path: Path) -> None:
    log = EventLog(folder_of(tmp_path, "door") / "events.jsonl", part_bytes=200, run=OLD)
    for frame in range(5):
        log.append({key: value for key, value in face(frame).items() if key not in ("run", "uid")})
    log.close()
    with (folder_of(tmp_path, "door") / "events.jsonl").open("ab") as file:
        file.write(b'{"type": "ident')
    assert uids(tmp_path) == {str(face(frame, run=OLD)["uid"]) for frame in range(5)}


def test_a_run_is_clean_when_all_is_back_in_time_and_nothing_is_missing_or_twice() -> None:
    assert GOOD.clean
    for bad in (
        {"back_s": 31.0},
        {"gap_s": 31.0},
        {"gap_of_others_s": 31.0},
        {"duplicates": 1},
        {"missing": 1},
        {"moved": 0},
    ):
        assert not replace(GOOD, **bad).clean


def test_where_nobody_was_killed_nothing_has_to_move() -> None:
    assert replace(GOOD, killed=False, moved=0).clean
