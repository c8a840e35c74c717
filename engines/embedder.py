"""From aligned crops to vectors of unit length that lie close together for one person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engines.align import CropSpec
from engines.engine import Engine


class Embedder:
    """space            name@sha256 of the model: vectors of different spaces must not be compared
    dim              length of a vector
    crop             how faces are to be aligned for it
    match_threshold  cosine from which two faces count as one person
    """

    def __init__(self, engines: Sequence[Engine], *, space: str, crop: CropSpec, match_threshold: float) -> None:
        self.space = space
        self.crop = crop
        self.match_threshold = match_threshold
        self.dim = 0
        self._engines = tuple(engines)

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, S, S, 3) crops to (N, D) vectors of unit length."""
        raise NotImplementedError

    def close(self) -> None:
        for engine in self._engines:
            engine.close()
