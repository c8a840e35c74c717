"""Stages without models that hand each frame on, and tell at the end how old its picture is.

For pictures of `testbench.rtsp_camera`, which carry the moment they were made. `Shown.faces` is the age in ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.clock import now_ns
from pipeline.messages import AlignedFaces, Detections, Frame, Identities, Record, Shown, Tracks
from pipeline.stage import StageContext
from pipeline.topic import image_of
from testbench.moment import age_ms

CROP_PX = 112
_NONE = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32)


def open_stage(context: StageContext) -> Ageing:
    return Ageing(context)


class Ageing:
    def __init__(self, context: StageContext) -> None:
        self._context = context
        passes: dict[str, Callable[[Any], Record | None]] = {
            "detect": _detect,
            "align": _align,
            "recognise": lambda faces: Tracks(faces.ref, (), ()),
            "lookup": lambda tracks: Identities(tracks.ref, "none", ()),
            "draw": self._draw,
        }
        self._pass = passes[context.stage]

    def work(self, records: Sequence[Any]) -> list[Record | None]:
        return [self._pass(record) for record in records]

    def idle(self) -> None:
        """Nothing to do between frames."""

    def close(self) -> None:
        """Holds nothing."""

    def _draw(self, identities: Identities) -> Shown | None:
        assert self._context.look is not None
        lease = self._context.look.at(identities.ref)
        if lease is None:
            self._context.look.lost(identities.ref)
            return None
        image_bgr = image_of(lease)
        age = age_ms(lambda row, column: float(image_bgr[row, column, 1]), image_bgr.shape[1], now_ns())
        lease.release()
        return Shown(identities.ref, round(age))


def _detect(frame: Frame) -> Detections:
    return Detections(frame.ref, *_NONE)


def _align(found: Detections) -> AlignedFaces:
    crops = np.zeros((0, CROP_PX, CROP_PX, 3), np.uint8)
    return AlignedFaces(found.ref, found.boxes_xyxy, found.scores, found.landmarks, crops, found.scores)
