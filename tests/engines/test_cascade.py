from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import manifest, store
from engines.cascade import LEAST_SCORES, Cascade, corrected, log_odds, run_all, squares
from engines.detector import Detector
from engines.faces import Faces
from engines.load import load_detector
from engines.options import EngineOptions

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def detector(options: EngineOptions, model: Callable[[str], str]) -> Iterator[Detector]:
    model("mtcnn")
    detector = load_detector(options, size_wh=(960, 540))
    yield detector
    detector.close()


def _same(one: Faces, other: Faces) -> None:
    for name in ("boxes_xyxy", "scores", "landmarks"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def _iou(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    sides = np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0)
    areas = [np.prod(box[2:] - box[:2]) for box in (one, other)]
    return float(np.prod(sides) / (sum(areas) - np.prod(sides)))


def test_the_face_on_a_portrait(detector: Detector, astronaut: Picture) -> None:
    (faces,) = detector.detect([astronaut])
    assert len(faces) == 1
    left, top, right, bottom = faces.boxes_xyxy[0]
    assert 160 < left < 200 < 240 < right < 290
    assert 50 < top < 90 < 150 < bottom < 210
    eye, other_eye, nose, mouth, other_mouth = faces.landmarks[0]
    assert eye[0] < nose[0] < other_eye[0]
    assert eye[1] < nose[1] < mouth[1]
    assert mouth[0] < other_mouth[0]
    assert 0.9 < faces.scores[0] <= 1


def test_faces_are_found_again_near_where_they_were(detector: Detector, crowd: Picture, astronaut: Picture) -> None:
    searched = detector.detect([crowd, astronaut])
    assert [len(faces) > 0 for faces in searched] == [True, True]
    step = np.array([4, -3, 4, -3], np.float32)
    again = detector.refine([crowd, astronaut], [faces.boxes_xyxy + step for faces in searched])
    for before, faces in zip(searched, again, strict=True):
        assert len(faces) == len(before)
        for box in before.boxes_xyxy:
            assert max(_iou(box.astype(float), other.astype(float)) for other in faces.boxes_xyxy) > 0.8


def test_where_no_face_is_none_is_found_again(detector: Detector, crowd: Picture) -> None:
    places = np.array([[600, 10, 660, 80], [-40, -40, -5, -5]], np.float32)
    assert [len(faces) for faces in detector.refine([crowd, crowd], [places, places[:0]])] == [0, 0]
    assert detector.refine([], []) == []


@pytest.mark.parametrize("min_face_px", [20, 40])
def test_as_the_algorithm_written_down_plainly(
    min_face_px: int, options: EngineOptions, model: Callable[[str], str], astronaut: Picture, crowd: Picture
) -> None:
    """Not to the pixel: the plain one averages areas of whole pixels where the real one samples halved pictures."""
    plain_file = Path(__file__).with_name("plain_mtcnn.py")
    spec = importlib.util.spec_from_file_location("plain_mtcnn", plain_file)
    assert spec is not None
    assert spec.loader is not None
    plain_mtcnn = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plain_mtcnn)
    known = manifest.load(model("mtcnn_reference"))
    wanted = replace(options, detector=known.name, min_face_px=min_face_px)
    plain = plain_mtcnn.PlainMtcnn(
        store.locate(known, options.models), min_face_px, wanted.pyramid_factor, LEAST_SCORES
    )
    detector = load_detector(wanted, size_wh=(960, 540))
    for picture, count in ((astronaut, 1), (crowd, 4)):
        boxes, scores, landmarks = plain.detect(picture)
        (faces,) = detector.detect([picture])
        assert len(faces) == len(boxes) >= count
        for box, score, points in zip(boxes, scores, landmarks, strict=True):
            overlaps = [_iou(box, mine.astype(float)) for mine in faces.boxes_xyxy]
            match = int(np.argmax(overlaps))
            side = box[2] - box[0]
            assert overlaps[match] > 0.8
            assert abs(faces.scores[match] - score) < 0.1
            assert np.abs(faces.landmarks[match] - points).max() < 0.08 * side
    detector.close()


def test_pictures_give_the_same_faces_however_they_are_grouped(
    detector: Detector, astronaut: Picture, crowd: Picture
) -> None:
    """To the last bit, and with sizes that share an engine or need another one."""
    pictures = [crowd, astronaut, crowd[::-1].copy(), astronaut[:300, :420], np.zeros((540, 960, 3), np.uint8), crowd]
    together = detector.detect(pictures)
    alone = [detector.detect([picture])[0] for picture in pictures]
    assert [len(faces) > 0 for faces in together] == [True, True, False, True, False, True]
    for one, other in zip(together, alone, strict=True):
        _same(one, other)
    for one, other in zip(detector.detect(pictures[::-1]), together[::-1], strict=True):
        _same(one, other)


