"""Labelled faces in the text format of WIDER FACE: a folder with `images/` and `gt.txt`.

Training and measuring read the same files, so this is the one reader of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError

_COLUMNS = 10
_INVALID = 7
_FORMAT = (
    "For each picture: a line with its name, a line with the number of its faces, then for each face a line\n"
    "x y w h blur expression illumination invalid occlusion pose. After a 0 one line of zeros may follow."
)


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """name        of the file, as a path from the folder `images`
    boxes_xyxy  (N, 4) float64, pixels
    ignored     (N,) those of them that are neither to be found nor to be left out: too small, too blurred
    """

    name: str
    boxes_xyxy: NDArray[np.float64]
    ignored: NDArray[np.bool_]


def picture_path(folder: Path, picture: LabelledPicture) -> Path:
    return folder / "images" / picture.name


def read_folder(folder: Path) -> list[LabelledPicture]:
    """What `gt.txt` says about the pictures in `images/`; DataError where one of the two is missing."""
    if not folder.is_dir():
        raise DataError("The folder with the labelled pictures does not exist.", saw=f"--data {folder}")
    for name, there in (("gt.txt", Path.is_file), ("images", Path.is_dir)):
        if not there(folder / name):
            raise DataError(
                f"The folder with the labelled pictures has no {name}.",
                saw=f"--data {folder}",
                fix="It must hold images/ and gt.txt, the boxes in the text format of WIDER FACE.",
            )
    return read_labels(folder / "gt.txt")


def read_labels(path: Path) -> list[LabelledPicture]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The labels of the pictures cannot be read.", saw=f"{path}: {error}") from error
    pictures = list(_pictures(path, lines))
    if not pictures:
        raise DataError("There is no picture in this list of labels.", saw=str(path), fix=_FORMAT)
    return pictures


def _pictures(path: Path, lines: list[str]) -> Iterator[LabelledPicture]:
    at, seen = 0, set()
    while at < len(lines):
        name = lines[at].strip()
        if not name:  # an empty line between two pictures, or at the end
            at += 1
            continue
        if name in seen:
            raise _wrong(path, at, f"{name} a second time")
        seen.add(name)
        count = lines[at + 1].strip() if at + 1 < len(lines) else ""
        if not count.isdecimal():
            raise _wrong(path, at + 1, f"{count!r} where the number of faces should be")
        first = at + 2
        rows = np.array([_row(path, lines, first + n) for n in range(int(count))], np.float64).reshape(-1, _COLUMNS)
        at = first + len(rows)
        if len(rows) == 0 and at < len(lines) and lines[at].split() == ["0"] * _COLUMNS:
            at += 1
        corners = rows[:, :2]
        yield LabelledPicture(name, np.hstack([corners, corners + rows[:, 2:4]]), rows[:, _INVALID] > 0)


def _row(path: Path, lines: list[str], at: int) -> list[float]:
    if at >= len(lines):
        raise _wrong(path, at, "the end of the file where a face should be")
    try:
        row = [float(word) for word in lines[at].split()]
    except ValueError:
        row = []
    if len(row) != _COLUMNS or not np.isfinite(row).all():
        raise _wrong(path, at, f"{lines[at].strip()!r} where the {_COLUMNS} numbers of a face should be")
    return row


def _wrong(path: Path, at: int, saw: str) -> DataError:
    return DataError(
        "The labels are not in the text format of WIDER FACE.", saw=f"{path}, line {at + 1}: {saw}", fix=_FORMAT
    )
