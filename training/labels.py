"""Labelled pictures in the one format that training reads: a folder with `labels.jsonl`.

Its first line tells the version and the folder of the pictures, absolute or from here; each other line is one picture:

    {"labels": 1, "images": "/data/people", "made": "…"}
    {"image": "Ann/1.jpg", "width": 250, "height": 250, "faces": [
        {"box": [x1, y1, x2, y2], "landmarks": [[x, y], … five …] or null, "ignored": false}]}

While the labels are being made they lie in `labels.part.jsonl`, a line for each picture that is done. So who is
interrupted goes on from there, and a folder with `labels.jsonl` is whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError, OutputError

VERSION = 1
NAME, _PART = "labels.jsonl", "labels.part.jsonl"


@dataclass(frozen=True, slots=True)
class Marks:
    """What is known about the faces of one picture, in its pixels.

    boxes_xyxy  (N, 4) float32
    landmarks   (N, 5, 2) float32, NaN where unknown: eye on the picture's left, on its right, nose, mouth left, right
    ignored     (N,) bool: perhaps faces, neither to be learned as faces nor as anything else
    """

    boxes_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    ignored: NDArray[np.bool_]

    def __post_init__(self) -> None:
        count = len(self.ignored)
        if self.boxes_xyxy.shape != (count, 4) or self.landmarks.shape != (count, 5, 2):
            raise ValueError(f"boxes {self.boxes_xyxy.shape} and landmarks {self.landmarks.shape} for {count} faces")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture with its faces; see `Marks` for the arrays.

    image    absolute
    size_wh  pixels
    """

    image: Path
    size_wh: tuple[int, int]
    boxes_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    ignored: NDArray[np.bool_]

    @staticmethod
    def of(image: Path, size_wh: tuple[int, int], marks: Marks) -> Labelled:
        return Labelled(image.absolute(), size_wh, marks.boxes_xyxy, marks.landmarks, marks.ignored)


def read(folder: Path) -> list[Labelled]:
    """DataError where the labels are missing, not yet whole, or not in this format."""
    path = folder / NAME
    if not path.is_file():
        part = folder / _PART
        raise DataError(
            "The labels of these pictures are not finished." if part.is_file() else "There are no labels here.",
            saw=f"no file {path}",
            fix="Run python -m training.prepare again: it goes on from there."
            if part.is_file()
            else "Make them with python -m training.prepare.",
        )
    header, *lines = _lines(path) or [""]
    images = folder / _header(path, header)["images"]
    return [_labelled(path, number, line, images) for number, line in enumerate(lines, start=2)]


def write(folder: Path, images: Path, items: Iterable[Labelled], made: str = "") -> None:
    """All at once, in place of what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _PART).unlink(missing_ok=True)
    (folder / NAME).unlink(missing_ok=True)
    with Writer(folder, images, made) as writer:
        for item in items:
            writer.add(item)
        writer.finish()


class Writer:
    """Adds pictures to the labels of a folder, after those that an earlier run has left there.

    done  the names of the pictures that are there, as paths below `images`
    """

    def __init__(self, folder: Path, images: Path, made: str) -> None:
        """`made` says how the labels came about; labels that were made otherwise are not mixed with these."""
        self._folder, self._images = folder, images.absolute()
        self._part = folder / _PART
        self.done: set[str] = set()
        header = {"labels": VERSION, "images": str(self._images), "made": made}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / NAME).is_file() and not self._part.is_file():
                shutil.copyfile(folder / NAME, self._part)
            lines = _whole_lines(self._part)
            if len(lines) == 1 and _header(self._part, lines[0]) != header:  # of a run that came to nothing
                self._part.unlink()
                lines = []
            if lines and _header(self._part, lines[0]) != header:
                raise _made_otherwise(folder, lines[0], json.dumps(header))
            self.done = {str(json.loads(line)["image"]) for line in lines[1:]}
            self._stream = self._part.open("ab", buffering=0)
        except OSError as error:
            raise _unwritable(self._part, error) from error
        if not lines:
            self._begin(header)

    def name(self, image: Path) -> str:
        return image.absolute().relative_to(self._images).as_posix()

    def add(self, item: Labelled) -> None:
        faces = [
            {
                "box": [round(float(edge), 2) for edge in box],
                "landmarks": None
                if np.isnan(points).any()
                else [[round(float(x), 2), round(float(y), 2)] for x, y in points],
                "ignored": bool(ignored),
            }
            for box, points, ignored in zip(item.boxes_xyxy, item.landmarks, item.ignored, strict=True)
        ]
        width, height = item.size_wh
        name = self.name(item.image)
        self._line({"image": name, "width": width, "height": height, "faces": faces})
        self.done.add(name)

    def finish(self) -> None:
        """Nothing is missing any more: from now on the folder can be read."""
        try:
            os.fsync(self._stream.fileno())
            self._part.replace(self._folder / NAME)
        except OSError as error:
            raise _unwritable(self._folder / NAME, error) from error

    def _begin(self, header: object) -> None:
        try:
            self._line(header)
        except OutputError:
            self._stream.close()
            raise

    def _line(self, value: object) -> None:
        left = json.dumps(value).encode() + b"\n"
        try:
            while left:  # of a disk that is nearly full only a part may be taken
                left = left[self._stream.write(left) :]
        except OSError as error:
            raise _unwritable(self._part, error) from error

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.close()


def _whole_lines(path: Path) -> list[str]:
    """Without one that a killed run has left half written: it is cut off from the file."""
    if not path.is_file():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    return whole.decode("utf-8").splitlines()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The labels cannot be read.", saw=f"{path}: {error}") from error


def _header(path: Path, line: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except json.JSONDecodeError:
        header = None
    if not isinstance(header, dict) or header.get("labels") != VERSION or not isinstance(header.get("images"), str):
        raise DataError(
            "This file does not begin as labels do.",
            saw=f"{path}, line 1: {line[:80]}",
            fix=f'It should be {{"labels": {VERSION}, "images": FOLDER, …}}: python -m training.prepare makes them.',
        )
    return header


def _labelled(path: Path, number: int, line: str, images: Path) -> Labelled:
    try:
        picture = json.loads(line)
        faces = picture["faces"]
        unknown = [[np.nan, np.nan]] * 5
        marks = Marks(
            np.array([face["box"] for face in faces], np.float32).reshape(-1, 4),
            np.array([face["landmarks"] or unknown for face in faces], np.float32).reshape(-1, 5, 2),
            np.array([face["ignored"] for face in faces], np.bool_),
        )
        return Labelled.of(images / picture["image"], (picture["width"], picture["height"]), marks)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            "A line of the labels does not tell a picture and its faces.", saw=f"{path}, line {number}: {error!r}"
        ) from error


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        "The labels cannot be written.",
        saw=f"{path}: {error.strerror or error}",
        fix="Is there room on the disk, and may you write there? The same command goes on from what is there.",
    )


def _made_otherwise(folder: Path, there: str, wanted: str) -> DataError:
    return DataError(
        "The labels in this folder were made in another way, or of other pictures.",
        saw=f"{folder}: {there}\nwanted: {wanted}",
        fix="Give another --out, or delete that folder.",
    )
