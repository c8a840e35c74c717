"""Cascades on the same labelled pictures, in turns: what they find, how exactly, and how long they take."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engines.detector import Detector
from engines.faces import Faces
from tracker.cost import iou
from training.average_precision import SAME_FACE_IOU, Curve, curve, judge, summarise
from training.truths import Truth, face_count, of_height, shown


@dataclass(frozen=True, slots=True)
class CascadeScore:
    """ap, recall_at_1fppi, recall, wrong  as in average_precision
    box_iou         mean IoU of the faces that are found with their boxes
    landmark_error  mean distance of a point from the face's, in square roots of its box's area, of faces found;
                    None: the labels tell no landmarks
    ms_per_image    median
    """

    ap: float
    recall_at_1fppi: float
    recall: float
    wrong: int
    box_iou: float
    landmark_error: float | None
    ms_per_image: float
    drawn: Curve = field(repr=False)


def measure(
    cascades: Mapping[str, Detector], pictures: Sequence[Truth], min_heights_px: Sequence[float]
) -> dict[float, dict[str, CascadeScore]]:
    """For each height, below which faces need not be found, the score of each cascade; it looks only once."""
    found: dict[str, list[Faces]] = {name: [] for name in cascades}
    took_ms: dict[str, list[float]] = {name: [] for name in cascades}
    by_height = {height: of_height(pictures, height) for height in min_heights_px}
    for _, image_bgr in shown(pictures, "pictures"):
        for name, cascade in cascades.items():
            faces, ms = _timed(cascade, image_bgr)
            found[name].append(faces)
            took_ms[name].append(ms)
    return {
        height: {name: score(found[name], truths, float(np.median(took_ms[name]))) for name in cascades}
        for height, truths in by_height.items()
    }


def score(found: Sequence[Faces], truths: Sequence[Truth], ms_per_image: float) -> CascadeScore:
    count = face_count(truths)
    judged = [
        judge(faces.boxes_xyxy.astype(np.float64), faces.scores.astype(np.float64), truth.picture)
        for faces, truth in zip(found, truths, strict=True)
    ]
    told = summarise(judged, count)
    exact = [exactness(faces, truth) for faces, truth in zip(found, truths, strict=True)]
    ious, apart = [each for ious, _ in exact for each in ious], [error for _, errors in exact for error in errors]
    return CascadeScore(
        told.ap,
        told.recall_at_1fppi,
        told.recall,
        told.wrong,
        float(np.mean(ious)) if ious else 0.0,
        float(np.mean(apart)) if apart else None,
        ms_per_image,
        curve(judged, count),
    )


def exactness(found: Faces, truth: Truth) -> tuple[list[float], list[float]]:
    """Of each face that is found the IoU with its box, and of each whose landmarks are known how far off they are."""
    picture = truth.picture
    if not len(found):
        return [], []
    overlap = iou(found.boxes_xyxy.astype(np.float64), picture.boxes_xyxy)
    best = overlap.argmax(axis=0)
    ious, apart = [], []
    for face in np.flatnonzero(~picture.ignored & (overlap.max(axis=0) >= SAME_FACE_IOU)):
        ious.append(float(overlap[best[face], face]))
        points = truth.landmarks[face]
        if np.isfinite(points).all():
            left, top, right, bottom = picture.boxes_xyxy[face]
            distances = np.linalg.norm(found.landmarks[best[face]] - points, axis=1)
            apart.append(float(np.mean(distances) / np.sqrt((right - left) * (bottom - top))))
    return ious, apart


def _timed(cascade: Detector, image_bgr: NDArray[np.uint8]) -> tuple[Faces, float]:
    cascade.detect([image_bgr])  # opens an engine if none fits this size: no part of a picture's own time
    start_s = time.perf_counter()
    found = cascade.detect([image_bgr])
    return found[0], 1000 * (time.perf_counter() - start_s)
