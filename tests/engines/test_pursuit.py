from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces import Faces
from engines.pursuit import MAX_UNSEARCHED_S, Pursuit, View

PICTURE = np.zeros((90, 160, 3), np.uint8)


def faces(*boxes: tuple[float, float, float, float]) -> Faces:
    count = len(boxes)
    return Faces(
        np.array(boxes, np.float32).reshape(count, 4),
        np.full(count, 0.9, np.float32),
        np.zeros((count, 5, 2), np.float32),
    )


class FakeDetector:
    """Finds what it is told to, and writes down what it was asked."""

    def __init__(self) -> None:
        self.found = Faces.none()
        self.searches = 0
        self.places: list[NDArray[np.float32]] = []
        self.closed = False

    def detect(self, images_bgr: Sequence[NDArray[np.uint8]]) -> list[Faces]:
        self.searches += len(images_bgr)
        return [self.found for _ in images_bgr]

    def refine(self, images_bgr: Sequence[NDArray[np.uint8]], boxes_xyxy: Sequence[NDArray[np.float32]]) -> list[Faces]:
        assert len(images_bgr) == len(boxes_xyxy)
        self.places += boxes_xyxy
        return [self.found for _ in images_bgr]

    def close(self) -> None:
        self.closed = True


def searched(pursuit: Pursuit, detector: FakeDetector, times_s: Sequence[float], camera: str = "a") -> list[bool]:
    seen = []
    for taken_s in times_s:
        before = detector.searches
        pursuit.detect([View(camera, taken_s, PICTURE)])
        seen.append(detector.searches > before)
    return seen


@pytest.mark.parametrize("every", [1, 2, 4])
def test_every_so_many_pictures_is_searched(every: int) -> None:
    detector = FakeDetector()
    times_s = [n / 60 for n in range(9)]
    assert searched(Pursuit(detector, every), detector, times_s) == [n % every == 0 for n in range(9)]


@pytest.mark.parametrize("fps", [2, 4.9, 8, 10, 15, 25, 30, 60])
def test_who_comes_in_is_found_in_time_however_slow_the_camera(fps: float) -> None:
    detector = FakeDetector()
    times_s = [n / fps for n in range(40)]
    looked = searched(Pursuit(detector, 100), detector, times_s)
    searches = [t for t, was in zip(times_s, looked, strict=True) if was]
    waits = np.diff(searches)
    assert (waits <= max(MAX_UNSEARCHED_S, 1 / fps) + 1e-9).all()
    assert all(looked) == (fps < 10)


def test_a_face_is_expected_where_its_step_takes_it() -> None:
    detector = FakeDetector()
    pursuit = Pursuit(detector, 10)
    for n in range(3):
        detector.found = faces((10 + 4 * n, 10 + 2 * n, 30 + 4 * n, 34 + 2 * n), (80, 40, 100, 64))
        pursuit.detect([View("a", n / 25, PICTURE)])
    first, second = detector.places
    assert first.tolist() == [[10, 10, 30, 34], [80, 40, 100, 64]]  # it has been seen once
    assert second.tolist() == [[18, 14, 38, 38], [80, 40, 100, 64]]


def test_a_face_that_jumps_is_a_new_one_without_a_step() -> None:
    detector = FakeDetector()
    pursuit = Pursuit(detector, 10)
    for box in ((10, 10, 30, 34), (60, 10, 80, 34), (60, 10, 80, 34)):
        detector.found = faces(box)
        pursuit.detect([View("a", 0, PICTURE)])
    assert detector.places[-1].tolist() == [[60, 10, 80, 34]]


def test_nothing_is_followed_into_another_stream() -> None:
    detector = FakeDetector()
    detector.found = faces((10, 10, 30, 34))
    assert searched(Pursuit(detector, 9), detector, [5.0, 5.02, 0.0, 0.02]) == [True, False, True, False]
    pursuit = Pursuit(detector, 9)
    pursuit.detect([View("a", 0, PICTURE)])
    before = detector.searches
    pursuit.detect([View("a", 0.02, np.zeros((180, 320, 3), np.uint8))])
    assert detector.searches == before + 1


def test_cameras_are_apart_and_share_calls() -> None:
    detector = FakeDetector()
    detector.found = faces((10, 10, 30, 34))
    pursuit = Pursuit(detector, 3)
    assert len(pursuit.detect([View("a", 0, PICTURE), View("b", 0, PICTURE)])) == 2
    assert detector.searches == 2
    pursuit.detect([View("a", 0.02, PICTURE)])
    pursuit.detect([View("a", 0.04, PICTURE), View("b", 0.04, PICTURE)])
    assert detector.searches == 2
    found = pursuit.detect([View("a", 0.06, PICTURE), View("b", 0.06, PICTURE)])
    assert [len(each) for each in found] == [1, 1]
    assert detector.searches == 3
    pursuit.close()
    assert detector.closed
