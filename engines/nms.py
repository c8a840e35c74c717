"""Of boxes that show the same thing, only the best one stays."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Overlap = Literal["union", "min"]

_BLOCK = 256  # bounds the memory: overlaps are computed for at most this many boxes against all that follow


def nms(
    boxes_xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    threshold: float,
    overlap: Overlap = "union",
    groups: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """Indices of the boxes (N, 4) that stay, best first; of equal scores the one that comes first wins.

    A box goes when it overlaps a better one that stays by more than `threshold`. Overlap is the common area as a share
    of both areas together (`union`) or of the smaller one (`min`). Boxes of different `groups` (N,) leave each other
    alone.
    """
    order = np.argsort(-scores, kind="stable")
    boxes = boxes_xyxy[order]
    labels = np.zeros(len(order), np.intp) if groups is None else groups[order]
    alive = np.ones(len(order), bool)
    for start in range(0, len(order), _BLOCK):
        here = start + np.flatnonzero(alive[start : start + _BLOCK])
        within = _too_close(boxes[here], labels[here], boxes[here], labels[here], threshold, overlap)
        kept = here[_greedy(np.triu(within, 1))]
        alive[here] = False
        alive[kept] = True
        after = start + _BLOCK
        if after < len(order):
            beyond = _too_close(boxes[kept], labels[kept], boxes[after:], labels[after:], threshold, overlap)
            alive[after:] &= ~beyond.any(axis=0)
    return order[alive]


def _greedy(over: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which stay, where over[i, j] says that i is better than j and too close to it.

    Each round gets right what depends on one more box than the round before; real boxes take a handful of rounds.
    """
    keep = np.ones(len(over), bool)
    while True:
        now: NDArray[np.bool_] = ~np.any(over[keep], axis=0, keepdims=False)
        if np.array_equal(now, keep):
            return keep
        keep = now


def _too_close(
    one: NDArray[np.float32],
    one_labels: NDArray[np.intp],
    other: NDArray[np.float32],
    other_labels: NDArray[np.intp],
    threshold: float,
    overlap: Overlap,
) -> NDArray[np.bool_]:
    x1, y1, x2, y2 = one.T[:, :, None]
    u1, v1, u2, v2 = other.T[:, None, :]
    width = np.minimum(x2, u2) - np.maximum(x1, u1)
    height = np.minimum(y2, v2) - np.maximum(y1, v1)
    common = np.maximum(width, 0) * np.maximum(height, 0)
    area, other_area = (x2 - x1) * (y2 - y1), (u2 - u1) * (v2 - v1)
    # Multiplied out, so that boxes without an area divide nothing.
    whole = np.minimum(area, other_area) if overlap == "min" else area + other_area - common
    close: NDArray[np.bool_] = (common > threshold * whole) & (one_labels[:, None] == other_labels)
    return close
