"""Pieces of pictures that a network learns from, in files that are mapped into memory and may be larger than it.

A folder holds `samples.json` and four files of plain numbers that only ever grow; the JSON says how much of them
counts, so a writer that was killed goes on behind the last batch that was whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError, OutputError
from training import whole_file
from training.shapes import WINDOW_PX, Part

NEGATIVE, PART, POSITIVE, LANDMARK = range(4)
KINDS = ("negative", "part", "positive", "landmark")

_HEADER = "samples.json"


@dataclass(frozen=True, slots=True)
class Pieces:
    """pictures   (N, S, S, 3) uint8, blue-green-red
    kinds      (N,) uint8: NEGATIVE, PART, POSITIVE, LANDMARK
    offsets    (N, 4) float32: from the piece's edges to the face's, in sides of the piece; 0 for negatives
    landmarks  (N, 10) float32: x1 … x5, y1 … y5 in sides of the piece; NaN where nobody knows
    """

    pictures: NDArray[np.uint8]
    kinds: NDArray[np.uint8]
    offsets: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.pictures)
        shapes = (self.kinds.shape, self.offsets.shape, self.landmarks.shape)
        if self.pictures.ndim != 4 or shapes != ((count,), (count, 4), (count, 10)):
            raise ValueError(f"{self.pictures.shape} pictures do not go with {shapes}")

    def __len__(self) -> int:
        return len(self.pictures)

    def at(self, indices: NDArray[np.intp]) -> Pieces:
        return Pieces(self.pictures[indices], self.kinds[indices], self.offsets[indices], self.landmarks[indices])


def joined(several: Sequence[Pieces]) -> Pieces:
    return Pieces(*(np.concatenate([getattr(each, name) for each in several]) for name in _COLUMNS))


_COLUMNS = ("pictures", "kinds", "offsets", "landmarks")


def _column_shape(name: str, part: Part) -> tuple[tuple[int, ...], np.dtype[Any]]:
    side = WINDOW_PX[part]
    columns: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {
        "pictures": ((side, side, 3), np.dtype(np.uint8)),
        "kinds": ((), np.dtype(np.uint8)),
        "offsets": ((4,), np.dtype(np.float32)),
        "landmarks": ((10,), np.dtype(np.float32)),
    }
    return columns[name]


def _bytes_each(name: str, part: Part) -> int:
    shape, dtype = _column_shape(name, part)
    return int(np.prod(shape)) * dtype.itemsize


def is_complete(folder: Path, part: Part) -> bool:
    """DataError where they are of another network."""
    return (folder / _HEADER).is_file() and bool(_header_of(folder, part)["complete"])


def open_samples(folder: Path, part: Part) -> Pieces:
    """All samples of a folder, mapped; DataError where they are not there, not complete or of another network."""
    if not (folder / _HEADER).is_file():
        raise DataError("There are no samples.", saw=f"no file {folder / _HEADER}", fix="Run training.mine first.")
    header = _header_of(folder, part)
    if not header["complete"]:
        raise DataError("The samples are not complete.", saw=str(folder), fix="Run training.mine again: it goes on.")
    count = int(header["count"])
    if not count:
        raise DataError("There is not a single sample.", saw=str(folder), fix="Mine from more pictures.")
    return Pieces(*(_mapped(folder, name, part, count) for name in _COLUMNS))


class SampleWriter:
    """Appends pieces. `done` counts what the pieces were made of (pictures, scenes), for whoever goes on later."""

    def __init__(self, folder: Path, part: Part, made_by: Mapping[str, object]) -> None:
        """`made_by` must be the same when a writer goes on: samples made by two rules are not mixed."""
        self._folder, self._part, self._made_by = folder, part, json.loads(json.dumps(dict(made_by)))
        self.count = self.done = 0
        if (folder / _HEADER).is_file():
            header = _header(folder)
            if (header["part"], header["made_by"]) != (part, self._made_by):
                raise DataError(
                    "There are samples already, made otherwise.",
                    saw=f"{folder}: {header['part']}, {json.dumps(header['made_by'])}",
                    fix="Remove that folder, or give another one.",
                )
            self.count, self.done = int(header["count"]), int(header["done"])
        sizes = [self.count * _bytes_each(name, part) for name in _COLUMNS]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            paths = [folder / f"{name}.raw" for name in _COLUMNS]
            for path, size in zip(paths, sizes, strict=True):
                if size and (there := path.stat().st_size if path.is_file() else 0) < size:
                    raise _lost(path, there, size)
            self._files = [path.open("ab") for path in paths]
            for file, size in zip(self._files, sizes, strict=True):
                file.truncate(size)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def append(self, pieces: Pieces, done: int) -> None:
        try:
            for name, file in zip(_COLUMNS, self._files, strict=True):
                file.write(np.ascontiguousarray(getattr(pieces, name)).data)
                file.flush()
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        self.count += len(pieces)
        self.done = done
        self._tell(complete=False)

    def finish(self) -> None:
        self._tell(complete=True)

    def close(self) -> None:
        try:
            for file in self._files:
                file.close()
        except OSError as error:  # what could not be written before is tried again
            raise _unwritable(self._folder, error) from error

    def _tell(self, *, complete: bool) -> None:
        header = {
            "part": self._part,
            "count": self.count,
            "done": self.done,
            "complete": complete,
            "made_by": self._made_by,
        }
        whole_file.write(self._folder / _HEADER, json.dumps(header, indent=1).encode())


def _header_of(folder: Path, part: Part) -> dict[str, Any]:
    header = _header(folder)
    if header["part"] != part:
        raise DataError("The samples are for another network.", saw=f"{folder}: {header['part']}", fix=f"want: {part}")
    return header


def _header(folder: Path) -> dict[str, Any]:
    try:
        header = json.loads((folder / _HEADER).read_text(encoding="utf-8"))
        if not isinstance(header, dict) or {"part", "count", "done", "complete", "made_by"} - set(header):
            raise ValueError("keys are missing")
    except (OSError, ValueError) as error:
        raise DataError("What is said about the samples cannot be read.", saw=f"{folder / _HEADER}: {error}") from error
    return header


def _unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        "Samples cannot be written.",
        saw=f"{folder}: {error.strerror}",
        fix="Make room, then run the same command again: it goes on.",
    )


def _lost(path: Path, size: int, wanted: int) -> DataError:
    saw, fix = f"{path}: {size} bytes of {wanted}", "Remove that folder, and mine again."
    return DataError("Samples that were there are gone.", saw=saw, fix=fix)


def _mapped(folder: Path, name: str, part: Part, count: int) -> np.memmap[Any, np.dtype[Any]]:
    shape, dtype = _column_shape(name, part)
    try:
        return np.memmap(folder / f"{name}.raw", dtype, "r", shape=(count, *shape))
    except (OSError, ValueError) as error:
        raise DataError("The samples cannot be read.", saw=f"{folder / name}.raw: {error}") from error
