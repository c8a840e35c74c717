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

LEADING, SECOND = "yunet", "mtcnn"

_LEAST_SCORE = 0.3
_SURE_SCORE = 0.7
_SAME_FACE_IOU = 0.4
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

    def marks(self, image_bgr: NDArray[np.uint8]) -> Marks:
        times = _enlargement((image_bgr.shape[1], image_bgr.shape[0]))
        if times > 1:
            larger = cv2.resize(image_bgr, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
            image_bgr = larger.astype(np.uint8, copy=False)
        leading, second = (_smaller(each.detect([image_bgr])[0], times) for each in (self._leading, self._second))
        return agreed(leading, second)

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
    partners = _partners(leading.boxes_xyxy, second.boxes_xyxy)
    both = partners >= 0
    landmarks = leading.landmarks.copy()
    landmarks[both] = (landmarks[both] + second.landmarks[partners[both]]) / 2
    heights_px = leading.boxes_xyxy[:, 3] - leading.boxes_xyxy[:, 1]
    faces = (both | (leading.scores >= _SURE_SCORE)) & (heights_px >= _LEAST_HEIGHT_PX)
    alone = np.setdiff1d(np.arange(len(second)), partners)
    return Marks(
        np.concatenate([leading.boxes_xyxy, second.boxes_xyxy[alone]]),
        np.concatenate([landmarks, second.landmarks[alone]]),
        np.concatenate([~faces, np.ones(len(alone), np.bool_)]),
    )


def overlaps(boxes_xyxy: NDArray[np.float32], others_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, M) intersection over union."""
    lows = np.maximum(boxes_xyxy[:, None, :2], others_xyxy[None, :, :2])
    highs = np.minimum(boxes_xyxy[:, None, 2:], others_xyxy[None, :, 2:])
    shared = np.prod(np.maximum(highs - lows, 0), axis=2)
    areas, other_areas = (np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (boxes_xyxy, others_xyxy))
    together = areas[:, None] + other_areas[None] - shared
    ratios: NDArray[np.float32] = np.divide(shared, together, out=np.zeros_like(shared), where=together > 0)
    return ratios


def _partners(boxes_xyxy: NDArray[np.float32], others_xyxy: NDArray[np.float32]) -> NDArray[np.intp]:
    """(N,) which of the others shows the same face, −1 for none; each of them at most once, best first."""
    partners = np.full(len(boxes_xyxy), -1, np.intp)
    ratios = overlaps(boxes_xyxy, others_xyxy)
    while ratios.size and ratios.max() >= _SAME_FACE_IOU:
        mine, other = np.unravel_index(np.argmax(ratios), ratios.shape)
        partners[mine] = other
        ratios[mine], ratios[:, other] = 0, 0
    return partners


def _enlargement(size_wh: tuple[int, int]) -> int:
    return 2 if max(size_wh) < _SMALL_PX else 1


def _smaller(faces: Faces, times: int) -> Faces:
    share = np.float32(1 / times)
    return Faces(faces.boxes_xyxy * share, faces.scores, faces.landmarks * share)
