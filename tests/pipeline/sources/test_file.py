from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from checkpoints.errors import SourceError
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.file import FileSource

CLIP_FRAMES = 30
Camera = Callable[[object], CameraConfig]


def play(source: FileSource, outbox: Any, pulse: Any) -> Any:
    source.run(outbox, pulse)
    source.close()
    return outbox


def test_every_frame_comes_once_and_in_order(clip: Path, camera: Camera, told: Any, outbox: Any, pulse: Any) -> None:
    config = CaptureConfig()
    play(FileSource(camera(clip), config, told.context(config)), outbox, pulse)
    assert [ref.seq for ref in outbox.refs] == list(range(CLIP_FRAMES))
    assert all(a < b for a, b in pairwise(outbox.shades))
    assert {ref.size_wh for ref in outbox.refs} == {(160, 120)}
    assert told.said == []


def test_the_number_of_frames_is_promised(clip: Path, camera: Camera, told: Any) -> None:
    config = CaptureConfig(frames=7)
    FileSource(camera(clip), config, told.context(config)).close()
    assert told.promised and told.promised[0] <= 7


def test_a_looped_file_goes_on_until_there_are_enough(
    clip: Path, camera: Camera, told: Any, outbox: Any, pulse: Any
) -> None:
    config = CaptureConfig(loop=True, frames=70)
    play(FileSource(camera(clip), config, told.context(config)), outbox, pulse)
    assert [ref.seq for ref in outbox.refs] == list(range(70))
    assert [ref.epoch for ref in outbox.refs] == [0] * 30 + [1] * 30 + [2] * 10


@pytest.mark.parametrize("died_after", [1, 11, 30, 41, 60])
def test_after_a_restart_it_goes_on_where_it_was(
    clip: Path, camera: Camera, told: Any, outbox: Any, pulse: Any, died_after: int
) -> None:
    config = CaptureConfig(loop=True, frames=75)
    first = CaptureConfig(loop=True, frames=died_after)
    play(FileSource(camera(clip), first, told.context(first)), outbox, pulse)
    play(FileSource(camera(clip), config, told.context(config, generation=1)), outbox, pulse)
    assert [ref.seq for ref in outbox.refs] == list(range(75))
    assert [(ref.epoch, round(ref.pts_s * 25)) for ref in outbox.refs] == [divmod(n, 30) for n in range(75)]


def test_a_working_size_is_made_by_the_scaler(clip: Path, camera: Camera, told: Any, outbox: Any, pulse: Any) -> None:
    config = CaptureConfig(size_wh=(64, 48), frames=2)
    play(FileSource(camera(clip), config, told.context(config)), outbox, pulse)
    assert outbox.refs[0].size_wh == (64, 48)


def test_realtime_plays_at_the_pace_of_a_camera(clip: Path, camera: Camera, told: Any, outbox: Any, pulse: Any) -> None:
    config = CaptureConfig(lossless=False, realtime_fps=50.0)
    play(FileSource(camera(clip), config, told.context(config)), outbox, pulse)
    steps = [b.captured_ns - a.captured_ns for a, b in pairwise(outbox.refs)]
    assert {round(step / 1e6) for step in steps} == {20}


def test_a_stop_ends_it(clip: Path, camera: Camera, told: Any, outbox: Any, pulse: Any) -> None:
    pulse.stop_after = 5
    config = CaptureConfig(loop=True)
    play(FileSource(camera(clip), config, told.context(config)), outbox, pulse)
    assert 1 <= len(outbox.refs) <= 5


def test_a_truncated_video_gives_what_it_has_and_says_so(
    clip: Path, camera: Camera, told: Any, outbox: Any, pulse: Any, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    config = CaptureConfig()
    play(FileSource(camera(cut), config, told.context(config)), outbox, pulse)
    assert 0 < len(outbox.refs) < CLIP_FRAMES
    assert any("damaged" in line and str(len(outbox.refs)) in line for line in told.said)


@pytest.mark.parametrize("loop", [False, True])
def test_bad_bytes_in_the_middle_are_told_and_do_not_loop_for_ever(
    clip: Path, camera: Camera, told: Any, outbox: Any, pulse: Any, tmp_path: Path, loop: bool
) -> None:
    data = bytearray(clip.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(data)
    config = CaptureConfig(loop=loop, frames=500)
    play(FileSource(camera(bad), config, told.context(config)), outbox, pulse)
    assert 15 < len(outbox.refs) <= CLIP_FRAMES, "what stands before and after the bad bytes is used"
    assert any("damaged" in line for line in told.said)


def test_a_missing_file_and_a_folder_are_clear_errors(camera: Camera, told: Any, tmp_path: Path) -> None:
    context = told.context(CaptureConfig())
    with pytest.raises(SourceError, match="does not exist"):
        FileSource(camera(tmp_path / "none.mp4"), CaptureConfig(), context)
    with pytest.raises(SourceError, match="folder"):
        FileSource(camera(tmp_path), CaptureConfig(), context)
