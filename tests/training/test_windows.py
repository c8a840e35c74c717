from __future__ import annotations

import numpy as np
import pytest

from training.samples import NEGATIVE, PART, POSITIVE
from training.scene import Scene
from training.windows import Piecework, Rules, kinds_of, random_windows


def scene(*, ignored: bool = False, landmarks: bool = True) -> Scene:
    """A face of 40 × 60 in the middle of the picture; each pixel's value is its column."""
    image = np.broadcast_to(np.arange(200, dtype=np.uint8)[None, :, None], (160, 200, 3)).copy()
    points = np.array([[[90, 70], [110, 70], [100, 80], [92, 95], [108, 95]]], np.float32)
    box = np.array([[80, 50, 120, 110]], np.float32)
    return Scene(image, box, points if landmarks else np.full_like(points, np.nan), np.array([ignored]))


SQUARE = (70.0, 50.0, 130.0, 110.0)  # around the face


@pytest.mark.parametrize(
    ("moved", "kind"), [(0, POSITIVE), (10, POSITIVE), (20, PART), (40, NEGATIVE), (100, NEGATIVE)]
)
def test_how_much_is_shared_makes_the_kind(moved: float, kind: int) -> None:
    windows = np.array([SQUARE], np.float32) + np.array([[moved, 0, moved, 0]], np.float32)
    kinds, mine = kinds_of(windows, scene(), Rules())
    assert (kinds.tolist(), mine.tolist()) == ([kind], [0])


def test_between_part_and_negative_nothing_is_learnt() -> None:
    windows = np.array([SQUARE], np.float32) + np.array([[30, 0, 30, 0]], np.float32)
    assert kinds_of(windows, scene(), Rules())[0][0] not in (NEGATIVE, PART, POSITIVE)


@pytest.mark.parametrize("window", [SQUARE, (30.0, 10.0, 150.0, 130.0)])
def test_what_may_be_a_face_is_neither_learnt_as_one_nor_as_none(window: tuple[float, ...]) -> None:
    kinds, _ = kinds_of(np.array([window], np.float32), scene(ignored=True), Rules())
    assert kinds[0] not in (NEGATIVE, PART, POSITIVE)


def test_without_faces_all_windows_are_negative() -> None:
    nobody = Scene(scene().image_bgr, *(each[:0] for each in (scene().boxes_xyxy, scene().landmarks, scene().ignored)))
    assert set(kinds_of(np.array([SQUARE] * 3, np.float32), nobody, Rules())[0]) == {NEGATIVE}


def test_what_is_told_leads_from_the_window_back_to_the_face() -> None:
    window = np.array([[72, 52, 132, 112]], np.float32)
    pieces = Piecework(24, Rules()).pieces(scene(), window, (5, 5, 5), np.random.default_rng(0))
    corners = window[0] + pieces.offsets[0] * 60
    np.testing.assert_allclose(corners, [80, 50, 120, 110], atol=1e-4)
    points = pieces.landmarks[0].reshape(2, 5).T * 60 + window[0, :2]
    np.testing.assert_allclose(points, scene().landmarks[0], atol=1e-4)
    # The middle of the piece shows the middle of the window.
    assert pieces.pictures[0, 12, 11:13, 0].mean() == pytest.approx(101.5, abs=1.5)


def test_pnet_counts_from_the_middle_of_its_first_pixel_to_that_of_its_last() -> None:
    window = np.array([SQUARE], np.float32)
    pieces = Piecework(12, Rules(), frame=11 / 12).pieces(scene(), window, (5, 5, 5), np.random.default_rng(0))
    inner = np.array([72.5, 52.5, 127.5, 107.5])
    np.testing.assert_allclose(inner + pieces.offsets[0] * 55, [80, 50, 120, 110], atol=1e-4)


def test_landmarks_that_nobody_knows_stay_unknown() -> None:
    pieces = Piecework(24, Rules()).pieces(
        scene(landmarks=False), np.array([SQUARE], np.float32), (5, 5, 5), np.random.default_rng(0)
    )
    assert np.isnan(pieces.landmarks).all()


def test_no_more_are_kept_than_wanted() -> None:
    random = np.random.default_rng(0)
    windows = random_windows(scene(), random, each_face=200, others=200, least_px=14)
    pieces = Piecework(24, Rules()).pieces(scene(), windows, (7, 5, 3), random)
    assert np.bincount(pieces.kinds, minlength=3).tolist() == [7, 5, 3]


def test_random_windows_are_squares_of_all_kinds_and_the_same_for_the_same_seed() -> None:
    windows, again = (
        random_windows(scene(), np.random.default_rng(3), each_face=200, others=200, least_px=14) for _ in range(2)
    )
    np.testing.assert_array_equal(windows, again)
    np.testing.assert_allclose(windows[:, 2] - windows[:, 0], windows[:, 3] - windows[:, 1], rtol=1e-4)
    assert {NEGATIVE, PART, POSITIVE} <= set(kinds_of(windows, scene(), Rules())[0].tolist())
