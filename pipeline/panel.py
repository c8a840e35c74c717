"""What a window tells besides the picture: lines on a darkened ground, and a waterfall of the stages."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import lettering
from pipeline.recent import StageTimes

_INK_BGR = (235, 235, 235)
_WAIT_BGR = (150, 150, 150)
_WORK_BGR = (220, 170, 60)
_DARKER = 0.35


def head(image_bgr: NDArray[np.uint8], text: str, px: int) -> int:
    """A line in the upper left corner; returns how far down it goes."""
    high = lettering.line_px(px)
    _darken(image_bgr, 0, 0, lettering.width_of(text, px) + px, high)
    lettering.write(image_bgr, text, (px // 2, px), _INK_BGR, px)
    return high


def foot(image_bgr: NDArray[np.uint8], text: str, px: int) -> None:
    """A line along the lower edge."""
    height, width = image_bgr.shape[:2]
    high = lettering.line_px(px)
    _darken(image_bgr, 0, height - high, width, height)
    lettering.write(image_bgr, text, (px // 2, height - high + px), _INK_BGR, px)


def waterfall(image_bgr: NDArray[np.uint8], stages: Sequence[StageTimes], top: int, px: int) -> None:
    """A row for each stage, below `top`: a bar of waiting and one of work, where they lie in the frame's time."""
    high = lettering.line_px(px)
    across, bars = 28 * px, 9 * px
    _darken(image_bgr, 0, top, across, top + high * len(stages) + px // 2)
    end_ms = max([each.wait_ms + each.work_ms for each in stages[-1:]], default=0.0) or 1.0
    at_ms = 0.0
    for row, each in enumerate(stages):
        base = top + row * high + px
        begin_ms = 0.0 if row == len(stages) - 1 else at_ms
        lettering.write(image_bgr, each.stage, (px // 2, base), _INK_BGR, px)
        for from_ms, to_ms, colour in (
            (begin_ms, begin_ms + each.wait_ms, _WAIT_BGR),
            (begin_ms + each.wait_ms, begin_ms + each.wait_ms + each.work_ms, _WORK_BGR),
        ):
            left, right = (6 * px + min(round(bars * ms / end_ms), bars) for ms in (from_ms, to_ms))
            cv2.rectangle(image_bgr, (left, base - px // 2), (max(left + 1, right), base), colour, cv2.FILLED)
        told = f"{each.wait_ms:.1f} + {each.work_ms:.1f} ms  p95 {each.p95_ms:.1f}"
        lettering.write(image_bgr, told, (6 * px + bars + px, base), _INK_BGR, px)
        at_ms = begin_ms + each.wait_ms + each.work_ms


def _darken(image_bgr: NDArray[np.uint8], left: int, top: int, right: int, bottom: int) -> None:
    ground = image_bgr[max(top, 0) : bottom, left:right]
    if ground.size:
        cv2.convertScaleAbs(ground, dst=ground, alpha=_DARKER)
