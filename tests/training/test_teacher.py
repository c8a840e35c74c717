from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import manifest, store
from engines.faces import Faces
from engines.options import EngineOptions
from training.teacher import LEADING, SECOND, Teacher, agreed, suspected

ROOT = Path(__file__).resolve().parents[2]
_LAYOUT = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)


def _faces(*found: tuple[float, float, float, float]) -> Faces:
    """Square faces: corner x, y, side, score."""
    rows = np.array(found, np.float32).reshape(-1, 4)
    boxes = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:3]])
    return Faces(boxes, rows[:, 3], rows[:, None, :2] + _LAYOUT * rows[:, None, 2:3])


def test_what_both_find_is_a_face_with_the_mean_of_their_landmarks() -> None:
    leading, second = _faces((10, 10, 40, 0.35)), _faces((14, 10, 40, 0.99))
    marks = agreed(leading, second)
    np.testing.assert_array_equal(marks.boxes_xyxy, leading.boxes_xyxy)
    np.testing.assert_allclose(marks.landmarks, leading.landmarks + np.array([2, 0], np.float32))
    assert marks.ignored.tolist() == [False]


def test_what_one_finds_is_a_face_only_where_the_leading_one_is_sure() -> None:
    leading, second = _faces((10, 10, 40, 0.75), (100, 10, 40, 0.45)), _faces((200, 10, 40, 0.99))
    marks = agreed(leading, second)
    assert marks.boxes_xyxy[:, 0].tolist() == [10, 100, 200]
    assert marks.ignored.tolist() == [False, True, True]
    np.testing.assert_array_equal(marks.landmarks[2], second.landmarks[0])


def test_a_face_too_small_to_learn_from_is_ignored() -> None:
    marks = agreed(_faces((10, 10, 11, 0.95), (50, 10, 12, 0.95)), _faces((10, 10, 11, 0.95)))
    assert marks.ignored.tolist() == [True, False]


def test_what_repeats_a_known_face_is_left_out() -> None:
    around, part, beside = (0, 0, 80, 0.4), (25, 25, 15, 0.4), (45, 10, 40, 0.4)
    marks = agreed(_faces((20, 20, 40, 0.9), around, part, beside), _faces())
    assert marks.boxes_xyxy[:, 0].tolist() == [20, 45]
    assert marks.ignored.tolist() == [False, True]


def test_on_a_background_likely_faces_are_ignored_and_the_rest_is_left_to_be_learned() -> None:
    leading = _faces((10, 10, 40, 0.9), (100, 10, 40, 0.35), (200, 10, 40, 0.35))
    marks = suspected(leading, _faces((100, 10, 40, 0.8), (300, 10, 40, 0.99)))
    assert marks.boxes_xyxy[:, 0].tolist() == [10, 100]
    assert marks.ignored.tolist() == [True, True]


def test_where_nothing_is_found_nothing_is_marked() -> None:
    for marks in (agreed(Faces.none(), Faces.none()), suspected(Faces.none(), Faces.none())):
        assert marks.boxes_xyxy.shape == (0, 4)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Teacher]:
    models = ROOT / "data" / "models"
    for name in (LEADING, SECOND):
        if not all(store.is_there(file, models) for file in manifest.load(name).files):
            pytest.skip(f"{name} is not there: run `python -m checkpoints.fetch {name}`")
    options = EngineOptions(models=models, cache=tmp_path_factory.mktemp("cache"))
    with Teacher(options, (640, 640)) as opened:
        yield opened


def _portrait(side_px: int) -> NDArray[np.uint8]:
    image = cv2.imread(str(ROOT / "checkpoints" / "portrait.jpg"))
    assert image is not None
    return cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA).astype(np.uint8)


def test_a_face_is_found_in_the_same_place_of_a_small_picture(teacher: Teacher) -> None:
    large, small = teacher.points(_portrait(640)), teacher.points(_portrait(320))
    assert len(large.boxes_xyxy) == 1
    np.testing.assert_allclose(small.boxes_xyxy * 2, large.boxes_xyxy, atol=12)
    np.testing.assert_allclose(small.landmarks * 2, large.landmarks, atol=12)
    assert teacher.points(np.zeros((640, 640, 3), np.uint8)).landmarks.shape == (0, 5, 2)


def test_the_same_face_on_a_background_is_ignored(teacher: Teacher) -> None:
    assert teacher.marks(_portrait(640), background=True).ignored.tolist() == [True]
