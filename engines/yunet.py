"""YuNet: for each cell how likely a face is, how well a box fits it, the box and five points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engines.anchors import STRIDES, Places, best_rows
from engines.engine import Engine
from engines.faces import Faces
from engines.sheets import Sizing
from engines.single_stage import MOST_CANDIDATES, NotNumbers, SingleStage

# In this order an engine has to give its outputs; the names are the meanings in the manifest.
OUTPUTS = tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES)
# On 96 labelled pictures it finds 89 % of the faces of 20 px and more with 11 false ones; at 0.7 87 % with 4.
LEAST_SCORE = 0.6
SAME_FACE = 0.3
# Faces of 16 to 500 px are found best, at 1,000 px two thirds of the score are left. Making pictures smaller by what a
# larger min face would allow does not pay: at half the size two points of AP are lost on the faces of 40 px and more.
SIZING = Sizing(longest_px=1920, far_px=640)


def yunet(
    open_net: Callable[[tuple[int, int]], Engine],
    *,
    min_face_px: int,
    least_score: float = LEAST_SCORE,
    fixed_wh: tuple[int, int] | None = None,
) -> SingleStage:
    """`open_net` gives an engine for one picture of (width, height) with OUTPUTS."""
    return SingleStage(
        open_net,
        lambda sheet_wh: YuNetHead(sheet_wh, least_score),
        SIZING.only(fixed_wh),
        min_face_px=min_face_px,
        same_face=SAME_FACE,
    )


class YuNetHead:
    def __init__(self, sheet_wh: tuple[int, int], least_score: float) -> None:
        self._places = Places(sheet_wh)
        self.sizes = self._places.sizes(1, 1, 4, 10)
        self._least = least_score**2  # before the square root is drawn
        self._products = np.empty(len(self._places), np.float32)

    def read(self, outputs: tuple[NDArray[np.float32], ...]) -> Faces:
        likely, fitting, boxes, points = (outputs[start : start + 3] for start in range(0, 12, 3))
        for part, one, other in zip(self._places.slices, likely, fitting, strict=True):
            np.multiply(one.reshape(-1), other.reshape(-1), out=self._products[part])
        if np.isnan(self._products.max()):
            raise NotNumbers("scores that are NaN")
        rows = best_rows(self._products, self._least, MOST_CANDIDATES)
        corners, strides = self._places.corners_xy[rows], self._places.strides[rows]
        offsets = self._places.take(boxes, rows, 4)
        centres = corners + offsets[:, :2] * strides
        halves = np.exp(offsets[:, 2:]) * strides / 2
        landmarks = corners[:, None] + self._places.take(points, rows, 10).reshape(-1, 5, 2) * strides[:, None]
        scores = np.sqrt(self._products[rows])
        return Faces(np.concatenate([centres - halves, centres + halves], axis=1), scores, landmarks)
