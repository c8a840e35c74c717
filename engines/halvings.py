"""A picture at full size, half, a quarter and so on: sampled from the right one, no pixel is skipped."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_HALVINGS = 4
_NOTHING: NDArray[np.uint8] = np.zeros((0, 0, 3), np.uint8)


class Halvings:
    """A picture at full size, half, a quarter and so on, in memory that is kept from picture to picture."""

    def __init__(self) -> None:
        self._picture = _NOTHING
        self._sizes: list[NDArray[np.uint8]] = []
        self._made_for_wh = (0, 0)
        self._ready = 0

    def show(self, picture: NDArray[np.uint8]) -> None:
        """From now on about this picture (H, W, 3); nothing is computed until it is asked for."""
        self._picture = picture
        if self.size_wh != self._made_for_wh:
            self._sizes, self._made_for_wh = [], self.size_wh
        self._ready = 0

    def forget(self) -> None:
        """Let go of the picture, which may lie in memory that others wait for."""
        self._picture = _NOTHING

    def __getitem__(self, times: int) -> NDArray[np.uint8]:
        """The picture halved so many times; an odd last row or column is left out each time."""
        if times == 0:
            return self._picture
        while self._ready < times:
            source = self[self._ready]
            height, width = source.shape[0] // 2, source.shape[1] // 2
            if len(self._sizes) == self._ready:
                self._sizes.append(np.empty((height, width, 3), np.uint8))
            even = source[: 2 * height, : 2 * width]
            cv2.resize(even, (width, height), dst=self._sizes[self._ready], interpolation=cv2.INTER_AREA)
            self._ready += 1
        return self._sizes[times - 1]

    @property
    def size_wh(self) -> tuple[int, int]:
        return self._picture.shape[1], self._picture.shape[0]

    def clipped(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """The parts of the boxes (N, 4) that lie on the picture."""
        return np.clip(boxes_xyxy, 0, np.array(self.size_wh * 2, np.float32))

    @property
    def most(self) -> int:
        """How often the picture can be halved at all."""
        return min(MAX_HALVINGS, max(0, min(self.size_wh).bit_length() - 1))
