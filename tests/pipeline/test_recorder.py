from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import CameraConfig
from pipeline.messages import FrameRef
from pipeline.recorder import Recorder
from pipeline.video import VideoReader

IMAGE = np.full((48, 64, 3), 90, np.uint8)


def ref(seq: int, pts_s: float, *, camera: str = "a", epoch: int = 0) -> FrameRef:
    return FrameRef(camera, epoch, seq, pts_s, 0, seq, (64, 48))


def times(path: Path) -> list[float]:
    reader = VideoReader(CameraConfig("r", str(path), str(path)))
    found = [round(at_s, 3) for at_s, _ in reader.frames()]
    reader.close()
    return found


def test_times_are_those_of_the_stream_from_its_first_frame(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", cameras=1, generation=0)
    for seq, pts_s in enumerate((5.0, 5.04, 5.5, 7.0)):
        recorder.write(ref(seq, pts_s), IMAGE)
    recorder.close()
    assert times(tmp_path / "out.mp4") == [0.0, 0.04, 0.5, 2.0]


def test_a_new_epoch_follows_on_the_last(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", cameras=1, generation=0)
    for epoch in (0, 1):
        for n in range(3):
            recorder.write(ref(3 * epoch + n, n * 0.04, epoch=epoch), IMAGE)
    recorder.close()
    assert times(tmp_path / "out.mp4") == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.2])


def test_a_live_camera_that_was_away_leaves_a_gap_of_that_length(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", cameras=1, generation=0, live=True)
    for epoch, second in ((0, 0), (0, 1), (1, 9), (1, 10)):
        at = replace(ref(second, second - 9.0 * epoch, epoch=epoch), captured_ns=second * 1_000_000_000)
        recorder.write(at, IMAGE)
    recorder.close()
    assert times(tmp_path / "out.mp4") == [0.0, 1.0, 9.0, 10.0]


def test_a_camera_that_comes_back_with_another_size_gets_another_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", cameras=1, generation=0)
    recorder.write(ref(0, 0), IMAGE)
    recorder.write(replace(ref(1, 0.04), size_wh=(32, 24)), IMAGE[::2, ::2])
    recorder.write(ref(2, 0.08), IMAGE)
    recorder.close()
    assert {p.name: len(times(p)) for p in tmp_path.iterdir()} == {"out.mp4": 1, "out.part2.mp4": 1, "out.part3.mp4": 1}


def test_an_older_recording_is_written_over_and_an_older_part_is_not(tmp_path: Path) -> None:
    for name in ("out.mp4", "out.part2.mp4"):
        (tmp_path / name).write_bytes(b"older")
    for generation in (0, 1):
        recorder = Recorder(tmp_path / "out.mp4", cameras=1, generation=generation)
        recorder.write(ref(0, 0), IMAGE)
        recorder.close()
    assert (tmp_path / "out.part2.mp4").read_bytes() == b"older"
    assert [times(tmp_path / name) for name in ("out.mp4", "out.part3.mp4")] == [[0.0], [0.0]]


def test_each_camera_and_each_part_has_a_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", cameras=2, generation=0)
    recorder.write(ref(0, 0), IMAGE)
    recorder.write(ref(0, 0, camera="../b"), IMAGE)
    recorder.close()
    later = Recorder(tmp_path / "out.mp4", cameras=1, generation=1)
    later.write(ref(0, 0), IMAGE)
    later.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.___b.mp4", "out.a.mp4", "out.part2.mp4"]
