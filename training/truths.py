"""Labelled pictures to measure with, in either of the two formats: `labels.jsonl`, or WIDER FACE's text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from checkpoints.errors import DataError
from training import labels, pictures, wider_face
from training.average_precision import lower_ignored
from training.wider_face import LabelledPicture


@dataclass(frozen=True, slots=True)
class Truth:
    """landmarks  (N, 5, 2) pixels, of the faces in `picture`; NaN where unknown"""

    path: Path
    picture: LabelledPicture
    landmarks: NDArray[np.float64]


def read(folder: Path) -> list[Truth]:
    if (folder / "labels.jsonl").is_file():
        return [
            Truth(
                each.image,
                LabelledPicture(each.image.name, each.boxes_xyxy.astype(np.float64), each.ignored),
                each.landmarks.astype(np.float64),
            )
            for each in labels.read(folder)
        ]
    return [
        Truth(wider_face.picture_path(folder, each), each, np.full((len(each.ignored), 5, 2), np.nan))
        for each in wider_face.read_folder(folder)
    ]


def of_height(truths: Sequence[Truth], least_px: float) -> list[Truth]:
    """The same, but lower faces need not be found; DataError where none is left."""
    high = [Truth(each.path, lower_ignored(each.picture, least_px), each.landmarks) for each in truths]
    if not face_count(high):
        raise DataError(
            "There is no face to be found in these pictures.",
            saw=f"{len(high)} pictures, faces of at least {least_px:g} px",
            fix="Give more pictures, or a lower --min-height.",
        )
    return high


def face_count(truths: Sequence[Truth]) -> int:
    """How many are to be found."""
    return sum(int(np.count_nonzero(~each.picture.ignored)) for each in truths)


def shown(truths: Sequence[Truth], what: str) -> Iterator[tuple[Truth, NDArray[np.uint8]]]:
    """Each with its picture (H, W, 3), blue-green-red."""
    for truth in tqdm(truths, desc=what, unit="", disable=None, leave=False):
        # Without it the figures would be about fewer pictures than they say.
        yield truth, pictures.read_needed(truth.path, "Put it there, or take it off the list.")
