"""Boxes and names onto a picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import lettering
from pipeline.messages import NamedFace, State

_COLOURS_BGR: dict[State, tuple[int, int, int]] = {
    "known": (80, 200, 60),
    "unknown": (60, 90, 235),
    "undecided": (190, 190, 190),
}
_INK_BGR = (20, 20, 20)
_CHOSEN_BGR = (255, 255, 255)


def draw(
    image_bgr: NDArray[np.uint8],
    faces: Sequence[NamedFace],
    expected: Sequence[NamedFace] = (),
    *,
    chosen: int | None = None,
) -> None:
    """In place. Faces that are only expected here look no different: boxes should not flicker. `chosen`: a track."""
    thick = max(1, round(min(image_bgr.shape[:2]) / 360))
    for face in (*expected, *faces):
        corners = _corners(face)
        if face.track == chosen:
            cv2.rectangle(image_bgr, *_grown(corners, thick), _CHOSEN_BGR, thick)
        cv2.rectangle(image_bgr, *corners, _COLOURS_BGR[face.state], thick)
        _draw_label(image_bgr, label(face), corners, _COLOURS_BGR[face.state], thick)


def label(face: NamedFace) -> str:
    return f"{face.name} {face.score:.2f}" if face.state == "known" else f"{face.state} #{face.track}"


def letters_px(image_bgr: NDArray[np.uint8]) -> int:
    """How high letters should be on a picture of this size."""
    height, width = image_bgr.shape[:2]
    return max(12, int(min(height, width)) // 36)


def _draw_label(
    image_bgr: NDArray[np.uint8],
    text: str,
    corners: tuple[tuple[int, int], tuple[int, int]],
    colour: lettering.Colour,
    thick: int,
) -> None:
    (x1, y1), (_, y2) = corners
    px = letters_px(image_bgr)
    across, high = lettering.width_of(text, px) + 2 * thick, lettering.line_px(px)
    top = y1 - high if y1 >= high else y2  # below the box where there is no room above
    left = max(0, min(x1, image_bgr.shape[1] - across))
    cv2.rectangle(image_bgr, (left, top), (left + across, top + high), colour, cv2.FILLED)
    lettering.write(image_bgr, text, (left + thick, top + px), _INK_BGR, px)


def _corners(face: NamedFace) -> tuple[tuple[int, int], tuple[int, int]]:
    x1, y1, x2, y2 = (round(float(v)) for v in face.box_xyxy)
    return (x1, y1), (x2, y2)


def _grown(corners: tuple[tuple[int, int], tuple[int, int]], by: int) -> tuple[tuple[int, int], tuple[int, int]]:
    (x1, y1), (x2, y2) = corners
    return (x1 - by, y1 - by), (x2 + by, y2 + by)
