"""Each photograph is laid on a square of one size: one size for the detector, and room around what fills it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SQUARE_PX = 1280


def on_square(image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture in the middle of a grey square, made smaller if it must be, never larger."""
    height, width = image_bgr.shape[:2]
    inner_wh, (left, top) = _place(width, height)
    if inner_wh != (width, height):
        image_bgr = cv2.resize(image_bgr, inner_wh, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    square_bgr = np.full((SQUARE_PX, SQUARE_PX, 3), 127, np.uint8)
    square_bgr[top : top + inner_wh[1], left : left + inner_wh[0]] = image_bgr
    return square_bgr


def off_square(points_xy: NDArray[np.float32], size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Points (…, 2) on the square, in pixels of the picture of this size that was laid on it."""
    inner_wh, corner = _place(*size_wh)
    scales = np.array([size_wh[0] / inner_wh[0], size_wh[1] / inner_wh[1]])
    points: NDArray[np.float32] = ((points_xy - np.array(corner)) * scales).astype(np.float32)
    return points


def _place(width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Size of the picture on the square, and its upper left corner there."""
    scale = min(1.0, SQUARE_PX / max(width, height))
    inner_wh = (max(1, round(width * scale)), max(1, round(height * scale))) if scale < 1 else (width, height)
    return inner_wh, ((SQUARE_PX - inner_wh[0]) // 2, (SQUARE_PX - inner_wh[1]) // 2)
