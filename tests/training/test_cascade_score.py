from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import DataError
from engines.faces import Faces
from training import truths
from training.cascade_score import exactness, measure
from training.truths import Truth
from training.wider_face import LabelledPicture

HIGH, LOW = [0.0, 0.0, 30.0, 40.0], [50.0, 0.0, 60.0, 10.0]


class Finds:
    """The same boxes in every picture."""

    def __init__(self, *boxes: list[float]) -> None:
        self._boxes = np.array(boxes, np.float32).reshape(-1, 4)

    def detect(self, images_bgr: list[NDArray[np.uint8]]) -> list[Faces]:
        count = len(self._boxes)
        landmarks = np.full((count, 5, 2), 3.0, np.float32)
        return [Faces(self._boxes, np.linspace(0.9, 0.8, count, dtype=np.float32), landmarks)] * len(images_bgr)

    def close(self) -> None:
        pass


def _truth(path: Path, landmarks: bool = False, ignored: tuple[bool, bool] = (False, False)) -> Truth:
    points = np.full((2, 5, 2), np.nan)
    if landmarks:
        points[0] = [3.0, 3.0 + np.sqrt(30 * 40) / 10]
    return Truth(path, LabelledPicture(path.name, np.array([HIGH, LOW]), np.array(ignored)), points)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "one.png"
    assert cv2.imwrite(str(path), np.zeros((50, 80, 3), np.uint8))
    return path


def test_low_faces_count_only_where_they_are_to_be_found(picture: Path) -> None:
    scores = measure({"high": Finds(HIGH), "both": Finds(HIGH, LOW)}, [_truth(picture)], [0, 20])
    assert {name: score.ap for name, score in scores[0].items()} == {"high": 0.5, "both": 1.0}
    assert {name: score.ap for name, score in scores[20].items()} == {"high": 1.0, "both": 1.0}
    assert all(score.wrong == 0 and score.ms_per_image > 0 for each in scores.values() for score in each.values())


def test_how_exact_boxes_and_landmarks_are_is_told_of_faces_that_are_found() -> None:
    truth = _truth(Path("one.png"), landmarks=True)
    (found,) = Finds([0.0, 0.0, 30.0, 30.0]).detect([np.zeros((1, 1, 3), np.uint8)])
    ious, apart = exactness(found, truth)
    assert ious == pytest.approx([0.75])
    assert apart == pytest.approx([0.1], rel=1e-6)
    assert exactness(Faces.none(), truth) == ([], [])
    assert exactness(found, _truth(Path("one.png"), ignored=(True, False))) == ([], [])


def test_a_picture_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        measure({"one": Finds(HIGH)}, [_truth(tmp_path / "missing.png")], [0])


def test_no_face_high_enough_is_told(picture: Path) -> None:
    with pytest.raises(DataError, match="no face to be found"):
        measure({"one": Finds(HIGH)}, [_truth(picture)], [100])


def test_both_formats_of_labels_are_read(tmp_path: Path) -> None:
    from training import label_writer
    from training.labels import Labelled, Marks

    (tmp_path / "text" / "images").mkdir(parents=True)
    (tmp_path / "text" / "gt.txt").write_text("a/b.jpg\n1\n1 2 3 4 0 0 0 1 0 0\n", encoding="utf-8")
    marks = Marks(np.array([[1, 2, 4, 6]], np.float32), np.full((1, 5, 2), 7, np.float32), np.array([True]))
    label_writer.write(tmp_path / "json", tmp_path, [Labelled.of(tmp_path / "a" / "b.jpg", (9, 9), marks)])
    (text,), (lines,) = truths.read(tmp_path / "text"), truths.read(tmp_path / "json")
    for each in (text, lines):
        assert each.picture.boxes_xyxy.tolist() == [[1, 2, 4, 6]]
        assert each.picture.ignored.tolist() == [True]
    assert text.path == tmp_path / "text" / "images" / "a" / "b.jpg"
    assert lines.path == tmp_path / "a" / "b.jpg"
    assert np.isnan(text.landmarks).all()
    assert (lines.landmarks == 7).all()
