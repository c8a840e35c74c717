"""Goes through pictures and writes down what is known about each; what cannot be read is left out and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from checkpoints.errors import DataError
from training import pictures
from training.label_writer import Writer
from training.labels import Labelled, Marks
from training.pictures import Broken

MarksOf = Callable[[Path, NDArray[np.uint8]], Marks]
"""Says what is known about the picture at a path, (H, W, 3) blue-green-red."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A picture that cannot be read, and why."""

    path: Path
    why: str


def label(paths: Sequence[Path], writer: Writer, marks_of: MarksOf) -> list[LeftOut]:
    """Adds those that are not among the labels yet; then the labels are whole."""
    left_out: list[LeftOut] = []
    for path, image_bgr in readable([path for path in paths if writer.name(path) not in writer.done], left_out):
        writer.add(Labelled.of(path, (image_bgr.shape[1], image_bgr.shape[0]), marks_of(path, image_bgr)))
    if not writer.done:
        raise DataError(
            "None of these pictures can be read.", saw=f"{len(left_out)} broken ones, {paths[0]} is the first"
        )
    writer.finish()
    return left_out


def readable(paths: Sequence[Path], left_out: list[LeftOut]) -> Iterator[tuple[Path, NDArray[np.uint8]]]:
    """The pictures that can be read; the others are added to `left_out`."""
    for path in tqdm(paths, desc="pictures", unit="", disable=None):
        try:
            image_bgr = pictures.read(path)
        except Broken as error:
            left_out.append(LeftOut(path, str(error)))
            continue
        yield path, image_bgr
