"""A scene for machines without a camera: one portrait that wanders, comes closer and goes away."""

from __future__ import annotations

import math
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.portrait import portrait
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.feed import Pace, Publisher, working_size
from pipeline.topic import FrameOutbox, Pulse, Stopped

SIZE_WH = (1280, 720)
FPS = 25.0


class DemoScene:
    """The same pictures at every run."""

    def __init__(self) -> None:
        self._portrait = portrait()
        width, height = SIZE_WH
        across = np.linspace(40, 120, width, dtype=np.float32)[None, :, None]
        down = np.linspace(0.6, 1.2, height, dtype=np.float32)[:, None, None]
        tint = np.array([1.0, 0.85, 0.7], np.float32)
        self._backdrop = np.clip(across * down * tint, 0, 255).astype(np.uint8)

    def draw(self, index: int, out: NDArray[np.uint8]) -> None:
        """Picture number `index`, scaled into (H, W, 3)."""
        width, height = SIZE_WH
        t = index / FPS
        side = int(420 + 140 * math.sin(t * 0.7))
        x = int((width - side) * (0.5 + 0.45 * math.sin(t * 0.5)))
        y = int((height - side) * (0.5 + 0.4 * math.sin(t * 0.9)))
        scene = out if out.shape == self._backdrop.shape else np.empty_like(self._backdrop)
        np.copyto(scene, self._backdrop)
        scene[y : y + side, x : x + side] = cv2.resize(self._portrait, (side, side), interpolation=cv2.INTER_AREA)
        if scene is not out:
            cv2.resize(scene, (out.shape[1], out.shape[0]), dst=out, interpolation=cv2.INTER_AREA)


class DemoSource:
    def __init__(self, camera: CameraConfig, config: CaptureConfig) -> None:
        self._camera = camera
        self._config = config
        self._scene = DemoScene()

    def run(self, out: FrameOutbox, pulse: Pulse) -> None:
        publisher = Publisher(self._camera, self._config, out, pulse)
        pace = Pace(self._config.realtime_fps or (None if self._config.lossless else FPS))
        size_wh = working_size(SIZE_WH, self._config.size_wh)
        index = out.last.seq + 1 if out.last else 0
        try:
            while not publisher.done:
                captured_ns = publisher.wait_for(pace)
                at_s = index / FPS
                publisher.publish(size_wh, at_s, captured_ns, partial(self._scene.draw, index))
                index += 1
        except Stopped:
            return

    def close(self) -> None:
        """Holds nothing."""
