"""A detector of whole pictures, asked about pieces: many of them lie on one sheet, apart from each other."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.cascade import log_odds
from engines.detector import Detector
from engines.options import EngineOptions
from tracker.cost import iou

_ACROSS, _CELL_PX, _PIECE_PX = 6, 112, 80
SHEET_WH = (_ACROSS * _CELL_PX,) * 2
_GREY = 110
_LEAST_SCORE, _SAME_FACE_IOU = 0.05, 0.35  # a face's box in the square around it shares about two thirds


class PieceSheet:
    """What it says of a piece is how sure it is of the face that fills it: a face off to one side is not meant."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._sheet = np.full((*SHEET_WH[::-1], 3), _GREY, np.uint8)
        margin = (_CELL_PX - _PIECE_PX) // 2
        rows, columns = np.divmod(np.arange(_ACROSS**2), _ACROSS)
        corners = np.stack([columns, rows], axis=1) * _CELL_PX + margin
        self._places = np.hstack([corners, corners + _PIECE_PX])

    @staticmethod
    def options(config: EngineOptions, name: str) -> EngineOptions:
        """For a detector that tells even the boxes that it hardly believes in."""
        return replace(config, detector=name, min_face_px=_PIECE_PX // 3, thresholds=(_LEAST_SCORE,) * 3)

    def odds(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N,) log odds of pieces (N, S, S, 3), between those of the least score and of its opposite."""
        count = len(self._places)
        said = [self._sheet_of(pictures[at : at + count]) for at in range(0, len(pictures), count)]
        return np.concatenate([np.zeros(0, np.float32), *said])

    def _sheet_of(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._sheet[...] = _GREY
        places = self._places[: len(pictures)]
        for picture, (left, top, right, bottom) in zip(pictures, places, strict=True):
            larger = cv2.resize(picture, (_PIECE_PX, _PIECE_PX), interpolation=cv2.INTER_CUBIC)
            self._sheet[top:bottom, left:right] = larger
        found = self._detector.detect([self._sheet])[0]
        overlap = iou(places.astype(np.float64), found.boxes_xyxy.astype(np.float64))  # (pieces, detections)
        scores = np.where(overlap >= _SAME_FACE_IOU, found.scores.astype(np.float64), 0).max(axis=1, initial=0)
        scores = np.clip(scores, _LEAST_SCORE, 1 - _LEAST_SCORE)
        return np.array([log_odds(float(score)) for score in scores], np.float32)
