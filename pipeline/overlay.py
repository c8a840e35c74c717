"""Boxes and names onto a picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.messages import NamedFace, State

_COLOURS_BGR: dict[State, tuple[int, int, int]] = {
    "known": (80, 200, 60),
    "unknown": (60, 90, 235),
    "undecided": (190, 190, 190),
}
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw(image_bgr: NDArray[np.uint8], faces: Sequence[NamedFace], expected: Sequence[NamedFace] = ()) -> None:
    """In place. Faces that are only expected here look no different: boxes should not flicker."""
    height, width = image_bgr.shape[:2]
    thick = max(1, round(min(height, width) / 360))
    scale = 0.3 + 0.15 * thick
    for face in (*expected, *faces):
        colour = _COLOURS_BGR[face.state]
        x1, y1, x2, y2 = (round(float(v)) for v in face.box_xyxy)
        cv2.rectangle(image_bgr, (x1, y1), (x2, y2), colour, thick)
        text = label(face)
        (text_width, text_height), base = cv2.getTextSize(text, _FONT, scale, thick)
        top = y1 - text_height - base - 2 * thick
        bottom = y1 if top >= 0 else y2 + text_height + base + 2 * thick  # below the box where there is no room above
        left = max(0, min(x1, width - text_width))
        corner = (left, bottom - text_height - base - 2 * thick)
        cv2.rectangle(image_bgr, corner, (left + text_width, bottom), colour, cv2.FILLED)
        cv2.putText(image_bgr, text, (left, bottom - base), _FONT, scale, (20, 20, 20), thick, cv2.LINE_AA)


def label(face: NamedFace) -> str:
    """OpenCV's letters are ASCII: others are shown as question marks here, and whole in the events."""
    name = (face.name or face.state).encode("ascii", "replace").decode()
    return f"{name} {face.score:.2f}" if face.state == "known" else f"{name} #{face.track}"
