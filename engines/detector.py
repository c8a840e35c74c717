"""What the program asks of a detector, whatever finds the faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engines.faces import Faces


class Detector(Protocol):
    def detect(self, images_bgr: Sequence[NDArray[np.uint8]]) -> list[Faces]:
        """The faces of each picture (H, W, 3); pictures may come from several cameras and differ in size.

        The same pictures give the same faces, however they are grouped into calls.
        """

    def refine(self, images_bgr: Sequence[NDArray[np.uint8]], boxes_xyxy: Sequence[NDArray[np.float32]]) -> list[Faces]:
        """The faces near the boxes (N, 4) of each picture, which were faces in the picture before it.

        Much less work than `detect` for a detector that can look at a place; one that cannot looks everywhere.
        """

    def close(self) -> None:
        """Give the memory back; the detector cannot be used afterwards."""
