"""Labels by two detectors: one is sure of what both find, and leaves open what only one of them believes in."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces import Faces
from engines.load import load_detector
from engines.options import EngineOptions
from training.labels import Marks
from training.landmark_list import Points
from training.overlap import inside, partners

LEADING, SECOND = "yunet", "mtcnn_reference"

_LEAST_SCORE = 0.3
_SURE_SCORE = 0.5
_SUSPECT_SCORE = 0.5
_SAME_FACE_IOU = 0.4
_REPEATED_SHARE = 0.5
_LEAST_HEIGHT_PX = 12
# Of the pictures that the detectors see: smaller faces are beyond both of them.
_MIN_FACE_PX = 20
# Small pictures are shown at twice the size, so that faces in their background are found, too.
_SMALL_PX = 640


class Teacher:
    """Says where the faces of a picture are; one thread at a time."""

    def __init__(self, config: EngineOptions, usual_wh: tuple[int, int]) -> None:
        """Pictures may have any size; those of `usual_wh` are quickest."""
        config = replace(config, precision="fp32", min_face_px=_MIN_FACE_PX)
        least = (_LEAST_SCORE, _LEAST_SCORE, _LEAST_SCORE)
        usual_wh = (usual_wh[0] * _enlargement(usual_wh), usual_wh[1] * _enlargement(usual_wh))
        with ExitStack() as opened:
            leading = replace(config, detector=LEADING, thresholds=least)
            self._leading = opened.enter_context(closing(load_detector(leading, size_wh=usual_wh)))
            self._second = opened.enter_context(
                closing(load_detector(replace(config, detector=SECOND), size_wh=usual_wh))
            )
            self._opened = opened.pop_all()

    def marks(self, image_bgr: NDArray[np.uint8], *, background: bool = False) -> Marks:
        """The faces of a picture; of a `background`, which should show none, where faces are suspected."""
        times = _enlargement((image_bgr.shape[1], image_bgr.shape[0]))
        if times > 1:
            larger = cv2.resize(image_bgr, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
            image_bgr = larger.astype(np.uint8, copy=False)
        leading, second = (_smaller(each.detect([image_bgr])[0], times) for each in (self._leading, self._second))
        return suspected(leading, second) if background else agreed(leading, second)

    def points(self, image_bgr: NDArray[np.uint8]) -> Points:
        """The landmarks of the faces of a picture."""
        marks = self.marks(image_bgr)
        return Points(marks.boxes_xyxy[~marks.ignored], marks.landmarks[~marks.ignored])

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Teacher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def agreed(leading: Faces, second: Faces) -> Marks:
    """The boxes are the leading detector's; landmarks are the mean where both have found a face.

    A face is what the leading one is sure of, or what both find. The rest may be faces, and is ignored; so is what is
    too small to learn from.
    """
    same = partners(leading.boxes_xyxy, second.boxes_xyxy, _SAME_FACE_IOU)
    both = same >= 0
    landmarks = leading.landmarks.copy()
    landmarks[both] = (landmarks[both] + second.landmarks[same[both]]) / 2
    heights_px = leading.boxes_xyxy[:, 3] - leading.boxes_xyxy[:, 1]
    faces = (both | (leading.scores >= _SURE_SCORE)) & (heights_px >= _LEAST_HEIGHT_PX)
    alone = np.setdiff1d(np.arange(len(second)), same)
    boxes = np.concatenate([leading.boxes_xyxy, second.boxes_xyxy[alone]])
    landmarks = np.concatenate([landmarks, second.landmarks[alone]])
    ignored = np.concatenate([~faces, np.ones(len(alone), np.bool_)])
    stay = np.logical_or(~ignored, ~_repeats(boxes, boxes[~ignored]))
    return Marks(boxes[stay], landmarks[stay], ignored[stay])


def suspected(leading: Faces, second: Faces) -> Marks:
    """All ignored: what both find, and what the leading detector rather believes in.

    What else looks like a face where none is expected is what a network must learn to tell from one.
    """
    both = partners(leading.boxes_xyxy, second.boxes_xyxy, _SAME_FACE_IOU) >= 0
    stay = both | (leading.scores >= _SUSPECT_SCORE)
    return Marks(leading.boxes_xyxy[stay], leading.landmarks[stay], np.ones(np.count_nonzero(stay), np.bool_))


def _repeats(boxes_xyxy: NDArray[np.float32], faces_xyxy: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(N,) which of the boxes show a face that is known already: half of it, or half of the box, is the other's."""
    common = np.maximum(inside(boxes_xyxy, faces_xyxy), inside(faces_xyxy, boxes_xyxy).T)
    known: NDArray[np.bool_] = np.any(common > _REPEATED_SHARE, axis=1)
    return known


def _enlargement(size_wh: tuple[int, int]) -> int:
    return 2 if max(size_wh) < _SMALL_PX else 1


def _smaller(faces: Faces, times: int) -> Faces:
    share = np.float32(1 / times)
    return Faces(faces.boxes_xyxy * share, faces.scores, faces.landmarks * share)
