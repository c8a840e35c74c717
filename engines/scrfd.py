"""SCRFD: for each of two anchors a cell a score, the distances from its corner to the edges of a face, and five points.

It reads what InsightFace's exports give: scores after the sigmoid, distances in units of the stride. Only the
arithmetic has been tried: no weights that others may use were at hand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.anchors import STRIDES, Places, best_rows
from engines.faces import Faces
from engines.single_stage import MOST_CANDIDATES, Kind, NotNumbers

PER_CELL = 2


class SCRFDHead:
    def __init__(self, sheet_wh: tuple[int, int], least_score: float) -> None:
        self._places = Places(sheet_wh, PER_CELL)
        self.sizes = self._places.sizes(1, 4, 10)
        self._least = least_score
        self._scores = np.empty(len(self._places), np.float32)

    def read(self, outputs: tuple[NDArray[np.float32], ...]) -> Faces:
        scores, boxes, points = outputs[:3], outputs[3:6], outputs[6:]
        for part, grid in zip(self._places.slices, scores, strict=True):
            self._scores[part] = grid.reshape(-1)
        if np.isnan(self._scores.max()):
            raise NotNumbers("scores that are NaN")
        rows = best_rows(self._scores, self._least, MOST_CANDIDATES)
        corners, strides = self._places.corners_xy[rows], self._places.strides[rows]
        distances = self._places.take(boxes, rows, 4) * strides
        landmarks = corners[:, None] + self._places.take(points, rows, 10).reshape(-1, 5, 2) * strides[:, None]
        edges = np.concatenate([corners - distances[:, :2], corners + distances[:, 2:]], axis=1)
        return Faces(edges, self._scores[rows], landmarks)


SCRFD = Kind(
    outputs=tuple(f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in STRIDES),
    least_score=0.5,
    same_face=0.4,
    head=SCRFDHead,
)
