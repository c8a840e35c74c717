"""Stages that check what they are given: each wraps the real one of its name.

The source writes the frame's number into every row of the picture, so that a frame that is torn, or is another
than its record says, shows in whatever stage sees it.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import CameraConfig, CaptureConfig
from pipeline.messages import Frame, FrameRef, Record
from pipeline.sources.demo import SIZE_WH, DemoScene
from pipeline.sources.feed import Pace, Publisher, working_size
from pipeline.stage import Stage, StageContext
from pipeline.topic import FrameOutbox, Pulse, Stopped, image_of

TORN, DISORDER = "TORN", "DISORDER"
_STAMP_PX = 4
_FPS = 25.0


def stamp(image_bgr: NDArray[np.uint8], seq: int) -> None:
    image_bgr[:, :_STAMP_PX] = np.frombuffer(seq.to_bytes(_STAMP_PX * 3, "little"), np.uint8).reshape(1, -1, 3)


def stamped(image_bgr: NDArray[np.uint8], seq: int) -> bool:
    """Whether every row says that it belongs to frame `seq`."""
    want = np.frombuffer(seq.to_bytes(_STAMP_PX * 3, "little"), np.uint8).reshape(1, -1, 3)
    return bool((image_bgr[:, :_STAMP_PX] == want).all())


def open_source(context: StageContext, camera: CameraConfig) -> StampedSource:
    return StampedSource(context.config.capture, camera)


class StampedSource:
    """The demo's scene with each frame's number in it."""

    def __init__(self, config: CaptureConfig, camera: CameraConfig) -> None:
        self._config = config
        self._camera = camera
        self._scene = DemoScene()

    def run(self, out: FrameOutbox, pulse: Pulse) -> None:
        publisher = Publisher(self._camera, self._config, out, pulse)
        pace = Pace(self._config.realtime_fps)
        size_wh = working_size(SIZE_WH, self._config.size_wh)
        try:
            while not publisher.done:
                captured_ns = publisher.wait_for(pace)
                seq = out.last.seq + 1 if out.last else 0

                def fill(image_bgr: NDArray[np.uint8], seq: int = seq) -> None:
                    self._scene.draw(seq, image_bgr)
                    stamp(image_bgr, seq)

                publisher.publish(size_wh, seq / _FPS, captured_ns, fill)
        except Stopped:
            return

    def close(self) -> None:
        """Holds nothing."""


def open_stage(context: StageContext) -> Witness:
    real: Stage = importlib.import_module(f"pipeline.stages.{context.stage}").open_stage(context)
    return Witness(context, real)


class Witness:
    def __init__(self, context: StageContext, real: Stage) -> None:
        self._context = context
        self._real = real
        self._last: dict[str, int] = {}

    def work(self, records: Sequence[Any]) -> Sequence[Record | None]:
        for record in records:
            self._check_order(record.ref)
            self._check_pixels(record)
        made = self._real.work(records)
        for record in records:
            self._check_pixels(record)
        return made

    def idle(self) -> None:
        self._real.idle()

    def close(self) -> None:
        self._real.close()

    def _check_order(self, ref: FrameRef) -> None:
        last = self._last.get(ref.camera)
        lossless = self._context.config.capture.lossless
        if last is not None and (ref.seq != last + 1 if lossless else ref.seq <= last):
            self._context.say(f"{DISORDER} {self._context.stage} saw frame {ref.seq} of {ref.camera} after {last}")
        self._last[ref.camera] = ref.seq

    def _check_pixels(self, record: Record) -> None:
        if isinstance(record, Frame):
            self._judge(record.image_bgr, record.ref)
        elif self._context.look is not None:
            lease = self._context.look.at(record.ref)
            if lease is not None:
                self._judge(image_of(lease), record.ref)
                lease.release()

    def _judge(self, image_bgr: NDArray[np.uint8], ref: FrameRef) -> None:
        if not stamped(image_bgr, ref.seq):
            self._context.say(f"{TORN} {self._context.stage} saw another frame than {ref.seq} of {ref.camera}")
