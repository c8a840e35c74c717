from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import DataError
from training.landmark_list import landmarks_for, read

_FACE = "10 20 30 40 15 30 0.0 32 30 0.0 24 40 1.0 17 50 0.0 31 50 0.0 0.82"
_UNKNOWN = "100 20 30 40" + " -1 -1 -1" * 5 + " 0.3"


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "label.txt"
    path.write_text(text)
    return path


def test_boxes_and_landmarks_are_read(tmp_path: Path) -> None:
    found = read(_file(tmp_path, f"# street/one.jpg\n{_FACE}\n{_UNKNOWN}\n5 6 7 8\n\n# empty.jpg\n"))
    one = found["street/one.jpg"]
    assert one.boxes_xyxy.tolist() == [[10, 20, 40, 60], [100, 20, 130, 60], [5, 6, 12, 14]]
    assert one.landmarks[0].tolist() == [[15, 30], [32, 30], [24, 40], [17, 50], [31, 50]]
    assert np.isnan(one.landmarks[1:]).all()
    assert found["empty.jpg"].boxes_xyxy.shape == (0, 4)


def test_a_landmark_left_of_the_picture_is_not_unknown(tmp_path: Path) -> None:
    found = read(_file(tmp_path, f"# 1.jpg\n{_FACE.replace(' 15 30 0.0', ' -3 30 0.0')}\n"))
    assert found["1.jpg"].landmarks[0, 0].tolist() == [-3, 30]


def test_landmarks_go_to_the_boxes_they_belong_to(tmp_path: Path) -> None:
    known = read(_file(tmp_path, f"# 1.jpg\n{_FACE}\n{_UNKNOWN}\n"))["1.jpg"]
    boxes = np.array([[200, 20, 230, 60], [11, 21, 41, 61], [100, 20, 130, 60]], np.float32)
    found = landmarks_for(boxes, known)
    np.testing.assert_array_equal(found[1], known.landmarks[0])
    assert np.isnan(found[[0, 2]]).all()


@pytest.mark.parametrize(
    ("text", "saw"),
    [
        (f"{_FACE}\n", "line 1: '10 20"),
        ("# 1.jpg\n10 20 30\n", "line 2"),
        ("# 1.jpg\n10 20 30 40 15\n", "line 2"),
        ("# 1.jpg\n10 20 30 x\n", "line 2"),
        ("# 1.jpg\n10 20 30 nan\n", "line 2"),
    ],
)
def test_a_line_that_does_not_fit_is_named(text: str, saw: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(_file(tmp_path, text))
    assert saw in (caught.value.saw or "")


def test_a_list_that_cannot_be_read_or_is_empty_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "nowhere.txt")
    with pytest.raises(DataError, match="no picture"):
        read(_file(tmp_path, "\n"))
