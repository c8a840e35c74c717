"""Does a detector or an embedder in fewer bits still say what it says in 32? Tried on a face that is always there.

One face cannot show how accurate a net is (`testbench.accuracy` does), but a net that was quantised, compiled or run
wrongly is off on every face.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import ModelError
from checkpoints.portrait import LANDMARKS, portrait
from engines.align import align
from engines.detector import Detector
from engines.embedder import Embedder
from engines.faces import Faces

# Limits: what INT8 and bf16 do to good nets lies well inside of them, what a wrong scale does lies far out.
LEAST_COSINE = 0.95
LEAST_MEAN_COSINE = 0.97
LEAST_IOU = 0.75
MOST_LANDMARK_ERROR = 0.06  # of the face's width
_SURE = 0.85  # faces with a lower score may be found or not

SCENE_WH = (640, 360)


@dataclass(frozen=True, slots=True)
class EmbedderDrift:
    """Cosines between what both make of the same crops."""

    least: float
    mean: float

    def __str__(self) -> str:
        return f"cosines with fp32: mean {self.mean:.4f}, least {self.least:.4f}"

    def refuse_if_off(self, name: str) -> None:
        if not (self.least >= LEAST_COSINE and self.mean >= LEAST_MEAN_COSINE):
            raise _refusal(name, self, f"mean {LEAST_MEAN_COSINE} and least {LEAST_COSINE}")


@dataclass(frozen=True, slots=True)
class DetectorDrift:
    """missed          clear faces that only one of the two finds
    faces           clear faces that the reference finds
    least_iou       between boxes of the same face
    landmark_error  the largest distance between two landmarks, as part of the face's width
    """

    missed: int
    faces: int
    least_iou: float
    landmark_error: float

    def __str__(self) -> str:
        return (
            f"against fp32: {self.faces} faces, {self.missed} not found by both, least IoU {self.least_iou:.3f}, "
            f"landmarks off by {self.landmark_error:.3f} of a face at most"
        )

    def refuse_if_off(self, name: str) -> None:
        near = self.least_iou >= LEAST_IOU and self.landmark_error <= MOST_LANDMARK_ERROR
        if self.missed or not self.faces or not near:
            raise _refusal(name, self, f"no face missed, IoU {LEAST_IOU}, landmarks within {MOST_LANDMARK_ERROR}")


def drift_of_embedder(embedder: Embedder, reference: Embedder) -> EmbedderDrift:
    crops = np.concatenate(list(_crops(reference)))
    cosines = (embedder.embed(crops) * reference.embed(crops)).sum(axis=1)
    return EmbedderDrift(float(cosines.min()), float(cosines.mean()))


def drift_of_detector(detector: Detector, reference: Detector) -> DetectorDrift:
    missed = faces = 0
    least_iou, landmark_error = 1.0, 0.0
    for scene in scenes():
        (expected,), (found,) = reference.detect([scene]), detector.detect([scene])
        faces += int((expected.scores >= _SURE).sum())
        missed += _unmatched(expected, found) + _unmatched(found, expected)
        for iou, error in _matches(expected, found):
            least_iou, landmark_error = min(least_iou, iou), max(landmark_error, error)
    return DetectorDrift(missed, faces, least_iou, landmark_error)


def scenes() -> Iterator[NDArray[np.uint8]]:
    """The portrait at several sizes and in several lights, as (H, W, 3)."""
    face = portrait()[20:220, 120:320]
    width, height = SCENE_WH
    for number, sides in enumerate([(300, 150), (220, 130, 110), (180, 200, 120)]):
        ramp = np.linspace(60 + 30 * number, 160 - 20 * number, width, dtype=np.float32)
        scene = np.repeat(np.repeat(ramp[None, :, None], height, axis=0), 3, axis=2).astype(np.uint8)
        left = 10
        for place, side in enumerate(sides):
            piece = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
            piece = cv2.convertScaleAbs(piece, alpha=1 - 0.2 * number, beta=15 * place)
            top = (height - side) * (place + 1) // (len(sides) + 1)
            scene[top : top + side, left : left + side] = piece[:, ::-1] if place % 2 else piece
            left += side + 10
        yield scene


def _crops(embedder: Embedder) -> Iterator[NDArray[np.uint8]]:
    """The face turned, blurred, darkened, brightened and mirrored, aligned as the embedder wants it."""
    picture = portrait()
    for angle in (-8.0, 0.0, 8.0):
        turn = cv2.getRotationMatrix2D((224.0, 118.0), angle, 1.0)
        # The face turns with the picture, but its landmarks stay: a crop that is aligned less than well.
        turned = cv2.warpAffine(picture, turn, picture.shape[1::-1])
        for blur in (0.0, 1.5):
            soft = cv2.GaussianBlur(turned, (0, 0), blur) if blur else turned
            for light in (0.6, 1.0, 1.3):
                crops = align(
                    np.asarray(cv2.convertScaleAbs(soft, alpha=light), np.uint8), LANDMARKS[None], embedder.crop
                )
                yield crops
                yield crops[:, :, ::-1]


def _unmatched(one: Faces, other: Faces) -> int:
    """Clear faces of the one that the other does not have at all."""
    sure = one.boxes_xyxy[one.scores >= _SURE]
    return sum(all(_iou(box, candidate) < 0.5 for candidate in other.boxes_xyxy) for box in sure)


def _matches(one: Faces, other: Faces) -> Iterator[tuple[float, float]]:
    """IoU and landmark error of each clear face that both have."""
    for box, points, score in zip(one.boxes_xyxy, one.landmarks, one.scores, strict=True):
        ious = [_iou(box, candidate) for candidate in other.boxes_xyxy]
        if score >= _SURE and ious and max(ious) >= 0.5:
            theirs = other.landmarks[int(np.argmax(ious))]
            yield max(ious), float(np.hypot(*(theirs - points).T).max() / (box[2] - box[0]))


def _iou(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    common = np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0).prod()
    areas = (one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod()
    return float(common / max(areas - common, 1e-9))


def _refusal(name: str, drift: object, limit: str) -> ModelError:
    return ModelError(
        f"{name} does not give what it gives in fp32. It is not used.",
        saw=str(drift),
        fix=f"At least wanted: {limit}. Try another --precision or --backend; if its files were made here, make them "
        "again: python -m checkpoints.fetch.",
    )
