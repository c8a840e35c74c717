from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import OutputError, SourceError
from pipeline.config import CameraConfig
from pipeline.film import VideoWriter
from pipeline.video import VideoReader

SIZE_WH = (160, 120)
FRAMES = 40
FPS = 20.0
DARKEST = 37.5  # what a shade of 40 is after the way through YUV and back


def shade(index: int) -> NDArray[np.uint8]:
    image = np.zeros((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    image[:] = 40 + 4 * index
    return image


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Forty frames, each a little lighter than the last."""
    path = tmp_path / "clip.mp4"
    writer = VideoWriter(path, SIZE_WH, FPS)
    for index in range(FRAMES):
        writer.write(shade(index), index / FPS)
    writer.close()
    return path


def reader(path: Path) -> VideoReader:
    return VideoReader(CameraConfig("c", str(path), str(path)))


def shades(video: VideoReader, after_s: float | None = None) -> list[tuple[float, int]]:
    out = np.empty((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    seen = []
    for at_s, frame in video.frames(after_s=after_s):
        video.fill(frame, out)
        seen.append((round(at_s, 3), round((float(out.mean()) - DARKEST) / 4)))
    return seen


def test_what_is_written_is_read_with_its_times(clip: Path) -> None:
    video = reader(clip)
    assert shades(video) == [(round(i / FPS, 3), i) for i in range(FRAMES)]
    assert video.size_wh == SIZE_WH
    video.close()


@pytest.mark.parametrize("last", [0, 7, 25, FRAMES - 1])
def test_reading_goes_on_behind_a_frame(clip: Path, last: int) -> None:
    video = reader(clip)
    assert [index for _, index in shades(video, after_s=last / FPS)] == list(range(last + 1, FRAMES))
    video.close()


def test_pictures_are_scaled_to_the_working_size(clip: Path) -> None:
    video = reader(clip)
    out = np.zeros((30, 46, 3), np.uint8)
    _, frame = next(video.frames())
    video.fill(frame, out)
    assert abs(float(out.mean()) - DARKEST) < 2
    video.close()


def test_a_recording_whose_writer_dies_can_be_played(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    writer = VideoWriter(path, SIZE_WH, FPS)
    for index in range(FRAMES):
        writer.write(shade(index), index / FPS)
    snapshot = tmp_path / "as_it_was.mp4"
    snapshot.write_bytes(path.read_bytes())  # what is on the disk before the writer had a chance to finish
    writer.close()
    video = reader(snapshot)
    assert len(shades(video)) >= FPS / 2
    video.close()


def test_a_text_file_is_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("dear diary " * 100)
    with pytest.raises(SourceError) as caught:
        reader(path)
    assert str(path) in str(caught.value)


def test_sound_alone_is_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    with pytest.raises(SourceError, match="no video"):
        reader(path)


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="--record"):
        VideoWriter(tmp_path / "no" / "such.mp4", SIZE_WH, FPS)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_stops_the_recording_with_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "full.mp4"
    path.symlink_to("/dev/full")

    def record() -> None:
        writer = VideoWriter(path, SIZE_WH, FPS)
        try:
            for index in range(500):
                writer.write(np.random.default_rng(index).integers(0, 255, (120, 160, 3), np.uint8), index / FPS)
        finally:
            writer.abandon()

    with pytest.raises(OutputError, match="No space left"):
        record()
