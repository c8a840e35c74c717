"""align: each face upright and of the embedder's size, cut from the very frame it was found in."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from engines.align import align
from engines.load import crop_spec
from engines.quality import quality
from pipeline.messages import AlignedFaces, Detections
from pipeline.stage import StageContext
from pipeline.topic import Look, image_of


def open_stage(context: StageContext) -> Align:
    assert context.look is not None
    return Align(context, context.look)


class Align:
    def __init__(self, context: StageContext, look: Look) -> None:
        cv2.setNumThreads(context.config.engines.threads)
        self._crop = crop_spec(context.config.engines)
        self._look = look

    def work(self, found: Sequence[Detections]) -> list[AlignedFaces | None]:
        return [self._align(detections) for detections in found]

    def _align(self, found: Detections) -> AlignedFaces | None:
        lease = self._look.at(found.ref)
        if lease is None:
            self._look.lost(found.ref)
            return None
        try:
            crops_bgr = align(image_of(lease), found.landmarks, self._crop)
        finally:
            lease.release()
        worth = quality(crops_bgr, found.boxes_xyxy, found.landmarks, found.scores)
        return AlignedFaces(found.ref, found.boxes_xyxy, found.scores, found.landmarks, crops_bgr, worth)

    def idle(self) -> None:
        """Nothing to do between frames."""

    def close(self) -> None:
        """Holds nothing."""
