"""Pictures on disk that are trained with: where they are, what is in them, which of them are broken."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})

_JPEG_START, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"


class Broken(Exception):
    """This file holds no whole picture; the message says why."""


def find(folder: Path) -> list[Path]:
    """All pictures in the folder and those below it, by name; DataError where there is none."""
    if not folder.is_dir():
        raise DataError("The folder with the pictures does not exist.", saw=str(folder))
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise DataError("There is no picture in this folder.", saw=str(folder), fix=f"It takes {_suffixes()}.")
    return found


def read(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) blue-green-red; Broken where there is none, or half of one."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise Broken("missing") from error
    except OSError as error:
        raise Broken(error.strerror or "cannot be read") from error
    if not content:
        raise Broken("the file is empty")
    if _cut_off(content):
        raise Broken("the JPEG is cut off")
    try:
        image_bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:  # a size beyond what OpenCV decodes
        raise Broken(f"cannot be decoded: {error.err}") from error
    if image_bgr is None:
        raise Broken("not a picture that can be decoded")
    return image_bgr.astype(np.uint8, copy=False)


def read_needed(path: Path, fix: str | None = None) -> NDArray[np.uint8]:
    """As `read`, but DataError where nothing can be done without the picture."""
    try:
        return read(path)
    except Broken as error:
        raise DataError("A picture cannot be read.", saw=f"{path}: {error}", fix=fix) from error


def _cut_off(content: bytes) -> bool:
    """OpenCV paints the missing part of a JPEG grey and says nothing, so its last marker is looked for here.

    Within the packed pixels no byte 255 is followed by that of a marker.
    """
    return content.startswith(_JPEG_START) and _JPEG_END not in content[max(content.rfind(_JPEG_SCAN), 0) :]


def _suffixes() -> str:
    return ", ".join(sorted(SUFFIXES))
