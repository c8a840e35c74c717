"""The places that a single-stage detector speaks about: a fixed number for each cell of grids over the picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

STRIDES = (8, 16, 32)


class Places:
    """Grid after grid, row by row; the order in which all these detectors give their rows.

    corners_xy  (N, 2) float32: the top left corner of the cell, in pixels
    strides     (N, 1) float32: the side of the cell, in pixels
    """

    def __init__(self, sheet_wh: tuple[int, int], per_cell: int = 1) -> None:
        """The sides of the sheet are multiples of the largest stride."""
        grids = [_corners(sheet_wh, stride, per_cell) for stride in STRIDES]
        self.corners_xy: NDArray[np.float32] = np.concatenate(grids)
        counts = [len(grid) for grid in grids]
        self.strides: NDArray[np.float32] = np.repeat(np.array(STRIDES, np.float32), counts)[:, None]
        edges = np.cumsum([0, *counts]).tolist()
        self.slices = tuple(slice(start, stop) for start, stop in pairwise(edges))

    def __len__(self) -> int:
        return len(self.strides)

    def sizes(self, *widths: int) -> tuple[int, ...]:
        """Numbers of values, grid by grid, where each place has so many of each kind: the first kind comes first."""
        return tuple((part.stop - part.start) * width for width in widths for part in self.slices)

    def take(self, grids: Sequence[NDArray[np.float32]], rows: NDArray[np.intp], width: int) -> NDArray[np.float32]:
        """These rows (ascending) of what would be one array (N, width), without putting it together first."""
        bounds = np.searchsorted(rows, [part.stop for part in self.slices[:-1]])
        parts = np.split(rows, bounds)
        return np.concatenate(
            [
                grid.reshape(-1, width)[mine - part.start]
                for grid, mine, part in zip(grids, parts, self.slices, strict=True)
            ]
        )


def best_rows(scores: NDArray[np.float32], least: float, most: int) -> NDArray[np.intp]:
    """The rows above `least`, the best `most` of them; ascending."""
    rows = np.flatnonzero(scores > least)
    if len(rows) > most:
        rows = np.sort(rows[np.argpartition(-scores[rows], most)[:most]])
    return rows


def _corners(sheet_wh: tuple[int, int], stride: int, per_cell: int) -> NDArray[np.float32]:
    width, height = sheet_wh
    down, across = np.mgrid[0:height:stride, 0:width:stride]
    corners = np.stack([across, down], axis=-1).reshape(-1, 2).astype(np.float32)
    return np.repeat(corners, per_cell, axis=0)
