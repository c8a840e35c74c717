"""What a runtime has to know to make an engine of a model file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from checkpoints.manifest import Colour, Layout, Manifest
from engines.options import Precision


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """name         for messages and file names: model and part
    model        the file, already checked against its manifest
    sha256       of the file
    batch        pictures per inference
    size_wh      of one picture
    input        name of the input tensor
    layout       of the model's own input; an engine always takes (N, H, W, 3) blue-green-red bytes
    colour       the order of the model's own input
    mean, scale  the model takes (value − mean) · scale, for each colour in its own order
    outputs      names of the wanted tensors, in the wanted order
    log_odds     those of the outputs that the model gives as softmax over (no, yes) and the engine as log(yes / no),
                 shape (…, 1): a softmax over two channels costs as much as two of P-Net's convolutions
    precision    the least precision that will do
    threads      for one inference
    pairs        the file rounds to int8 itself; in other precisions that is taken out
    """

    name: str
    model: Path
    sha256: str
    batch: int
    size_wh: tuple[int, int]
    input: str
    layout: Layout
    colour: Colour
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    outputs: tuple[str, ...]
    log_odds: tuple[str, ...]
    precision: Precision
    threads: int
    pairs: bool = False

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        width, height = self.size_wh
        return self.batch, height, width, 3

    def key(self, **machine: str) -> str:
        """The same for the same engine on the same machine; where the file lies does not matter."""
        content = asdict(self) | {"model": None, "machine": machine}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def engine_spec(
    manifest: Manifest,
    files: Mapping[str, Path],
    part: str,
    outputs: tuple[str, ...],
    *,
    batch: int,
    size_wh: tuple[int, int] | None = None,
    log_odds: tuple[str, ...] = (),
    precision: Precision,
    threads: int,
) -> EngineSpec:
    """`outputs` and `log_odds` are meanings as in the manifest; `size_wh` is needed where the model takes any size."""
    file = manifest.file(part)
    size_wh = size_wh or file.size_wh
    if size_wh is None:
        raise ValueError(f"{manifest.name}'s {part} takes any size: give one")
    return EngineSpec(
        name=f"{manifest.name}_{part}",
        model=files[part],
        sha256=file.int8.sha256 if precision == "int8" and file.int8 is not None else file.sha256,
        batch=batch,
        size_wh=size_wh,
        input=file.input,
        layout=manifest.layout,
        colour=manifest.colour,
        mean=manifest.mean,
        scale=manifest.scale,
        outputs=tuple(file.outputs[meaning] for meaning in outputs),
        log_odds=tuple(file.outputs[meaning] for meaning in log_odds),
        precision=precision,
        threads=threads,
        pairs=file.pairs,
    )
