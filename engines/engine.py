"""Tensors in, tensors out: all that the rest of the program knows of a runtime."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """One network at one fixed shape.

    Buffers belong to the engine. `input` is where a batch is written; `run` reads it there, and the arrays that it
    returns are views that hold until the next `run`: copy what has to live longer. Nothing is allocated per call.
    An engine serves one thread at a time.
    """

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(N, H, W, 3): uint8 pictures, blue-green-red; the network's own normalisation happens inside."""

    @property
    def output_names(self) -> tuple[str, ...]: ...

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]: ...

    @property
    def input(self) -> NDArray[np.uint8]:
        """The kept input buffer, of `input_shape`."""

    def run(self, batch: NDArray[np.uint8] | None = None) -> tuple[NDArray[np.float32], ...]:
        """Outputs in the order of `output_names`; `batch` is copied into `input` first when it is given."""

    def close(self) -> None: ...


def fill(buffer: NDArray[np.uint8], batch: NDArray[np.uint8]) -> None:
    """Copy a batch into an engine's input; nothing is stretched or converted on the way."""
    if batch.dtype != buffer.dtype:
        raise TypeError(f"pictures are {buffer.dtype}, these are {batch.dtype}")
    if batch.shape != buffer.shape:
        raise ValueError(f"the engine takes pictures of shape {buffer.shape}, these have {batch.shape}")
    np.copyto(buffer, batch)
