"""Pictures with a list of boxes: what of it is fit to learn from, and which landmarks are known elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError
from training.labels import Marks
from training.landmark_list import Points, landmarks_for
from training.wider_face import LabelledPicture, read_labels

_LEAST_SIDE_PX = 8  # neither eyes nor a mouth can be told apart any more

PointsOf = Callable[[str, NDArray[np.uint8]], Points | None]
"""The faces whose landmarks are known, of the picture of this name, (H, W, 3) blue-green-red."""


@dataclass(slots=True)
class Oddities:
    """What was put right while boxes were read: how often which, and where."""

    counts: Counter[str] = field(default_factory=Counter)
    places: list[str] = field(default_factory=list)

    def add(self, kind: str, name: str, boxes_xyxy: NDArray[np.float64]) -> None:
        self.counts[kind] += len(boxes_xyxy)
        self.places += [f"{name}: {kind}: {', '.join(f'{edge:g}' for edge in box)}" for box in boxes_xyxy]


class Listed:
    """Says what a list knows about pictures below a folder, and keeps count of what was odd about it."""

    def __init__(self, known: Sequence[LabelledPicture], images: Path, points_of: PointsOf) -> None:
        self._known: Mapping[Path, LabelledPicture] = {images / picture.name: picture for picture in known}
        self._points_of = points_of
        self.oddities = Oddities()

    def marks(self, path: Path, image_bgr: NDArray[np.uint8]) -> Marks:
        picture = self._known[path]
        marks = tidied(picture, (image_bgr.shape[1], image_bgr.shape[0]), self.oddities)
        points = self._points_of(picture.name, image_bgr)
        return marks if points is None else replace(marks, landmarks=landmarks_for(marks.boxes_xyxy, points))


def read(path: Path) -> list[LabelledPicture]:
    """The list in either of the two forms in which WIDER FACE is published."""
    if path.suffix == ".mat":
        from training.wider_mat import read_mat  # scipy is needed for nothing else here

        return read_mat(path)
    return read_labels(path)


def tidied(picture: LabelledPicture, size_wh: tuple[int, int], oddities: Oddities) -> Marks:
    """Boxes without a size or outside the picture are left out, others clipped to it; no landmarks are known.

    Faces that are too small are ignored rather than left out: nobody should learn that they are none.
    """
    boxes, ignored = picture.boxes_xyxy, picture.ignored
    empty = np.any(boxes[:, 2:] <= boxes[:, :2], axis=1)
    # A picture without faces is listed with one box of zeros.
    oddities.add("no size", picture.name, boxes[empty & boxes.any(axis=1)])
    boxes, ignored = boxes[~empty], ignored[~empty]
    clipped = np.clip(boxes, 0, np.tile(size_wh, 2))
    outside = np.any(clipped[:, 2:] <= clipped[:, :2], axis=1)
    oddities.add("outside the picture", picture.name, boxes[outside])
    oddities.add("clipped", picture.name, boxes[~outside & np.any(clipped != boxes, axis=1)])
    clipped, ignored = clipped[~outside], ignored[~outside]
    tiny = np.any(clipped[:, 2:] - clipped[:, :2] < _LEAST_SIDE_PX, axis=1)
    unknown = np.full((len(clipped), 5, 2), np.nan, np.float32)
    return Marks(clipped.astype(np.float32), unknown, ignored | tiny)


def missing_ones(pictures: Sequence[LabelledPicture], images: Path) -> list[str]:
    """The names of the pictures that are missing; DataError where there are none at all."""
    if not images.is_dir():
        raise DataError("The folder with the pictures does not exist.", saw=str(images))
    missing = [picture.name for picture in pictures if not (images / picture.name).is_file()]
    if len(missing) == len(pictures):
        raise DataError(
            "None of the listed pictures is in this folder.",
            saw=f"no {images / missing[0]}",
            fix="Give the folder in which the listed names begin; for WIDER FACE: WIDER_train/images.",
        )
    return missing
