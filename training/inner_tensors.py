"""A network that also gives out the tensors inside it which int8 would have to hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoints import onnx_file
from checkpoints.fold import fold
from checkpoints.onnx_file import Value
from checkpoints.quantise import activations, int8_layers
from engines.engine import Engine
from engines.models import OpenEngine
from engines.spec import EngineSpec


class InnerTensors:
    """Runs in fp32; one engine for each size of picture that comes."""

    def __init__(self, spec: EngineSpec, left: Iterable[str], scratch: Path, open_engine: OpenEngine) -> None:
        """`spec` as for the plain network; layers in `left` stay in floating point; `scratch` takes a file."""
        network = onnx_file.read(spec.model.read_bytes())
        fold(network)
        self._leaders = activations(network, int8_layers(network, left))
        network.outputs = [Value(name, ("N",)) for name in self._leaders]
        path = scratch / f"{spec.name}_inner.onnx"
        path.write_bytes(raw := onnx_file.write(network))
        outputs = tuple(self._leaders)
        sha256 = hashlib.sha256(raw).hexdigest()
        self._spec = replace(spec, model=path, sha256=sha256, outputs=outputs, log_odds=(), precision="fp32")
        self._open_engine = open_engine
        self._engines: dict[tuple[int, ...], Engine] = {}

    def run(self, pictures_bgr: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Under whose name the range is listed, and the numbers that it has to hold; (N, H, W, 3) go in."""
        shape = pictures_bgr.shape
        if shape not in self._engines:
            spec = replace(self._spec, batch=shape[0], size_wh=(shape[2], shape[1]))
            self._engines[shape] = self._open_engine(spec)
        return zip(self._leaders.values(), self._engines[shape].run(pictures_bgr), strict=True)

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()
