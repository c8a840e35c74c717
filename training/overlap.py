"""How much boxes share with each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]


def overlap(one: Boxes, other: Boxes) -> NDArray[np.float32]:
    """(N, M) intersection over union."""
    shared = _shared(one, other)
    union = _area(one)[:, None] + _area(other) - shared
    ratios: NDArray[np.float32] = shared / np.maximum(union, np.float32(1e-6))
    return ratios


def inside(one: Boxes, other: Boxes) -> NDArray[np.float32]:
    """(N, M) share of each of `one` that lies in each of `other`."""
    shares: NDArray[np.float32] = _shared(one, other) / np.maximum(_area(one), np.float32(1e-6))[:, None]
    return shares


def partners(one: Boxes, other: Boxes, least: float) -> NDArray[np.intp]:
    """(N,) which of `other` shows the same thing, −1 for none: the closest pairs first, each box in one pair."""
    found = np.full(len(one), -1, np.intp)
    ratios = overlap(one, other)
    while ratios.size and ratios.max() >= least:
        mine, theirs = np.unravel_index(np.argmax(ratios), ratios.shape)
        found[mine] = theirs
        ratios[mine], ratios[:, theirs] = -1, -1
    return found


def _shared(one: Boxes, other: Boxes) -> NDArray[np.float32]:
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared: NDArray[np.float32] = np.prod(np.maximum(high - low, 0), axis=2)
    return shared


def _area(boxes_xyxy: Boxes) -> NDArray[np.float32]:
    area: NDArray[np.float32] = np.prod(np.maximum(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0), axis=1)
    return area
