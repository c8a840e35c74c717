"""Faces with five landmarks, listed as text: for each picture a line `# NAME`, then a line for each of its faces.

    # 0--Parade/0_Parade_marchingband_1_849.jpg
    449 330 122 149 488.9 373.6 0.0 542.1 376.4 0.0 515.0 412.8 0.0 485.2 425.9 0.0 538.4 431.5 0.0 0.82

That is x y w h, then x y and a flag for each landmark, where −1 stands for unknown. What follows is not read, and a
line may end after the box.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError
from training.overlap import partners

_BOX, _WITH_LANDMARKS = 4, 19
_SAME_BOX_IOU = 0.5
_FORMAT = "A line # NAME for each picture, then for each face a line x y w h x1 y1 flag … x5 y5 flag."


@dataclass(frozen=True, slots=True)
class Points:
    """Of one picture, in its pixels.

    boxes_xyxy  (N, 4) float32
    landmarks   (N, 5, 2) float32, NaN where unknown
    """

    boxes_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]


def read(path: Path) -> Mapping[str, Points]:
    """Name of a picture → what is listed for it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The list of landmarks cannot be read.", saw=f"{path}: {error}") from error
    rows: dict[str, list[list[float]]] = {}
    name = None
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            name = line[1:].strip()
            rows.setdefault(name, [])
        elif line.strip():
            if name is None:
                raise _wrong(path, number, f"{line.strip()!r} before the name of a picture")
            rows[name].append(_row(path, number, line))
    if not rows:
        raise DataError("There is no picture in this list of landmarks.", saw=str(path), fix=_FORMAT)
    return {name: _points(faces) for name, faces in rows.items()}


def landmarks_for(boxes_xyxy: NDArray[np.float32], known: Points) -> NDArray[np.float32]:
    """(N, 5, 2) of the faces in these boxes, NaN for those that are not among the known ones."""
    found = np.full((len(boxes_xyxy), 5, 2), np.nan, np.float32)
    same = partners(boxes_xyxy, known.boxes_xyxy, _SAME_BOX_IOU)
    found[same >= 0] = known.landmarks[same[same >= 0]]
    return found


def _row(path: Path, number: int, line: str) -> list[float]:
    try:
        row = [float(word) for word in line.split()]
    except ValueError:
        row = []
    if (len(row) < _WITH_LANDMARKS and len(row) != _BOX) or not np.isfinite(row).all():
        raise _wrong(path, number, f"{line.strip()!r} where a face should be")
    unknown = [-1.0] * (_WITH_LANDMARKS - _BOX)
    return (row + unknown)[:_WITH_LANDMARKS]


def _points(faces: list[list[float]]) -> Points:
    rows = np.array(faces, np.float32).reshape(-1, _WITH_LANDMARKS)
    corners = rows[:, :2]
    landmarks = rows[:, _BOX:].reshape(-1, 5, 3)[:, :, :2].copy()
    landmarks[(landmarks < 0).all(axis=2).any(axis=1)] = np.nan
    return Points(np.hstack([corners, corners + rows[:, 2:_BOX]]), landmarks)


def _wrong(path: Path, number: int, saw: str) -> DataError:
    return DataError(
        "The landmarks are not in the format of such lists.", saw=f"{path}, line {number}: {saw}", fix=_FORMAT
    )
