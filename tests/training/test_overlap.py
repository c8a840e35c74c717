from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.overlap import inside, overlap, partners


def _boxes(*boxes: tuple[float, float, float, float]) -> NDArray[np.float32]:
    return np.array(boxes, np.float32).reshape(-1, 4)


def test_what_two_boxes_share() -> None:
    one, other = _boxes((0, 0, 10, 10)), _boxes((0, 0, 10, 10), (5, 0, 15, 10), (0, 0, 5, 5), (10, 0, 20, 10))
    np.testing.assert_allclose(overlap(one, other)[0], np.array([1, 1 / 3, 0.25, 0]), rtol=1e-6)
    assert inside(one, other).tolist() == [[1, 0.5, 0.25, 0]]
    assert inside(other, one).tolist() == [[1], [0.5], [1], [0]]


def test_boxes_without_an_area_share_nothing() -> None:
    point = _boxes((5, 5, 5, 5))
    assert overlap(point, point).tolist() == inside(point, _boxes((0, 0, 9, 9))).tolist() == [[0]]


def test_the_closest_pair_comes_first_and_each_box_is_in_one_pair() -> None:
    one = _boxes((0, 0, 10, 10), (2, 0, 12, 10), (50, 50, 60, 60))
    assert partners(one, _boxes((2, 0, 12, 10)), 0.4).tolist() == [-1, 0, -1]
    assert partners(one, _boxes((2, 0, 12, 10), (1, 0, 11, 10)), 0.4).tolist() == [1, 0, -1]
    assert partners(one, _boxes((50, 50, 60, 56)), 0.7).tolist() == [-1, -1, -1]


def test_nobody_has_a_partner_where_there_is_nobody() -> None:
    assert partners(_boxes(), _boxes((0, 0, 1, 1)), 0.5).shape == (0,)
    assert partners(_boxes((0, 0, 1, 1)), _boxes(), 0.5).tolist() == [-1]
