from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import OutputError
from pipeline import events
from pipeline.clock import now_ns
from pipeline.event_log import EventLog
from pipeline.messages import FrameRef, NamedFace


def ref(seq: int, camera: str = "a") -> FrameRef:
    return FrameRef(camera, 0, seq, seq / 25, now_ns(), seq, (640, 360))


def face(track: int, name: str | None = None) -> NamedFace:
    state = "known" if name else "undecided"
    box = np.array([1, 2, 3, 4], np.float32)
    return NamedFace(track, box, np.zeros((5, 2), np.float32), 0.74, name, state, 0.83, 0.21, 5)


def test_an_identity_has_the_keys_of_the_contract() -> None:
    event = events.identity(ref(1234), face(7, "Alice"), "sface@sha256:ab")
    assert list(event) == (
        [
            "type",
            "camera",
            "frame",
            "t",
            "track",
            "box",
            "name",
            "state",
            "score",
            "margin",
            "votes",
            "quality",
            "embedding_space",
            "id",
        ]
    )
    assert event["box"] == [1.0, 2.0, 3.0, 4.0]
    assert str(event["t"]).endswith("Z")


def test_events_are_appended_one_on_a_line(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    for _ in range(2):
        log = EventLog(path)
        log.append({"type": "camera", "name": "Küche\nhinten"})
        log.close()
    lines = path.read_text().splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["Küche\nhinten"] * 2


def test_the_tail_is_of_this_run_and_skips_a_half_line(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    log = EventLog(path)
    log.append({"type": "identity", "frame": 1})
    log.append({"type": "end"})
    log.append({"type": "identity", "frame": 2})
    with path.open("a") as half:
        half.write('{"type": "ident')
    assert [e["frame"] for e in log.tail()] == [2]
    log.close()


def test_the_tail_of_a_long_file_is_found(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.jsonl")
    for frame in range(3000):
        log.append({"type": "identity", "frame": frame, "filling": "x" * 50})
    assert log.tail()[-1]["frame"] == 2999
    log.close()


def test_a_file_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="--events .*no/such"):
        EventLog(tmp_path / "no" / "such" / "e.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_clear_error() -> None:
    log = EventLog(Path("/dev/full"))
    with pytest.raises(OutputError, match="No space left"):
        log.append({"type": "end"})
    log.close()


def test_what_does_not_change_is_told_now_and_then() -> None:
    telling = events.Telling(every_s=1.0)
    told = [seq for seq in range(60) for _ in telling.due(ref(seq), (face(1),))]
    assert told == [0, 25, 50]


def test_what_changes_is_told_at_once() -> None:
    telling = events.Telling(every_s=100.0)
    names = [None, None, "Alice", "Alice", None]
    assert [n for n, name in enumerate(names) for _ in telling.due(ref(n), (face(1, name),))] == [0, 2, 4]


def test_cameras_and_tracks_are_told_apart() -> None:
    telling = events.Telling(every_s=100.0)
    assert len(list(telling.due(ref(0, "a"), (face(1), face(2))))) == 2
    assert len(list(telling.due(ref(0, "b"), (face(1), face(2))))) == 2
    assert not list(telling.due(ref(1, "a"), (face(1), face(2))))
