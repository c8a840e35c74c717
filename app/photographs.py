"""Photographs, on disk or sent: which ones are meant, what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import EnrolmentError

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True, slots=True)
class Photograph:
    """image_bgr  (H, W, 3), upright as its EXIF tag says
    sha256     of the file
    """

    image_bgr: NDArray[np.uint8]
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """A picture that came over the network. name: what it is called, for people; it is no place on a disk."""

    name: str
    content: bytes

    def __str__(self) -> str:
        return self.name


Source = Path | Sent


class Unreadable(Exception):
    """This file holds no photograph; the message says why."""


def find(paths: Sequence[Path]) -> list[Path]:
    """The files that are meant, each once, those of a folder by name; EnrolmentError for paths that hold nothing."""
    found: dict[Path, None] = {}
    problems = []
    for path in paths:
        try:
            files = (
                [path] if path.is_file() else sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
            )
        except OSError as error:
            problems.append(f"{path}: {error.strerror}")
            continue
        if not files:
            problems.append(f"{path}: no pictures in this folder ({', '.join(sorted(SUFFIXES))})")
        found.update(dict.fromkeys(files))
    if problems:
        raise EnrolmentError(
            "These pictures cannot be found.", saw="\n".join(problems), fix="name image files, or folders of them"
        )
    return list(found)


def read(source: Source) -> Photograph:
    if isinstance(source, Sent):
        return decoded(source.content)
    try:
        return decoded(source.read_bytes())
    except OSError as error:
        raise Unreadable(error.strerror or "cannot be read") from error


def decoded(content: bytes) -> Photograph:
    if not content:
        raise Unreadable("the file is empty")
    try:
        image_bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:  # a size beyond what OpenCV decodes
        raise Unreadable(f"cannot be decoded: {error.err}") from error
    if image_bgr is None:
        raise Unreadable("not a picture that can be decoded")
    return Photograph(image_bgr.astype(np.uint8, copy=False), hashlib.sha256(content).hexdigest())
