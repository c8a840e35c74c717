"""A face cut out of its picture with what is around it: to be shown to people, and aligned for another embedder."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.gallery.gallery import Cutout

AROUND = 2.0  # sides of the cut-out in sides of the face's box: all crops of all embedders lie within
LARGEST_PX = 256
_JPEG_QUALITY = 90


def cut_out(image_bgr: NDArray[np.uint8], box_xyxy: NDArray[np.float32], landmarks: NDArray[np.float32]) -> Cutout:
    """A square around the box (4,), as far as the picture goes, made smaller if it must be; landmarks are (5, 2)."""
    height, width = image_bgr.shape[:2]
    side = AROUND * max(float(box_xyxy[2] - box_xyxy[0]), float(box_xyxy[3] - box_xyxy[1]), 1.0)
    x, y = (float(box_xyxy[axis] + box_xyxy[axis + 2]) / 2 for axis in (0, 1))
    left, right = _span(x, side, width)
    top, bottom = _span(y, side, height)
    part = image_bgr[top:bottom, left:right]
    scale = min(1.0, LARGEST_PX / max(part.shape[:2]))
    if scale < 1:
        size_wh = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = np.asarray(cv2.resize(part, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
    scales = np.array([part.shape[1] / (right - left), part.shape[0] / (bottom - top)])
    _, jpeg = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    # Pixel centres lie at whole numbers.
    places = (landmarks.astype(np.float64) - (left, top) + 0.5) * scales - 0.5
    return Cutout(jpeg.tobytes(), places.astype(np.float32))


def picture_of(cutout: Cutout) -> NDArray[np.uint8] | None:
    """(H, W, 3); None for one that cannot be decoded."""
    image_bgr = cv2.imdecode(np.frombuffer(cutout.jpeg, np.uint8), cv2.IMREAD_COLOR) if cutout.jpeg else None
    return None if image_bgr is None else image_bgr.astype(np.uint8, copy=False)


def _span(middle: float, side: float, length: int) -> tuple[int, int]:
    """First pixel, and the one after the last, within the picture; at least one pixel."""
    first = min(max(round(middle - side / 2), 0), length - 1)
    return first, max(min(round(middle + side / 2), length), first + 1)
