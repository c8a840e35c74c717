from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.crops import Cutter
from engines.halvings import Halvings


def _pictures(*images: NDArray[np.uint8]) -> list[Halvings]:
    pictures = []
    for image in images:
        pictures.append(Halvings())
        pictures[-1].show(image)
    return pictures


def _ramp(width: int, height: int, blue: int) -> NDArray[np.uint8]:
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([np.full_like(across, blue), across, down], axis=-1).astype(np.uint8)


def test_each_piece_shows_its_box_of_its_own_picture() -> None:
    width, height = 641, 400
    pictures = _pictures(_ramp(width, height, 10), _ramp(width, height, 90))
    random = np.random.default_rng(3)
    corners, sides = random.uniform(0, 100, (40, 2)), random.uniform(10, 290, (40, 1))
    boxes = np.concatenate([corners, corners + sides], axis=1).astype(np.float32)
    owners = random.integers(0, 2, 40)
    pieces = Cutter(24).cut(pictures, boxes, owners)
    places = corners[:, :, None] + (np.arange(24) + 0.5) / 24 * sides[:, :, None] - 0.5  # (N, 2, 24)
    for piece, owner, (columns, rows) in zip(pieces.astype(float), owners, places, strict=True):
        np.testing.assert_array_equal(piece[..., 0], (10, 90)[owner])
        inside_x, inside_y = columns >= 1, rows >= 1  # nearer to the edge than that black is mixed in
        np.testing.assert_allclose(piece[:, inside_x, 1], np.tile(columns[inside_x] * 255 / 640, (24, 1)), atol=2.5)
        np.testing.assert_allclose(piece[inside_y, :, 2].T, np.tile(rows[inside_y] * 255 / 399, (24, 1)), atol=2.5)


def test_outside_of_the_picture_it_is_black() -> None:
    pictures = _pictures(np.full((100, 100, 3), 255, np.uint8))
    boxes = np.array([[-50, 0, 50, 100], [300, 300, 340, 340], [-1e4, -1e4, -9e3, -9e3]], np.float32)
    piece, far, farther = Cutter(48).cut(pictures, boxes, np.zeros(3, np.intp))
    assert (piece[2:-2, :23] == 0).all()
    assert (piece[2:-2, 25:] == 255).all()
    assert not far.any()
    assert not farther.any()


def test_a_large_box_averages_what_it_shows() -> None:
    """Every other pixel white: sampled without halving first it would be black, white or striped."""
    board = np.indices((512, 512)).sum(axis=0) % 2 * 255
    picture = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    piece = Cutter(24).cut(_pictures(picture), np.array([[30, 30, 450, 450]], np.float32), np.zeros(1, np.intp))
    np.testing.assert_allclose(piece, 127.5, atol=1)


def test_close_to_an_area_average_on_a_real_picture(astronaut: NDArray[np.uint8]) -> None:
    piece = Cutter(48).cut(_pictures(astronaut), np.array([[128, 32, 320, 224]], np.float32), np.zeros(1, np.intp))[0]
    expected = cv2.resize(astronaut[32:224, 128:320], (48, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(piece.astype(float) - expected).mean() < 1.0


@pytest.mark.parametrize("count", [0, 1, 3000])
def test_any_number_of_boxes(count: int) -> None:
    cutter, pictures = Cutter(24), _pictures(_ramp(200, 200, 0))
    boxes = np.tile(np.array([[20, 20, 90, 90]], np.float32), (count, 1))
    pieces = cutter.cut(pictures, boxes, np.zeros(count, np.intp))
    assert pieces.shape == (count, 24, 24, 3)
    assert (pieces == pieces[:1]).all()


def test_a_piece_does_not_depend_on_the_others() -> None:
    pictures = _pictures(_ramp(300, 300, 5), _ramp(200, 260, 7))
    random = np.random.default_rng(5)
    corners = random.uniform(-20, 150, (30, 2))
    boxes = np.concatenate([corners, corners + random.uniform(15, 200, (30, 1))], axis=1).astype(np.float32)
    owners = random.integers(0, 2, 30)
    together = Cutter(24).cut(pictures, boxes, owners)
    for i in range(30):
        alone = Cutter(24).cut(pictures[owners[i] :][:1], boxes[i : i + 1], np.zeros(1, np.intp))
        np.testing.assert_array_equal(together[i], alone[0])
