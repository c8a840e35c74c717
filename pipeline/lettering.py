"""Letters on a picture: those of any language where OpenCV 5 brings a font, else ASCII."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]

_WEIGHT = 500
_HERSHEY = cv2.FONT_HERSHEY_SIMPLEX
_HERSHEY_PX = 30.0  # height of its letters at scale 1, as the other fonts count


def width_of(text: str, height_px: int) -> int:
    """Pixels that the text takes up across."""
    font = _font()
    if font is None:
        return int(cv2.getTextSize(_ascii(text), _HERSHEY, height_px / _HERSHEY_PX, _thick(height_px))[0][0])
    return int(cv2.getTextSize((1, 1), text, (0, 0), font, height_px, _WEIGHT)[2])


def write(image_bgr: NDArray[np.uint8], text: str, left_base: tuple[int, int], colour: Colour, height_px: int) -> None:
    """In place; `left_base` is where the first letter stands on its line."""
    font = _font()
    if font is None:
        scale = height_px / _HERSHEY_PX
        cv2.putText(image_bgr, _ascii(text), left_base, _HERSHEY, scale, colour, _thick(height_px), cv2.LINE_AA)
    else:
        cv2.putText(image_bgr, text, left_base, colour, font, height_px, _WEIGHT)


def line_px(height_px: int) -> int:
    """From one line to the next, with the descenders."""
    return round(height_px * 1.4)


@cache
def _font() -> cv2.FontFace | None:
    return cv2.FontFace("sans") if hasattr(cv2, "FontFace") else None


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _thick(height_px: int) -> int:
    return max(1, round(height_px / 14))
