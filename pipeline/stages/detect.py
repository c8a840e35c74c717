"""detect: where the faces are. One call for the newest frames of all cameras."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.faces import Faces
from engines.load import load_detector
from engines.pursuit import Pursuit, View
from pipeline.messages import Detections, Frame
from pipeline.stage import StageContext
from pipeline.wiring import LARGEST_FRAME_WH, MAX_FACES
from pipeline.zone import in_zone


def open_stage(context: StageContext) -> Detect:
    return Detect(context)


class Detect:
    def __init__(self, context: StageContext) -> None:
        config = context.config
        size_wh = config.capture.size_wh or LARGEST_FRAME_WH
        detector = load_detector(config.engines, cameras=len(config.cameras), size_wh=size_wh)
        detector.detect([np.zeros((size_wh[1], size_wh[0], 3), np.uint8)])  # the first one is always slow
        self._cameras = {camera.name: camera for camera in config.cameras}
        self._pursuit = Pursuit(detector, config.engines.detect_every)

    def work(self, frames: Sequence[Frame]) -> list[Detections]:
        found = self._pursuit.detect([View(f.ref.camera, f.ref.pts_s, f.image_bgr) for f in frames])
        return [self._seen(frame, faces) for frame, faces in zip(frames, found, strict=True)]

    def _seen(self, frame: Frame, faces: Faces) -> Detections:
        keeps = np.flatnonzero(in_zone(self._cameras[frame.ref.camera], faces.boxes_xyxy, frame.ref.size_wh))
        keeps = keeps[:MAX_FACES]
        return Detections(frame.ref, faces.boxes_xyxy[keeps], faces.scores[keeps], faces.landmarks[keeps])

    def idle(self) -> None:
        """Nothing to do between frames."""

    def close(self) -> None:
        self._pursuit.close()
