"""What a detector says about one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of one picture, best first; pixels of that picture.

    boxes_xyxy  (N, 4) float32
    scores      (N,) float32, 0…1
    landmarks   (N, 5, 2) float32: eye on the picture's left, eye on its right, nose, mouth corner left, right
    """

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.boxes_xyxy.shape != (count, 4) or self.landmarks.shape != (count, 5, 2):
            raise ValueError(f"boxes {self.boxes_xyxy.shape} and landmarks {self.landmarks.shape} for {count} scores")

    def __len__(self) -> int:
        return len(self.scores)

    @staticmethod
    def none() -> Faces:
        return Faces(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
