from __future__ import annotations

import numpy as np
import pytest

from engines.anchors import Places, best_rows


def test_places_come_grid_by_grid_and_row_by_row() -> None:
    places = Places((64, 32))
    assert len(places) == 8 * 4 + 4 * 2 + 2
    assert places.corners_xy[:9].tolist() == [[8 * i, 0] for i in range(8)] + [[0, 8]]
    assert places.corners_xy[32:37].tolist() == [[0, 0], [16, 0], [32, 0], [48, 0], [0, 16]]
    assert places.corners_xy[40:].tolist() == [[0, 0], [32, 0]]
    assert places.strides[:, 0].tolist() == [8] * 32 + [16] * 8 + [32] * 2


def test_anchors_of_one_cell_follow_each_other() -> None:
    places = Places((32, 32), per_cell=2)
    assert len(places) == 2 * (16 + 4 + 1)
    assert places.corners_xy[:4].tolist() == [[0, 0], [0, 0], [8, 0], [8, 0]]
    assert places.sizes(1, 4) == (32, 8, 2, 128, 32, 8)


@pytest.mark.parametrize("rows", [[], [0], [15, 16, 19, 20], [20], list(range(21))])
def test_rows_are_taken_as_if_the_grids_were_one(rows: list[int]) -> None:
    places = Places((32, 32))
    whole = np.arange(21 * 3, dtype=np.float32).reshape(21, 3)
    grids = [whole[None, :16], whole[None, 16:20], whole[20:]]
    taken = places.take(grids, np.array(rows, np.intp), 3)
    assert taken.tolist() == whole[rows].tolist()


def test_the_best_rows_in_their_order() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.7, 0.3, 0.8], np.float32)
    assert best_rows(scores, 0.5, 10).tolist() == [1, 3, 5]
    assert best_rows(scores, 0.2, 3).tolist() == [1, 3, 5]
    assert best_rows(scores, 0.2, 4).tolist() == [1, 2, 3, 5]
    assert best_rows(scores, 0.95, 3).tolist() == []
    assert best_rows(np.full(5, np.nan, np.float32), 0.1, 3).tolist() == []
