from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import DataError
from training.landmark_list import Points
from training.listed import Listed, Oddities, missing_ones, read, tidied
from training.wider_face import LabelledPicture


def _picture(*boxes: tuple[float, float, float, float], name: str = "1.jpg") -> LabelledPicture:
    return LabelledPicture(name, np.array(boxes, np.float64).reshape(-1, 4), np.zeros(len(boxes), np.bool_))


def test_boxes_are_brought_into_the_picture_and_each_oddity_is_counted() -> None:
    oddities = Oddities()
    inside, over_the_edge = (10, 10, 40, 40), (-5, 80, 30, 120)
    no_width, outside = (20, 20, 20, 50), (100, 0, 140, 40)
    marks = tidied(_picture(inside, over_the_edge, no_width, outside), (100, 100), oddities)
    assert marks.boxes_xyxy.tolist() == [[10, 10, 40, 40], [0, 80, 30, 100]]
    assert np.isnan(marks.landmarks).all()
    assert oddities.counts == {"no size": 1, "outside the picture": 1, "clipped": 1}
    assert "1.jpg: no size: 20, 20, 20, 50" in oddities.places


def test_the_zeros_of_a_picture_without_faces_are_no_oddity() -> None:
    oddities = Oddities()
    assert tidied(_picture((0, 0, 0, 0)), (100, 100), oddities).boxes_xyxy.shape == (0, 4)
    assert not oddities.counts.total()


def test_tiny_faces_and_invalid_ones_are_ignored() -> None:
    picture = _picture((0, 0, 20, 20), (30, 0, 37, 20), (60, 0, 80, 20))
    picture.ignored[2] = True
    assert tidied(picture, (100, 100), Oddities()).ignored.tolist() == [False, True, True]


def test_landmarks_come_from_elsewhere() -> None:
    pictures = [_picture((10, 10, 40, 40), (60, 10, 90, 40)), _picture((10, 10, 40, 40), name="2.jpg")]
    known = Points(np.array([[60, 10, 90, 40]], np.float32), np.full((1, 5, 2), 70, np.float32))
    listed = Listed(pictures, Path("images"), lambda name, _: known if name == "1.jpg" else None)
    image_bgr = np.zeros((100, 100, 3), np.uint8)
    landmarks = listed.marks(Path("images/1.jpg"), image_bgr).landmarks
    assert np.isnan(landmarks[0]).all()
    assert (landmarks[1] == 70).all()
    assert np.isnan(listed.marks(Path("images/2.jpg"), image_bgr).landmarks).all()


def test_missing_pictures_are_named(tmp_path: Path) -> None:
    pictures = [_picture(name="street/1.jpg"), _picture(name="street/2.jpg")]
    with pytest.raises(DataError, match="does not exist"):
        missing_ones(pictures, tmp_path / "nowhere")
    with pytest.raises(DataError, match="None of the listed pictures"):
        missing_ones(pictures, tmp_path)
    (tmp_path / "street").mkdir()
    (tmp_path / "street" / "1.jpg").touch()
    assert missing_ones(pictures, tmp_path) == ["street/2.jpg"]


def test_the_form_of_a_list_is_told_by_its_name(tmp_path: Path) -> None:
    for name in ("gt.txt", "gt.mat"):
        (tmp_path / name).write_text("1.jpg\n0\n")
    assert [picture.name for picture in read(tmp_path / "gt.txt")] == ["1.jpg"]
    pytest.importorskip("scipy", reason="the extra [train] is not installed")
    with pytest.raises(DataError, match="MATLAB"):
        read(tmp_path / "gt.mat")
