"""Labelled pictures in the one format that training reads: a folder with `labels.jsonl`.

Its first line tells the version and the folder of the pictures, absolute or from here; each other line is one picture:

    {"labels": 1, "images": "/data/people", "made": "…"}
    {"image": "Ann/1.jpg", "width": 250, "height": 250, "faces": [
        {"box": [x1, y1, x2, y2], "landmarks": [[x, y], … five …] or null, "ignored": false}]}

A folder with `labels.jsonl` is whole: `training.label_writer` puts it there when all is done.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError

VERSION = 1
NAME, PART = "labels.jsonl", "labels.part.jsonl"


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
        part = folder / PART
        raise DataError(
            "The labels of these pictures are not finished." if part.is_file() else "There are no labels here.",
            saw=f"no file {path}",
            fix="Run python -m training.prepare again: it goes on from there."
            if part.is_file()
            else "Make them with python -m training.prepare.",
        )
    first, *lines = _lines(path) or [""]
    images = folder / header(path, first)["images"]
    return [_labelled(path, number, line, images) for number, line in enumerate(lines, start=2)]


def are_of(folder: Path, images: Path) -> bool:
    """Whether whole labels lie there, and of these pictures."""
    path = folder / NAME
    return path.is_file() and header(path, next(iter(_lines(path)), ""))["images"] == str(images.absolute())


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The labels cannot be read.", saw=f"{path}: {error}") from error


def header(path: Path, line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except json.JSONDecodeError:
        content = None
    if not isinstance(content, dict) or content.get("labels") != VERSION or not isinstance(content.get("images"), str):
        raise DataError(
            "This file does not begin as labels do.",
            saw=f"{path}, line 1: {line[:80]}",
            fix=f'It should be {{"labels": {VERSION}, "images": FOLDER, …}}: python -m training.prepare makes them.',
        )
    return content


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
        _check(marks, size_wh := (int(picture["width"]), int(picture["height"])))
        return Labelled.of(images / picture["image"], size_wh, marks)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            "A line of the labels does not tell a picture and its faces.", saw=f"{path}, line {number}: {error!r}"
        ) from error


def _check(marks: Marks, size_wh: tuple[int, int]) -> None:
    """ValueError where nothing can be learnt from a box; what is to be ignored may be as small as it likes."""
    corners, opposite = marks.boxes_xyxy[:, :2], marks.boxes_xyxy[:, 2:]
    without = np.any(opposite <= corners, axis=1) & ~marks.ignored
    outside = np.any((corners >= size_wh) | (opposite <= 0), axis=1) & ~marks.ignored
    for what, wrong in (
        ("of numbers that are none", ~np.isfinite(marks.boxes_xyxy).all(axis=1)),
        ("without a size", without),
        (f"outside the picture of {size_wh[0]}×{size_wh[1]}", outside),
    ):
        if wrong.any():
            raise ValueError(f"the box {marks.boxes_xyxy[wrong][0].tolist()} {what}")
