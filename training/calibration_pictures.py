"""What a model's networks are shown at run time, made from ordinary pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.align import align
from engines.engine import Engine
from engines.faces import Faces
from engines.load import crop_spec, load_detector, opener
from engines.options import EngineOptions
from training.pictures import read_needed

Shown = tuple[str, NDArray[np.uint8]]
"""A part of the model, and the pictures (N, H, W, 3) that it sees."""


def crops(paths: Sequence[Path], config: EngineOptions) -> Iterator[list[Shown]]:
    """For each picture the face nearest its middle as the embedder sees it; none where no face is found."""
    spec = crop_spec(config)
    detector = load_detector(config, size_wh=_size_wh(paths))
    try:
        for path in paths:
            image_bgr = read_needed(path)
            faces = detector.detect([image_bgr])[0]
            landmarks = faces.landmarks[_middle_one(faces, image_bgr)]
            yield [("net", align(image_bgr, landmarks, spec))] if len(faces) else []
    finally:
        detector.close()


def looks(paths: Sequence[Path], config: EngineOptions) -> Iterator[list[Shown]]:
    """For each picture all that the detector's networks see of it: P-Net canvases, R-Net and O-Net candidates."""
    seen: list[Shown] = []
    open_engine = opener(config)
    detector = load_detector(
        config,
        size_wh=_size_wh(paths),
        open_engine=lambda spec: _Witness(open_engine(spec), spec.name.removeprefix(f"{config.detector}_"), seen),
    )
    try:
        for path in paths:
            detector.detect([read_needed(path)])
            yield seen
            seen.clear()
    finally:
        detector.close()


class _Witness:
    """An engine that writes down what it is shown."""

    def __init__(self, engine: Engine, part: str, seen: list[Shown]) -> None:
        self._engine = engine
        self._part = part
        self._seen = seen

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self._engine.input_shape

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._engine.output_names

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        return self._engine.output_shapes

    @property
    def input(self) -> NDArray[np.uint8]:
        return self._engine.input

    def run(self, batch: NDArray[np.uint8] | None = None) -> tuple[NDArray[np.float32], ...]:
        results = self._engine.run(batch)
        self._seen.append((self._part, self._engine.input.copy()))
        return results

    def close(self) -> None:
        self._engine.close()


def _size_wh(paths: Sequence[Path]) -> tuple[int, int]:
    height, width, _ = read_needed(paths[0]).shape
    return width, height


def _middle_one(faces: Faces, image_bgr: NDArray[np.uint8]) -> NDArray[np.intp]:
    middle = np.array(image_bgr.shape[1::-1]) / 2
    centres = (faces.boxes_xyxy[:, :2] + faces.boxes_xyxy[:, 2:]) / 2
    return np.argsort(np.linalg.norm(centres - middle, axis=1))[:1]
