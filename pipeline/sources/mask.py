"""What a camera must not show, blackened before anybody else sees the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.config import Corners


class Mask:
    """masks  of each the corners, as shares of the picture's width and height"""

    def __init__(self, masks: tuple[Corners, ...]) -> None:
        self._masks = masks
        self._size_wh = (0, 0)
        self._corners_px: list[NDArray[np.int32]] = []

    def blacken(self, image_bgr: NDArray[np.uint8]) -> None:
        if not self._masks:
            return
        import cv2  # only for cameras with a mask: it costs each process that loads it some 50 MB

        height, width = image_bgr.shape[:2]
        if self._size_wh != (width, height):
            self._size_wh = width, height
            self._corners_px = [_in_pixels(corners, width, height) for corners in self._masks]
        for corners_px in self._corners_px:
            cv2.fillPoly(image_bgr, [corners_px], (0, 0, 0))


def _in_pixels(corners: Corners, width: int, height: int) -> NDArray[np.int32]:
    return np.rint(np.array(corners) * (width, height)).astype(np.int32)
