"""Recordings that never end: parts that follow on each other, named by their beginning."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import OutputError
from pipeline.config import CameraConfig, RecordingsConfig
from pipeline.file_names import is_recording, recording_name
from pipeline.messages import FrameRef
from pipeline.outlets.stored import written
from pipeline.recorder import Recorder
from pipeline.video import VideoReader

FPS = 10


def shown(path: Path) -> list[int]:
    """Which frames a film has: each is as grey as its number."""
    reader = VideoReader(CameraConfig("r", str(path), str(path)))
    image_bgr = np.empty((48, 64, 3), np.uint8)
    found = []
    for _, picture in reader.frames():
        reader.fill(picture, image_bgr)
        found.append(round(float(image_bgr.mean())))
    reader.close()
    return found


def record(folder: Path, frames: int, *, minutes: float = 0.1, days: float = 1.0, first: int = 0) -> None:
    recorder = Recorder(None, cameras=1, generation=0, recordings=RecordingsConfig(folder, minutes, days))
    for seq in range(first, first + frames):
        ref = FrameRef("The door", 0, seq, seq / FPS, seq * 1_000_000_000 // FPS, seq, (64, 48))
        recorder.write(ref, np.full((48, 64, 3), seq, np.uint8))
    recorder.close()


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    monkeypatch.setattr("pipeline.recordings.utc_iso", lambda ns: written(noon + timedelta(microseconds=ns // 1000)))


def test_nothing_is_missing_between_two_parts_and_their_names_tell_when_they_began(tmp_path: Path) -> None:
    record(tmp_path / "films", 200)
    parts = sorted((tmp_path / "films").iterdir())
    assert [path.name for path in parts] == [
        "The_door_20260131_120000Z.mp4",
        "The_door_20260131_120006Z.mp4",
        "The_door_20260131_120012Z.mp4",
        "The_door_20260131_120018Z.mp4",
    ]
    frames = [frame for path in parts for frame in shown(path)]
    assert len(frames) == 200
    assert max(abs(frame - wanted) for wanted, frame in enumerate(frames)) <= 6


def test_a_run_that_begins_in_the_same_second_writes_over_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        record(tmp_path, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "The_door_20260131_120000Z.mp4",
        "The_door_20260131_120001Z.mp4",
    ]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="--record"):
        record(tmp_path / "file" / "films", 1)


def test_names_are_told_from_others() -> None:
    assert is_recording(Path(recording_name("a/b", "2026-01-31T12:00:00.000Z")))
    assert not is_recording(Path("door-2026-01-31T12_00_00_000Z.mp4"))
