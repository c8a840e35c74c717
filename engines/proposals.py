"""What P-Net's maps over a canvas say about the picture: boxes that may hold a face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.canvas import STRIDE_PX, WINDOW_PX, Canvas

_NOBODY = -1
_NEIGHBOURS = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if row or column]


class Proposals:
    """Tables for one picture size on one canvas, made once, and the reading of the maps with them."""

    def __init__(self, canvas: Canvas, canvas_wh: tuple[int, int], least_odds: float) -> None:
        """`canvas_wh` is the size that P-Net ran on: the canvas may be smaller. `least_odds` as P-Net gives them."""
        columns, rows = (map_length(length) for length in canvas_wh)
        self._limits = np.full((rows, columns), np.inf, np.float32)
        corners = np.zeros((rows, columns, 2), np.float32)
        sides = np.zeros((rows, columns, 2), np.float32)
        for level in canvas.levels:
            left, top = (offset // STRIDE_PX for offset in level.offset_xy)
            width, height = (map_length(length) for length in level.size_wh)
            scale = np.array(level.scale_xy)
            inside = np.s_[top : top + height, left : left + width]
            self._limits[inside] = least_odds
            corners[inside] = (0.5 + STRIDE_PX * np.stack(np.meshgrid(range(width), range(height)), axis=-1)) * scale
            # From the middle of the window's first pixel to that of its last: P-Net's corrections were learnt for that.
            sides[inside] = (WINDOW_PX - 1) * scale
        self._corners, self._sides = corners.reshape(-1, 2), sides.reshape(-1, 2)
        # One cell of margin all round: a neighbour that does not exist is then a place that never holds a window.
        across = columns + 2
        self._places = (np.arange(rows)[:, None] * across + np.arange(columns) + across + 1).ravel()
        self._steps = np.array([row * across + column for row, column in _NEIGHBOURS])
        self._window_at = np.full((rows + 2) * across, _NOBODY, np.intp)

    def read(
        self, odds: NDArray[np.float32], offsets: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Windows (N, 4) and P-Net's corrections to them (N, 4), thinned out within each level."""
        odds = odds.reshape(self._limits.shape)
        cells = np.flatnonzero(odds > self._limits)
        found = odds.ravel()[cells]
        stay = self._best_of_neighbours(cells, found)
        cells = cells[stay]
        corners = self._corners[cells]
        boxes = np.concatenate([corners, corners + self._sides[cells]], axis=1)
        return boxes, offsets.reshape(-1, 4)[cells]

    def _best_of_neighbours(self, cells: NDArray[np.intp], odds: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which windows stay when each that stays removes those that share more than half of it.

        Windows of a level have one size, so that means: the eight around it. (Two steps aside they share half.) A level
        is at least five cells away from the next, so none of the eight belongs to another level.
        """
        places = self._places[cells]
        self._window_at[places] = np.arange(len(cells))
        neighbours = self._window_at[self._steps[:, None] + places]  # (8, N)
        self._window_at[places] = _NOBODY
        theirs = np.append(odds, np.float32(-np.inf))[neighbours]  # the last one is nobody's
        before = neighbours < np.arange(len(cells))
        better = (theirs > odds) | ((theirs == odds) & before)
        stay = np.ones(len(cells) + 1, bool)
        while True:  # each round gets right what depends on one more window than the round before
            now: NDArray[np.bool_] = ~np.any(better & stay[neighbours], axis=0, keepdims=False)
            if np.array_equal(now, stay[:-1]):
                return now
            stay[:-1] = now


def map_length(pixels: int) -> int:
    """Cells of P-Net's map along an even length; none where no window fits."""
    return max(0, (pixels - WINDOW_PX) // STRIDE_PX + 1)
