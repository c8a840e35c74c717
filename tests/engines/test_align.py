from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.align import CropSpec, align, similarities
from engines.load import crop_spec
from engines.options import EngineOptions

SPEC = CropSpec(112, ((38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2)))
TEMPLATE = np.array(SPEC.template)


def _moved(scale: float, degrees: float, shift: tuple[float, float]) -> NDArray[np.float64]:
    """The template as it lies in a picture."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * TEMPLATE @ turn.T + shift


@pytest.mark.parametrize("degrees", [0, 30, -90, 180])
@pytest.mark.parametrize("scale", [0.2, 1, 7.5])
def test_a_known_similarity_is_found_again(scale: float, degrees: float) -> None:
    points = _moved(scale, degrees, (300, -40)).astype(np.float32)
    matrix = similarities(points[None], SPEC)[0]
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], TEMPLATE, atol=1e-3)


def test_the_fit_is_the_least_squares_one() -> None:
    points = (_moved(2, 20, (50, 60)) + np.random.default_rng(0).normal(0, 6, (5, 2))).astype(np.float32)
    matrix = similarities(points[None], SPEC)[0]
    # The same four unknowns (a, b, x, y) by a general solver: u = a·px − b·py + x, v = b·px + a·py + y.
    across = np.stack([points[:, 0], -points[:, 1], np.ones(5), np.zeros(5)], axis=1)
    down = np.stack([points[:, 1], points[:, 0], np.zeros(5), np.ones(5)], axis=1)
    a, b, x, y = np.linalg.lstsq(np.concatenate([across, down]).astype(float), TEMPLATE.T.ravel(), rcond=None)[0]
    np.testing.assert_allclose(matrix, [[a, -b, x], [b, a, y]], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("degrees", [0, 30, 180])
def test_a_face_may_be_drawn_wider_than_it_is(degrees: float) -> None:
    stretched = CropSpec(112, SPEC.template, 1.3)
    in_life = CropSpec(112, tuple((x / 1.3, y) for x, y in SPEC.template))
    points = _moved(2, degrees, (300, -40)).astype(np.float32)
    matrix = similarities(points[None], stretched)[0]
    plain = similarities(points[None], in_life)[0]
    np.testing.assert_allclose(matrix, plain * [[1.3], [1]], rtol=1e-6)
    along, down = np.linalg.norm(matrix[:, :2], axis=1)
    assert along / down == pytest.approx(1.3)


def test_mirrored_landmarks_do_not_mirror_the_face() -> None:
    mirrored = (TEMPLATE * [-1, 1] + [112, 0]).astype(np.float32)
    for matrix in similarities(np.stack([mirrored, mirrored[::-1]]), SPEC):
        assert np.linalg.det(matrix[:, :2]) > 0


def test_faces_do_not_influence_each_other() -> None:
    points = np.stack([_moved(1 + i, 10 * i, (5 * i, 0)) for i in range(4)]).astype(np.float32)
    together = similarities(points, SPEC)
    for face, matrix in zip(points, together, strict=True):
        np.testing.assert_array_equal(similarities(face[None], SPEC)[0], matrix)


def test_landmarks_that_say_nothing_still_give_a_crop() -> None:
    picture = np.full((200, 200, 3), 255, np.uint8)
    same_place = np.full((5, 2), 100, np.float32)
    not_numbers = np.full((5, 2), np.nan, np.float32)
    endless = np.full((5, 2), np.inf, np.float32)
    crops = align(picture, np.stack([same_place, not_numbers, endless]), SPEC)
    assert np.isfinite(similarities(np.stack([same_place, not_numbers, endless]), SPEC)).all()
    assert (crops[0] == 255).all()
    assert not crops[1:].any()


def test_the_crop_shows_the_face_where_the_template_wants_it(astronaut: NDArray[np.uint8]) -> None:
    """A crop, turned and scaled into another picture, is cut out again as it was."""
    crop = cv2.GaussianBlur(astronaut[60:172, 170:282], (5, 5), 0)
    matrix = cv2.getRotationMatrix2D((56, 56), 25, 2.0) + np.array([[0, 0, 150], [0, 0, 140]])
    picture = cv2.warpAffine(crop, matrix, (400, 400), flags=cv2.INTER_CUBIC)
    landmarks = (TEMPLATE @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    again = align(picture, landmarks[None], SPEC)[0]
    assert np.abs(again[4:-4, 4:-4].astype(float) - crop[4:-4, 4:-4]).mean() < 1.5


@pytest.mark.parametrize("side", [112, 224, 448, 1000])
def test_a_large_face_is_averaged_and_stays_in_its_place(astronaut: NDArray[np.uint8], side: int) -> None:
    """However large the face is in the picture, the crop is nearly the same."""
    large = cv2.resize(astronaut[60:172, 170:282], (side, side), interpolation=cv2.INTER_CUBIC)
    sharp = np.random.default_rng(0).integers(-60, 60, large.shape) * (side > 224)  # lost in any average of pixels
    large = np.clip(large + sharp, 0, 255).astype(np.uint8)
    # Pixel centres: the middle of the first of `side` pixels lies half a pixel from the edge.
    landmarks = ((TEMPLATE + 0.5) * side / 112 - 0.5).astype(np.float32)
    crop = align(large, landmarks[None], SPEC)[0]
    expected = cv2.resize(large, (112, 112), interpolation=cv2.INTER_AREA)
    assert np.abs(crop[2:-2, 2:-2].astype(float) - expected[2:-2, 2:-2]).mean() < 3.0


def test_crops_go_into_memory_that_is_given(astronaut: NDArray[np.uint8]) -> None:
    landmarks = np.stack([_moved(1.5, 0, (140, 20)), _moved(1, 5, (160, 40))]).astype(np.float32)
    out = np.zeros((2, 112, 112, 3), np.uint8)
    astronaut = astronaut.copy()
    astronaut.flags.writeable = False  # a frame under a lease is for reading only
    assert align(astronaut, landmarks, SPEC, out) is out
    np.testing.assert_array_equal(out, align(astronaut, landmarks, SPEC))
    assert out[0].any()
    with pytest.raises(ValueError, match="needed"):
        align(astronaut, landmarks, SPEC, out[:1])


def test_no_face_is_no_error(astronaut: NDArray[np.uint8]) -> None:
    assert align(astronaut, np.zeros((0, 5, 2), np.float32), SPEC).shape == (0, 112, 112, 3)


def test_a_crop_has_five_landmarks() -> None:
    with pytest.raises(ValueError, match="4 landmarks"):
        CropSpec(112, SPEC.template[:4])


@pytest.mark.parametrize(("name", "size_px"), [("sface", 112), ("facenet", 160)])
def test_the_embedders_say_how_they_want_faces(name: str, size_px: int) -> None:
    spec = crop_spec(EngineOptions(embedder=name))
    assert spec.size_px == size_px
    assert all(0 < value < size_px for point in spec.template for value in point)
