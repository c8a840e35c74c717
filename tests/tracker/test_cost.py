from __future__ import annotations

import numpy as np
import pytest

from tracker import kalman
from tracker.cost import iou, misfit


def _face(cx: float, cy: float, height: float) -> kalman.Floats:
    return np.array([[cx, cy, 0.8, height]])


def test_iou_of_known_boxes() -> None:
    a = np.array([[0.0, 0.0, 10.0, 10.0]])
    b = np.array([[0.0, 0.0, 10.0, 10.0], [5.0, 0.0, 15.0, 10.0], [10.0, 0.0, 20.0, 10.0], [2.0, 2.0, 4.0, 4.0]])
    np.testing.assert_allclose(iou(a, b), [[1, 1 / 3, 0, 0.04]])


def test_iou_of_empty_boxes_is_zero_without_a_warning() -> None:
    point = np.zeros((1, 4))
    assert iou(point, point) == 0
    assert iou(np.zeros((0, 4)), point).shape == (0, 1)


def test_a_face_where_it_was_expected_fits() -> None:
    assert misfit(kalman.start(_face(50, 50, 40)), _face(50, 50, 40), 0.75, 3, 1.5) == 0


def test_how_far_a_face_may_be_counts_in_its_own_height() -> None:
    for height in (40.0, 120.0):
        motions = kalman.start(_face(0, 0, height))
        near, far = _face(0.7 * height, 0, height), _face(0.8 * height, 0, height)
        assert misfit(motions, near, 0.75, 0, 1.5) < 1 < misfit(motions, far, 0.75, 0, 1.5)


def test_what_was_not_seen_for_long_is_looked_for_farther_away() -> None:
    seen = kalman.start(_face(0, 0, 50))
    costs = [misfit(kalman.predict(seen, n), _face(60, 0, 50), 0.75, 3, 1.5).item() for n in (1, 5, 20)]
    assert costs == sorted(costs, reverse=True)
    assert costs[2] < costs[0] / 2


@pytest.mark.parametrize("height", [50 * 1.6, 50 / 1.6])
def test_a_box_of_another_size_does_not_fit_in_the_same_place(height: float) -> None:
    motions = kalman.start(_face(0, 0, 50))
    assert misfit(motions, _face(0, 0, height), 0.75, 3, 1.5) > 1 > misfit(motions, _face(0, 0, height), 0.75, 3, 2.0)


def test_rows_are_tracks_and_columns_are_boxes() -> None:
    motions = kalman.start(np.concatenate([_face(0, 0, 50), _face(200, 0, 50)]))
    boxes = np.concatenate([_face(200, 0, 50), _face(0, 0, 50), _face(100, 0, 50)])
    cost = misfit(motions, boxes, 0.75, 3, 1.5)
    assert cost.shape == (2, 3)
    assert cost[0, 1] == cost[1, 0] == 0
    assert cost[0, 2] == cost[1, 2] > 1
