"""Do two detectors see the same faces in the same pictures?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.assign import assign
from tracker.cost import iou

SAME_FACE_IOU = 0.5
SAME_BOX_IOU = 0.95

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """ours, theirs  boxes of each in all pictures
    same_face    pairs of one of ours and one of theirs that overlap by more than `SAME_FACE_IOU`
    same_box     those of them that overlap by more than `SAME_BOX_IOU`
    """

    ours: int
    theirs: int
    same_face: int
    same_box: int


def agreement(
    ours_xyxy: Sequence[Floats], theirs_xyxy: Sequence[Floats], sizes_wh: Sequence[tuple[int, int]]
) -> Agreement:
    """Boxes (N, 4) of each picture; what lies outside the picture is cut off, since only some detectors do."""
    same_face = same_box = 0
    for ours, theirs, size_wh in zip(ours_xyxy, theirs_xyxy, sizes_wh, strict=True):
        overlap = iou(*(np.clip(boxes, 0, size_wh * 2) for boxes in (ours, theirs)))
        pairs = assign(np.where(overlap > SAME_FACE_IOU, 1 - overlap, 2.0), 1.0)
        same_face += len(pairs.rows)
        same_box += int(np.count_nonzero(overlap[pairs.rows, pairs.columns] > SAME_BOX_IOU))
    return Agreement(sum(map(len, ours_xyxy)), sum(map(len, theirs_xyxy)), same_face, same_box)
