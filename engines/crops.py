"""Square pieces of pictures at the size that a network takes, all in a few calls."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.halvings import MAX_HALVINGS, Halvings


class Cutter:
    """Cuts squares out of several pictures, to one size."""

    def __init__(self, side_px: int) -> None:
        self._side = side_px
        self._steps = ((np.arange(side_px) + 0.5) / side_px).astype(np.float32)
        self._across = np.empty((0, side_px, side_px), np.float32)
        self._down = self._across
        self._pieces = np.empty((0, side_px, side_px, 3), np.uint8)

    def cut(
        self, pictures: Sequence[Halvings], boxes_xyxy: NDArray[np.float32], owners: NDArray[np.intp]
    ) -> NDArray[np.uint8]:
        """(N, side, side, 3): what the boxes (N, 4) of the pictures `owners` (N,) show, black outside of the picture.

        Each piece is taken from its picture halved until less than two of its pixels fall on one of the piece, so that
        sampling between four pixels misses none.
        """
        sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
        most = np.array([picture.most for picture in pictures], np.intp)
        halvings = np.log2(np.maximum(sides.min(axis=1) / self._side, 1)).astype(np.intp)
        halvings = np.minimum(halvings, most[owners])
        sources = owners * (MAX_HALVINGS + 1) + halvings
        order = np.argsort(sources, kind="stable")
        self._make_room(len(order))
        self._map(boxes_xyxy[order], sides[order], 0.5 ** halvings[order].astype(np.float32))
        starts = np.flatnonzero(np.diff(sources[order], prepend=-1)).tolist()
        for start, stop in pairwise([*starts, len(order)]):
            owner, times = divmod(int(sources[order[start]]), MAX_HALVINGS + 1)
            self._sample(pictures[owner][times], start, stop)
        pieces = np.empty((len(order), self._side, self._side, 3), np.uint8)
        pieces[order] = self._pieces[: len(order)]
        return pieces

    def _make_room(self, count: int) -> None:
        if count > len(self._pieces):
            room = max(count, 2 * len(self._pieces))
            self._across, self._down = np.empty((2, room, self._side, self._side), np.float32)
            self._pieces = np.empty((room, self._side, self._side, 3), np.uint8)

    def _map(self, boxes_xyxy: NDArray[np.float32], sides: NDArray[np.float32], scales: NDArray[np.float32]) -> None:
        """Where each pixel of each piece lies in its source; pixel centres are at whole numbers there."""
        places = (boxes_xyxy[:, :2, None] + sides[:, :, None] * self._steps) * scales[:, None, None] - np.float32(0.5)
        self._across[: len(places)] = places[:, 0, None, :]
        self._down[: len(places)] = places[:, 1, :, None]

    def _sample(self, source: NDArray[np.uint8], start: int, stop: int) -> None:
        # One row for each piece: OpenCV takes at most 32,766.
        across, down = (maps[start:stop].reshape(stop - start, -1) for maps in (self._across, self._down))
        target = self._pieces[start:stop].reshape(stop - start, -1, 3)
        cv2.remap(source, across, down, cv2.INTER_LINEAR, dst=target, borderMode=cv2.BORDER_CONSTANT)
