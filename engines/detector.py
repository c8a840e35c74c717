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

    def close(self) -> None:
        """Give the memory back; the detector cannot be used afterwards."""
