from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import DataError
from training.label_writer import Writer
from training.labelling import LeftOut, label
from training.labels import Marks, read


def _pictures(folder: Path, *names: str) -> list[Path]:
    for name in names:
        cv2.imwrite(str(folder / name), np.full((24, 32, 3), 200, np.uint8))
    return [folder / name for name in names]


def _no_faces(_path: Path, _image_bgr: NDArray[np.uint8]) -> Marks:
    return Marks(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.bool_))


def _labelled(folder: Path, paths: Sequence[Path]) -> list[LeftOut]:
    with Writer(folder, folder, "") as writer:
        return label(paths, writer, _no_faces)


def test_pictures_that_cannot_be_read_are_left_out_and_told(tmp_path: Path) -> None:
    paths = _pictures(tmp_path, "1.png", "2.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 half")
    assert _labelled(tmp_path, [*paths, tmp_path / "broken.jpg"]) == [
        LeftOut(tmp_path / "broken.jpg", "the JPEG is cut off")
    ]
    assert [(each.image, each.size_wh) for each in read(tmp_path)] == [(path, (32, 24)) for path in paths]


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    paths = _pictures(tmp_path, "1.png", "2.png", "3.png")
    seen = []

    def interrupted_at_the_second(path: Path, image_bgr: NDArray[np.uint8]) -> Marks:
        seen.append(path.name)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return _no_faces(path, image_bgr)

    with pytest.raises(KeyboardInterrupt), Writer(tmp_path, tmp_path, "") as writer:
        label(paths, writer, interrupted_at_the_second)
    with Writer(tmp_path, tmp_path, "") as writer:
        label(paths, writer, interrupted_at_the_second)
    assert seen == ["1.png", "2.png", "2.png", "3.png"]
    assert [each.image for each in read(tmp_path)] == paths


def test_where_no_picture_can_be_read_nothing_is_finished(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="None of these pictures"):
        _labelled(tmp_path, [tmp_path / "1.jpg"])
    with pytest.raises(DataError, match="not finished"):
        read(tmp_path)
