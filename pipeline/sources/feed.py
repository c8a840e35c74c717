"""What all sources share: their pace, their working size, and how their pictures are numbered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.clock import now_ns
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.messages import FrameRef
from pipeline.sources.mask import Mask
from pipeline.topic import FrameOutbox, Pulse
from pipeline.wiring import LARGEST_FRAME_WH

Fill = Callable[[NDArray[np.uint8]], None]


def working_size(size_wh: tuple[int, int], wanted_wh: tuple[int, int] | None) -> tuple[int, int]:
    """What was asked for, or the source's own size; never more pixels than a slot of the ring has."""
    if wanted_wh is not None:
        return wanted_wh
    width, height = size_wh
    scale = min(1.0, (LARGEST_FRAME_WH[0] * LARGEST_FRAME_WH[1] / (width * height)) ** 0.5)
    return max(2, int(width * scale) & ~1), max(2, int(height * scale) & ~1)


@dataclass(slots=True)
class Pace:
    """When the next picture is due. fps None: as soon as it is there."""

    fps: float | None
    _start_ns: int = 0
    _count: int = 0

    def wait(self, pulse: Pulse) -> int:
        """Returns the moment at which a camera would have given the picture."""
        if self.fps is None:
            pulse.beat()
            return now_ns()
        period_ns = 1e9 / self.fps
        due_ns = int(self._start_ns + self._count * period_ns)
        now = now_ns()
        if not self._count or now - due_ns > 4 * period_ns:  # too late to catch up: a camera would have gone on
            self._start_ns, self._count, due_ns = now, 0, now
        self._count += 1
        pulse.rest((due_ns - now_ns()) / 1e9)
        return due_ns


class Publisher:
    """Numbers the pictures of one camera and puts them into the ring."""

    def __init__(self, camera: CameraConfig, config: CaptureConfig, out: FrameOutbox, pulse: Pulse) -> None:
        self._camera = camera.name
        self._mask = Mask(camera.masks)
        self._frames = config.frames
        self._out = out
        self._pulse = pulse
        self.epoch = out.last.epoch if out.last else 0

    @property
    def done(self) -> bool:
        return self._pulse.stopping or (self._frames is not None and self._next_seq >= self._frames)

    @property
    def _next_seq(self) -> int:
        return self._out.last.seq + 1 if self._out.last else 0

    def wait_for(self, pace: Pace) -> int:
        """Until there is room for the next picture and it is due; returns the moment of its capture."""
        self._out.make_room()
        return pace.wait(self._pulse)

    def publish(self, size_wh: tuple[int, int], pts_s: float, captured_ns: int, fill: Fill) -> None:
        seq, position = self._next_seq, self._out.next_position
        ref = FrameRef(self._camera, self.epoch, seq, pts_s, captured_ns, position, size_wh)

        def fill_masked(image_bgr: NDArray[np.uint8]) -> None:
            fill(image_bgr)
            self._mask.blacken(image_bgr)

        self._out.publish(ref, fill_masked)
