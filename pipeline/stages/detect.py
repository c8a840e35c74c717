"""detect: where the faces are. One call for the newest frames of all cameras."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.load import load_detector
from engines.pursuit import Pursuit, View
from pipeline.messages import Detections, Frame
from pipeline.stage import StageContext
from pipeline.wiring import LARGEST_FRAME_WH, MAX_FACES


def open_stage(context: StageContext) -> Detect:
    return Detect(context)


class Detect:
    def __init__(self, context: StageContext) -> None:
        config = context.config
        size_wh = config.capture.size_wh or LARGEST_FRAME_WH
        detector = load_detector(config.engines, cameras=len(config.cameras), size_wh=size_wh)
        detector.detect([np.zeros((size_wh[1], size_wh[0], 3), np.uint8)])  # the first one is always slow
        self._pursuit = Pursuit(detector, config.engines.detect_every)

    def work(self, frames: Sequence[Frame]) -> list[Detections]:
        found = self._pursuit.detect([View(f.ref.camera, f.ref.pts_s, f.image_bgr) for f in frames])
        return [
            Detections(frame.ref, f.boxes_xyxy[:MAX_FACES], f.scores[:MAX_FACES], f.landmarks[:MAX_FACES])
            for frame, f in zip(frames, found, strict=True)
        ]

    def idle(self) -> None:
        """Nothing to do between frames."""

    def close(self) -> None:
        self._pursuit.close()
