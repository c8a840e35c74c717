"""Video is searched now and then; between two searches, faces are looked for where they must have moved to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.detector import Detector
from engines.faces import Faces

# Somebody who comes in is found this long afterwards at the latest, however few frames a camera gives.
MAX_UNSEARCHED_S = 0.2
_SAME_FACE_IOU = 0.3


@dataclass(frozen=True, slots=True)
class View:
    """camera     whose picture it is
    taken_s    when, in the time of its source
    image_bgr  (H, W, 3)
    """

    camera: str
    taken_s: float
    image_bgr: NDArray[np.uint8]


@dataclass(slots=True)
class _Past:
    """steps_xy   (N, 2) how far each face moved between the last two pictures
    followed   pictures since the last search
    """

    taken_s: float
    size: tuple[int, ...]
    boxes_xyxy: NDArray[np.float32]
    steps_xy: NDArray[np.float32]
    searched_s: float
    followed: int


class Pursuit:
    """A full search of each camera's picture every `every` pictures, and O-Net's look at known faces in between."""

    def __init__(self, detector: Detector, every: int) -> None:
        self._detector = detector
        self._every = every
        self._pasts: dict[str, _Past] = {}

    def detect(self, views: Sequence[View]) -> list[Faces]:
        """The faces of each picture; at most one picture of each camera, in the order in which they were taken."""
        searched = [not self._may_follow(view) for view in views]
        found = iter(self._detector.detect([v.image_bgr for v, s in zip(views, searched, strict=True) if s]))
        followed = [view for view, s in zip(views, searched, strict=True) if not s]
        near = iter(self._detector.refine([v.image_bgr for v in followed], [self._expected(v) for v in followed]))
        faces = [next(found if s else near) for s in searched]
        for view, each, s in zip(views, faces, searched, strict=True):
            self._remember(view, each, searched=s)
        return faces

    def close(self) -> None:
        self._detector.close()

    def _may_follow(self, view: View) -> bool:
        """Not if the picture after this one could then be the first search for too long."""
        past = self._pasts.get(view.camera)
        if past is None or past.size != view.image_bgr.shape or past.followed + 1 >= self._every:
            return False
        interval_s = view.taken_s - past.taken_s
        return interval_s >= 0 and view.taken_s + interval_s - past.searched_s <= MAX_UNSEARCHED_S

    def _expected(self, view: View) -> NDArray[np.float32]:
        past = self._pasts[view.camera]
        expected: NDArray[np.float32] = past.boxes_xyxy + np.tile(past.steps_xy, 2)
        return expected

    def _remember(self, view: View, faces: Faces, *, searched: bool) -> None:
        past = self._pasts.get(view.camera)
        before = np.zeros((0, 4), np.float32) if past is None else past.boxes_xyxy
        self._pasts[view.camera] = _Past(
            view.taken_s,
            view.image_bgr.shape,
            faces.boxes_xyxy,
            _steps(before, faces.boxes_xyxy),
            view.taken_s if searched or past is None else past.searched_s,
            0 if searched or past is None else past.followed + 1,
        )


def _steps(before_xyxy: NDArray[np.float32], now_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 2) from where each face was to where it is; nothing for one that was not there."""
    if not len(before_xyxy) or not len(now_xyxy):
        return np.zeros((len(now_xyxy), 2), np.float32)
    overlap = _iou(now_xyxy, before_xyxy)
    nearest = overlap.argmax(axis=1)
    moved = (now_xyxy - before_xyxy[nearest]).reshape(-1, 2, 2).mean(axis=1)
    steps: NDArray[np.float32] = np.where(overlap.max(axis=1)[:, None] > _SAME_FACE_IOU, moved, np.float32(0))
    return steps


def _iou(one_xyxy: NDArray[np.float32], other_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    low = np.maximum(one_xyxy[:, None, :2], other_xyxy[None, :, :2])
    high = np.minimum(one_xyxy[:, None, 2:], other_xyxy[None, :, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one_xyxy, other_xyxy)]
    iou: NDArray[np.float32] = common / np.maximum(areas[0][:, None] + areas[1] - common, 1e-9)
    return iou
