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
        """`engines` are of one network with different batches, one of them of a single face."""
        self._engines = sorted(engines, key=lambda engine: -engine.input_shape[0])
        if self._engines[-1].input_shape != (1, crop.size_px, crop.size_px, 3):
            raise ValueError(f"no engine takes a single crop of {crop.size_px} px")
        self.space = space
        self.dim = self._engines[0].output_shapes[0][-1]
        self.crop = crop
        self.match_threshold = match_threshold

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, S, S, 3) crops to (N, D) vectors of unit length."""
        vectors = np.empty((len(crops_bgr), self.dim), np.float32)
        done = 0
        while done < len(crops_bgr):
            left = len(crops_bgr) - done
            engine = next(engine for engine in self._engines if engine.input_shape[0] <= left)
            batch = np.s_[done : done + engine.input_shape[0]]
            vectors[batch] = engine.run(crops_bgr[batch])[0]
            done = batch.stop
        lengths = np.sqrt(np.sum(vectors * vectors, axis=1, keepdims=True))
        unit: NDArray[np.float32] = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
        return unit

    def close(self) -> None:
        for engine in self._engines:
            engine.close()