def test_another_detector_finds_the_same(options: EngineOptions, detector: Detector, crowd: Picture) -> None:
    """Made for other pictures, so P-Net runs on another canvas."""
    other = load_detector(options, size_wh=(320, 180))
    _same(other.detect([crowd])[0], detector.detect([crowd])[0])
    other.close()


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_same_picture_gives_the_same_faces_every_time(
    precision: str, options: EngineOptions, model: Callable[[str], str], crowd: Picture
) -> None:
    model("mtcnn")
    detector = load_detector(replace(options, precision=precision), size_wh=(960, 540))  # type: ignore[arg-type]
    first = detector.detect([crowd])[0]
    assert len(first) >= 4
    for _ in range(3):
        _same(detector.detect([crowd])[0], first)
    detector.close()


@pytest.mark.parametrize("shape", [(1, 1), (11, 300), (39, 39), (40, 40), (41, 700), (300, 13)])
def test_small_and_narrow_pictures_hold_no_face(detector: Detector, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert len(detector.detect([noise])[0]) == 0


def test_no_picture_no_faces(detector: Detector) -> None:
    assert detector.detect([]) == []


def test_boxes_end_where_the_picture_ends_and_scores_fall(detector: Detector, astronaut: Picture) -> None:
    cut = np.ascontiguousarray(astronaut[75:, 185:])
    (faces,) = detector.detect([cut])
    height, width = cut.shape[:2]
    assert len(faces) >= 1
    assert (faces.boxes_xyxy >= 0).all()
    assert (faces.boxes_xyxy <= (width, height) * 2).all()
    assert (np.diff(faces.scores) <= 0).all()


def test_a_picture_that_is_only_lent_is_read_and_given_back(detector: Detector, astronaut: Picture) -> None:
    lent = astronaut.copy()
    lent.flags.writeable = False
    _same(detector.detect([lent])[0], detector.detect([astronaut])[0])
    import sys

    assert sys.getrefcount(lent) == 2


def test_faces_that_are_too_small_are_left_out(options: EngineOptions, detector: Detector, crowd: Picture) -> None:
    large_only = load_detector(replace(options, min_face_px=120), size_wh=(960, 540))
    large, all_of_them = large_only.detect([crowd])[0], detector.detect([crowd])[0]
    assert 0 < len(large) < len(all_of_them)
    large_only.close()


def test_stricter_thresholds_find_no_more(options: EngineOptions, detector: Detector, crowd: Picture) -> None:
    strict = load_detector(replace(options, thresholds=(0.8, 0.9, 0.999)), size_wh=(960, 540))
    found = strict.detect([crowd])[0]
    assert 0 < len(found) < len(detector.detect([crowd])[0])
    assert (found.scores > 0.999).all()
    strict.close()


class Doubling:
    """Gives twice the first value of each picture; a fixed batch of three."""

    input_shape = (3, 2, 2, 3)
    output_names = ("twice",)
    output_shapes = ((3, 1),)

    def __init__(self) -> None:
        self.input = np.zeros(self.input_shape, np.uint8)
        self.runs = 0

    def run(self, batch: NDArray[np.uint8] | None = None) -> tuple[NDArray[np.float32], ...]:
        self.runs += 1
        return (2 * self.input[:, 0, 0, :1].astype(np.float32),)

    def close(self) -> None: ...


@pytest.mark.parametrize(("count", "runs"), [(0, 0), (1, 1), (3, 1), (4, 2), (9, 3)])
def test_any_number_goes_through_a_fixed_batch(count: int, runs: int) -> None:
    engine = Doubling()
    pieces = np.repeat(np.arange(count, dtype=np.uint8), 12).reshape(count, 2, 2, 3)
    (twice,) = run_all(engine, pieces)
    assert twice[:, 0].tolist() == [2 * i for i in range(count)]
    assert engine.runs == runs


def test_boxes_are_moved_by_shares_of_their_sides_and_made_square() -> None:
    boxes = np.array([[10, 20, 30, 60]], np.float32)
    moved = corrected(boxes, np.array([[0.5, -0.25, 0, 0.5]], np.float32))
    assert moved.tolist() == [[20, 10, 30, 80]]
    assert squares(moved).tolist() == [[-10, 10, 60, 80]]


def test_log_odds_of_any_score_are_numbers() -> None:
    assert log_odds(0.5) == 0
    assert log_odds(0.6) == pytest.approx(0.405465)
    assert log_odds(0.0) < -10
    assert log_odds(1.0) > 10


def test_a_cascade_is_a_detector(detector: Detector) -> None:
    assert isinstance(detector, Cascade)
