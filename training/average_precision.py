"""How well boxes that were found fit faces that were labelled: average precision over all pictures.

A detection takes one face that no better detection of its picture has taken: of those that it overlaps enough, the one
that it overlaps most. One that takes none but lies on a face to be ignored does not count at all; any other is wrong, a
second box on one face, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.cost import iou
from training.wider_face import LabelledPicture

Floats = NDArray[np.float64]

SAME_FACE_IOU = 0.5
_INSIDE_IGNORED = 0.5  # of a detection's area


@dataclass(frozen=True, slots=True)
class Judged:
    """The detections of a picture that count, in any order: scores (N,), and right (N,) those that take a face."""

    scores: Floats
    right: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Curve:
    """recall, precision and the number of wrong boxes (N,), with the best detection alone, and with more and more"""

    recall: Floats
    precision: Floats
    wrong: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DetectionScore:
    """ap                area under the precision-recall curve, precision made to fall by taking the best to its right
    recall_at_1fppi   share of the faces found where at most one wrong box a picture comes with them
    recall, wrong     share of the faces found, and wrong boxes, where every detection counts
    """

    ap: float
    recall_at_1fppi: float
    recall: float
    wrong: int


def lower_ignored(truth: LabelledPicture, min_height_px: float) -> LabelledPicture:
    """The same labels, but faces lower than this need not be found, either."""
    low = truth.boxes_xyxy[:, 3] - truth.boxes_xyxy[:, 1] < min_height_px
    return LabelledPicture(truth.name, truth.boxes_xyxy, truth.ignored | low)


def judge(boxes_xyxy: Floats, scores: Floats, truth: LabelledPicture) -> Judged:
    """The detections of one picture; of equal scores the one that comes first may choose first."""
    overlap = iou(boxes_xyxy, truth.boxes_xyxy)  # (detections, faces)
    ignored = overlap[:, truth.ignored] >= SAME_FACE_IOU
    ignored |= share_inside(boxes_xyxy, truth.boxes_xyxy[truth.ignored]) >= _INSIDE_IGNORED
    free = overlap[:, ~truth.ignored]
    counts, right = np.ones(len(scores), bool), np.zeros(len(scores), bool)
    for index in np.argsort(-scores, kind="stable"):
        face = int(np.argmax(free[index])) if free.shape[1] else -1
        if face >= 0 and free[index, face] >= SAME_FACE_IOU:
            right[index] = True
            free[:, face] = 0
        elif ignored[index].any():
            counts[index] = False
    return Judged(scores[counts], right[counts])


def summarise(judged: Sequence[Judged], faces: int) -> DetectionScore:
    """All pictures together, where `faces` are to be found in them."""
    drawn = curve(judged, faces)
    recall, wrong = drawn.recall, drawn.wrong
    best_beyond = np.maximum.accumulate(drawn.precision[::-1])[::-1]
    few = wrong <= len(judged)
    return DetectionScore(
        ap=float(np.sum(np.diff(recall, prepend=0.0) * best_beyond)),
        recall_at_1fppi=float(np.max(recall[few], initial=0.0)),
        recall=float(np.max(recall, initial=0.0)),
        wrong=int(np.max(wrong, initial=0)),
    )


def curve(judged: Sequence[Judged], faces: int) -> Curve:
    """One point for each threshold that changes something: it lets in all detections of one score or none of them."""
    scores = np.concatenate([np.zeros(0), *(each.scores for each in judged)])
    right = np.concatenate([np.zeros(0, bool), *(each.right for each in judged)])
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], right[order]
    ends = np.flatnonzero(np.append(np.diff(scores) != 0, True)) if len(scores) else np.zeros(0, np.intp)
    found, wrong = np.cumsum(right)[ends], np.cumsum(~right)[ends]
    return Curve(found / max(1, faces), found / np.maximum(1, found + wrong), wrong)


def share_inside(boxes_xyxy: Floats, regions_xyxy: Floats) -> Floats:
    """(N, R) of each box's area that lies in each region."""
    low = np.maximum(boxes_xyxy[:, None, :2], regions_xyxy[None, :, :2])
    high = np.minimum(boxes_xyxy[:, None, 2:], regions_xyxy[None, :, 2:])
    shared: Floats = np.prod(np.maximum(high - low, 0), axis=2)
    area: Floats = np.prod(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], axis=1)
    share: Floats = shared / np.maximum(area, 1e-9)[:, None]
    return share
