from __future__ import annotations

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
    reader = VideoReader(CameraConfig("r", str(path), str(path)), live=False, timeout_s=5)
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


def test_each_camera_and_each_part_has_a_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", cameras=2, generation=0)
    recorder.write(ref(0, 0), IMAGE)
    recorder.write(ref(0, 0, camera="../b"), IMAGE)
    recorder.close()
    later = Recorder(tmp_path / "out.mp4", cameras=1, generation=1)
    later.write(ref(0, 0), IMAGE)
    later.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.___b.mp4", "out.a.mp4", "out.part2.mp4"]
