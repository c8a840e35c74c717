from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.erasure import erase_events
from pipeline.event_log import EventLog


def told(camera: str, frame: int, track: int, name: str | None, **more: Any) -> dict[str, Any]:
    state = "known" if name else "undecided"
    return {"type": "identity", "camera": camera, "frame": frame, "track": track, "name": name, "state": state, **more}


def write(path: Path, *events: dict[str, Any]) -> None:
    log = EventLog(path)
    for event in events:
        log.append(event)
    log.close()


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_persons_events_go_and_those_of_the_same_face_before_it_had_the_name(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    kept = [
        told("a", 1, 2, None),
        told("a", 3, 2, "Bob"),
        told("b", 3, 1, None),
        {"type": "end", "frames": 3},
        told("a", 1, 1, None),
    ]
    erased = [told("a", 1, 1, None), told("a", 2, 1, "Zoë"), told("a", 3, 2, "Zoë")]
    write(path, erased[0], kept[1], erased[1], kept[2], erased[2], kept[3], kept[4])
    # Track 2 was Bob's and Zoë's: its events without a name may be hers.
    assert erase_events(path, "Zoë") == 3
    assert read(path) == kept[1:]


@pytest.mark.parametrize("name", ["Ann", 'a"b', "名前", "end"])
def test_nobody_is_left_as_a_runner_up(tmp_path: Path, name: str) -> None:
    path = tmp_path / "e.jsonl"
    nearest = [["Bob", 0.8, "id1"], [name, 0.3, "id2"]]
    why = {"threshold": 0.4, "runner_up": name, "shots": [{"frame": 1, "quality": 0.5, "nearest": nearest}]}
    write(path, told("a", 1, 1, "Bob", why=why))
    assert erase_events(path, name) == 0
    (left,) = read(path)
    assert left["why"] == {**why, "runner_up": None, "shots": [{"frame": 1, "quality": 0.5, "nearest": nearest[:1]}]}
    assert json.dumps(name, ensure_ascii=False) not in path.read_text(encoding="utf-8").replace('"type": "end"', "")


@pytest.mark.parametrize("shots", [[{"frame": 1}], [{"nearest": [["Ann"], []]}], [3], {"nearest": []}, "Ann"])
def test_an_explanation_that_nobody_here_wrote_goes_as_a_whole(tmp_path: Path, shots: object) -> None:
    path = tmp_path / "e.jsonl"
    write(path, told("a", 1, 1, "Bob", why={"runner_up": "Ann", "shots": shots}))
    assert erase_events(path, "Ann") == 0
    assert read(path) == [told("a", 1, 1, "Bob")]


def test_a_name_within_a_name_is_somebody_else(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    write(path, told("a", 1, 1, "Ann Lee"), told("a", 1, 2, "Ann"))
    assert erase_events(path, "Ann") == 1
    assert [event["name"] for event in read(path)] == ["Ann Lee"]


def test_no_file_no_events(tmp_path: Path) -> None:
    assert erase_events(tmp_path / "none.jsonl", "Ann") == 0
    assert not list(tmp_path.iterdir())


def test_who_is_writing_goes_on_in_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    log = EventLog(path)
    log.append(told("a", 1, 1, "Ann"))
    assert erase_events(path, "Ann") == 1
    log.append(told("a", 2, 2, "Bob"))
    assert [event["name"] for event in read(path)] == ["Bob"]
    assert [event["name"] for event in log.tail()] == ["Bob"]
    log.close()
