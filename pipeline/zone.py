"""Which of the faces found are looked at further: those in the camera's zone, and not too small."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.config import CameraConfig


def in_zone(camera: CameraConfig, boxes_xyxy: NDArray[np.float32], size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """(N,) of (N, 4) boxes in pixels. A face is where its middle is, and as large as its shorter side."""
    sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    keeps: NDArray[np.bool_] = sides.min(axis=1, initial=np.inf) >= (camera.min_face_px or 0)
    if camera.zone is not None:
        middles = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / (2 * np.array(size_wh, np.float32))
        keeps &= _inside(np.array(camera.zone), middles)
    return keeps


def _inside(corners: NDArray[np.float64], points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether a ray to the right of each point crosses the outline an odd number of times."""
    x, y = points[:, :1], points[:, 1:]
    (x0, y0), (x1, y1) = corners.T, np.roll(corners, -1, axis=0).T
    crosses = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        right_of = x < (x1 - x0) * (y - y0) / (y1 - y0) + x0
    odd: NDArray[np.bool_] = (crosses & right_of).sum(axis=1) % 2 == 1
    return odd
