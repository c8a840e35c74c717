from __future__ import annotations

import json
import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pipeline.erasure import erase_events
from pipeline.event_log import EventLog
from pipeline.parts import all_parts, older_parts, rotate, sweep_parts

SPAWN = multiprocessing.get_context("spawn")


def told(frame: int, track: int, name: str | None) -> dict[str, Any]:
    return {"type": "identity", "camera": "a", "frame": frame, "track": track, "name": name}


def read(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for part in all_parts(log) for line in part.read_text().splitlines()]


def test_a_file_that_is_long_goes_on_in_a_new_one(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.v1.jsonl", part_bytes=100)
    for frame in range(20):
        log.append({"type": "x", "frame": frame, "filling": "x" * 20})
    names = [part.name for part in older_parts(log.path)]
    assert names[:2] == ["e.v1.000001.jsonl", "e.v1.000002.jsonl"]
    assert log.path.is_file()
    assert [event["frame"] for event in read(log.path)] == list(range(20))
    assert all(part.stat().st_size < 200 for part in all_parts(log.path))
    log.close()


def test_other_files_are_no_parts(tmp_path: Path) -> None:
    for name in ("e.1.jsonl", "e.000001.json", "e.000001.jsonl.bak", "other.000001.jsonl", "xe.000001.jsonl"):
        (tmp_path / name).touch()
    assert older_parts(tmp_path / "e.jsonl") == []
    assert older_parts(tmp_path / "none" / "e.jsonl") == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "e.jsonl").symlink_to(tmp_path / "disk" / "real.jsonl")
    log = EventLog(tmp_path / "e.jsonl", part_bytes=1)
    log.append({"type": "x"})
    log.append({"type": "y"})
    log.append({"type": "z"})
    assert (tmp_path / "e.jsonl").is_symlink()
    assert [part.name for part in older_parts(log.path)] == ["real.000001.jsonl", "real.000002.jsonl"]
    log.close()


def test_what_is_short_or_not_there_is_not_put_aside(tmp_path: Path) -> None:
    assert not rotate(tmp_path / "e.jsonl", least_bytes=1)
    (tmp_path / "e.jsonl").write_text("short\n")
    assert not rotate(tmp_path / "e.jsonl", least_bytes=100)


def test_what_killed_rewritings_have_left_is_erased_and_other_files_stay(tmp_path: Path) -> None:
    stay = ["e.jsonl", "e.000002.jsonl", ".other.jsonl.7", ".e.jsonl.bak", ".e.1.jsonl.7"]
    for name in (*stay, ".e.jsonl.7", ".e.000001.jsonl.7", ".e.000002.jsonl.8"):
        (tmp_path / name).touch()
    sweep_parts(tmp_path / "e.jsonl")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(stay)
    sweep_parts(tmp_path / "none" / "e.jsonl")


def test_a_person_is_in_nothing_that_a_killed_deletion_has_left(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.jsonl")
    log.append(told(1, 1, "Ann"))
    log.close()
    (tmp_path / ".e.000001.jsonl.7").write_bytes((tmp_path / "e.jsonl").read_bytes())
    erase_events(tmp_path / "e.jsonl", "Ann")
    assert [path.name for path in tmp_path.iterdir()] == ["e.jsonl"]
    assert read(tmp_path / "e.jsonl") == []


def test_the_tail_goes_back_into_the_part_before(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.jsonl", part_bytes=150)
    for frame in range(4):
        log.append({"type": "identity", "frame": frame, "filling": "x" * 20})
    assert [event["frame"] for event in log.tail()] == [0, 1, 2, 3]
    log.close()


def test_a_person_is_erased_from_all_parts(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    parts: list[list[dict[str, Any]]] = [
        [told(1, 1, None), told(2, 2, "Bob"), told(2, 3, None)],
        [told(3, 1, "Ann"), {"type": "end"}, told(1, 1, None)],
        [told(2, 1, "Bob"), told(3, 3, "Ann")],
    ]
    for part in parts:
        log = EventLog(path)
        for event in part:
            log.append(event)
        log.close()
        if part is not parts[-1]:
            rotate(path, least_bytes=1)
    assert erase_events(path, "Ann") == 3
    assert read(path) == [parts[0][1], parts[0][2], parts[1][1], parts[1][2], parts[2][0]]


def _write_on(path: Path, mark: str, go: Connection) -> None:
    log = EventLog(path, part_bytes=2000)
    go.send("ready")
    for frame in range(1000):
        log.append({"type": "x", "mark": mark, "frame": frame})
    log.close()
    go.send("done")


def test_nothing_is_lost_while_two_write_and_both_begin_new_parts(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    here, there = SPAWN.Pipe()
    writers = [SPAWN.Process(target=_write_on, args=(path, mark, there)) for mark in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        writer.close()
    events = read(path)
    for mark in ("a", "b"):
        assert [event["frame"] for event in events if event["mark"] == mark] == list(range(1000))
    here.close()
    there.close()
