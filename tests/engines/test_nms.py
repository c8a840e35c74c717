from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.nms import Overlap, nms

Floats = NDArray[np.float32]


def _slow(boxes: Floats, scores: Floats, threshold: float, overlap: Overlap, groups: NDArray[np.intp]) -> list[int]:
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        for k in kept:
            width = min(boxes[i, 2], boxes[k, 2]) - max(boxes[i, 0], boxes[k, 0])
            height = min(boxes[i, 3], boxes[k, 3]) - max(boxes[i, 1], boxes[k, 1])
            common = max(width, 0) * max(height, 0)
            areas = [(boxes[j, 2] - boxes[j, 0]) * (boxes[j, 3] - boxes[j, 1]) for j in (i, k)]
            whole = min(areas) if overlap == "min" else sum(areas) - common
            if groups[i] == groups[k] and common > threshold * whole:
                break
        else:
            kept.append(i)
    return kept


def _boxes(count: int, seed: int) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    corners = random.integers(0, 120, (count, 2))
    sides = random.integers(8, 60, (count, 2))
    # Whole numbers, so that no rounding decides; few scores, so that many are equal.
    return np.concatenate([corners, corners + sides], axis=1).astype(np.float32), random.integers(0, 20, count).astype(
        np.float32
    )


@pytest.mark.parametrize("overlap", ["union", "min"])
@pytest.mark.parametrize("count", [0, 1, 2, 40, 256, 257, 700])
def test_as_the_slow_way(count: int, overlap: Overlap) -> None:
    boxes, scores = _boxes(count, seed=count)
    groups = np.random.default_rng(1).integers(0, 3, count)
    for threshold in (0.3, 0.5, 0.7):
        expected = _slow(boxes, scores, threshold, overlap, groups)
        assert nms(boxes, scores, threshold, overlap, groups).tolist() == expected
        assert nms(boxes, scores, threshold, overlap).tolist() == _slow(
            boxes, scores, threshold, overlap, np.zeros(count, np.intp)
        )


def test_a_long_chain_is_decided_from_its_best_end() -> None:
    """Each box covers the next: every second one stays, which one round cannot know."""
    left = np.arange(300, dtype=np.float32) * 4
    boxes = np.stack([left, np.zeros(300), left + 10, np.full(300, 10)], axis=1).astype(np.float32)
    kept = nms(boxes, -left, 0.4)
    assert kept.tolist() == list(range(0, 300, 2))


def test_boxes_without_area_divide_nothing() -> None:
    points = np.array([[5, 5, 5, 5], [5, 5, 5, 5]], np.float32)
    assert nms(points, np.array([1, 2], np.float32), 0.5).tolist() == [1, 0]
    assert nms(points, np.array([1, 2], np.float32), 0.5, "min").tolist() == [1, 0]
