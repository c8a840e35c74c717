"""A picture to learn from, in memory, and what is known about its faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.labels import Labelled
from training.pictures import read_needed


@dataclass(frozen=True, slots=True)
class Scene:
    """image_bgr   (H, W, 3) uint8
    boxes_xyxy  (N, 4) float32, pixels
    landmarks   (N, 5, 2) float32, NaN where unknown
    ignored     (N,) bool: perhaps faces, not to be learned as anything
    """

    image_bgr: NDArray[np.uint8]
    boxes_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    ignored: NDArray[np.bool_]


def as_it_is(labelled: Labelled) -> Scene:
    image_bgr = read_needed(labelled.image, "Put it there again, or label what is there with training.prepare.")
    return Scene(image_bgr, labelled.boxes_xyxy, labelled.landmarks, labelled.ignored)
