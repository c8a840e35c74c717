from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from checkpoints.errors import SourceError
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.folder import FolderSource

Camera = Callable[[object], CameraConfig]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((48, 64, 3), 10 * number, np.uint8))
    (tmp_path / "3.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("nor this")
    return tmp_path


def test_pictures_come_in_the_order_of_their_numbers(
    pictures: Path, camera: Camera, told: Any, outbox: Any, pulse: Any
) -> None:
    config = CaptureConfig()
    FolderSource(camera(pictures), config, told.context(config)).run(outbox, pulse)
    assert outbox.shades == [10.0, 20.0, 100.0]
    assert [ref.pts_s for ref in outbox.refs] == [0.0, 1.0, 3.0]
    assert told.said == [f"{pictures / '3.jpg'} cannot be read and was left out"]
    assert told.promised == [4]


def test_it_goes_on_behind_the_last_picture(pictures: Path, camera: Camera, told: Any, outbox: Any, pulse: Any) -> None:
    config = CaptureConfig(frames=2)
    FolderSource(camera(pictures), config, told.context(config)).run(outbox, pulse)
    config = CaptureConfig()
    FolderSource(camera(pictures), config, told.context(config)).run(outbox, pulse)
    assert outbox.shades == [10.0, 20.0, 100.0]


def test_on_wish_it_begins_anew(pictures: Path, camera: Camera, told: Any, outbox: Any, pulse: Any) -> None:
    config = CaptureConfig(loop=True, frames=7)
    FolderSource(camera(pictures), config, told.context(config)).run(outbox, pulse)
    assert [ref.epoch for ref in outbox.refs] == [0, 0, 0, 1, 1, 1, 2]


def test_a_folder_without_pictures_is_a_clear_error(tmp_path: Path, camera: Camera, told: Any) -> None:
    with pytest.raises(SourceError, match="no pictures"):
        FolderSource(camera(tmp_path), CaptureConfig(), told.context(CaptureConfig()))
