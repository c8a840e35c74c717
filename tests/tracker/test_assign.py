from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from tracker.assign import assign


def test_the_total_counts_not_the_best_single_pair() -> None:
    found = assign(np.array([[0.1, 0.2], [0.2, 0.9]]), 1.0)
    assert list(zip(found.rows, found.columns, strict=True)) == [(0, 1), (1, 0)]


def test_what_costs_too_much_stays_apart() -> None:
    found = assign(np.array([[0.1, 0.9], [0.9, 0.8]]), 0.5)
    assert (found.rows.tolist(), found.columns.tolist()) == ([0], [0])
    assert (found.free_rows.tolist(), found.free_columns.tolist()) == ([1], [1])


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_nothing_to_pair(shape: tuple[int, int]) -> None:
    found = assign(np.zeros(shape), 1.0)
    assert len(found.rows) == len(found.columns) == 0
    assert (len(found.free_rows), len(found.free_columns)) == shape


@pytest.mark.parametrize("shape", [(4, 4), (2, 5), (5, 2)])
def test_no_other_pairing_is_cheaper(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        cost = rng.random(shape)
        found = assign(cost, 2.0)  # nothing costs that much: as many pairs as there can be
        short, long = sorted(shape)
        wide = cost if shape[0] <= shape[1] else cost.T
        cheapest = min(wide[range(short), chosen].sum() for chosen in permutations(range(long), short))
        assert cost[found.rows, found.columns].sum() == pytest.approx(cheapest)
        assert sorted([*found.rows, *found.free_rows]) == list(range(shape[0]))
        assert sorted([*found.columns, *found.free_columns]) == list(range(shape[1]))
