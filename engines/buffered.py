"""What the engines of all runtimes have in common: an input and outputs that are kept, a run, an end."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from engines.engine import fill
from engines.prepare import check_outputs
from engines.spec import EngineSpec


class BufferedEngine(ABC):
    """An Engine, but for how its runtime reads `input`, writes the outputs and gives back what it has taken."""

    def __init__(
        self, spec: EngineSpec, input_buffer: NDArray[np.uint8], outputs: tuple[NDArray[np.float32], ...]
    ) -> None:
        self._spec = spec
        self._input = input_buffer
        self._outputs = outputs
        self._is_open = True
        check_outputs(spec, self.output_shapes)

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        return self._spec.input_shape

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._spec.outputs

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        return tuple(output.shape for output in self._outputs)

    @property
    def input(self) -> NDArray[np.uint8]:
        return self._input

    def run(self, batch: NDArray[np.uint8] | None = None) -> tuple[NDArray[np.float32], ...]:
        if not self._is_open:
            raise ValueError(f"the engine {self._spec.name} is closed")
        if batch is not None:
            fill(self._input, batch)
        self._infer()
        return self._outputs

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._release()

    @abstractmethod
    def _infer(self) -> None:
        """From the input to the outputs, done when it returns."""

    @abstractmethod
    def _release(self) -> None:
        """Called once, and nothing after it."""
