from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkpoints.errors import SourceError
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.playlist import PlaylistSource

Camera = Callable[[object], CameraConfig]


@pytest.fixture
def playlist(clip: Path) -> Path:
    path = clip.with_name("list.m3u")
    path.write_text(f"#EXTM3U\n{clip.name}\n\n{clip}\n", encoding="utf-8")
    return path


def play(path: Path, config: CaptureConfig, camera: Camera, told: Any, outbox: Any, pulse: Any) -> None:
    source = PlaylistSource(camera(path), config, told.context(config))
    source.run(outbox, pulse)
    source.close()


def test_files_are_played_one_after_the_other(
    playlist: Path, camera: Camera, told: Any, outbox: Any, pulse: Any
) -> None:
    play(playlist, CaptureConfig(), camera, told, outbox, pulse)
    assert [ref.seq for ref in outbox.refs] == list(range(60))
    assert [ref.epoch for ref in outbox.refs] == [0] * 30 + [1] * 30
    assert told.promised == [30, 30]


@pytest.mark.parametrize("frames", [7, 30, 42])
def test_after_a_restart_it_goes_on_where_it_was(
    frames: int, playlist: Path, camera: Camera, told: Any, outbox: Any, pulse: Any
) -> None:
    play(playlist, CaptureConfig(frames=frames), camera, told, outbox, pulse)
    play(playlist, CaptureConfig(), camera, told, outbox, pulse)
    assert [ref.epoch for ref in outbox.refs] == [0] * 30 + [1] * 30
    assert outbox.shades[:30] == outbox.shades[30:]


def test_on_wish_it_begins_anew(playlist: Path, camera: Camera, told: Any, outbox: Any, pulse: Any) -> None:
    play(playlist, CaptureConfig(loop=True, frames=100), camera, told, outbox, pulse)
    assert outbox.refs[-1].epoch == 3


@pytest.mark.parametrize(("text", "why"), [("# nothing\n", "empty"), ("none.mp4\n", "not there")])
def test_what_cannot_be_played_is_told_before_it_begins(
    text: str, why: str, tmp_path: Path, camera: Camera, told: Any
) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(SourceError, match=why):
        PlaylistSource(camera(path), CaptureConfig(), told.context(CaptureConfig()))
