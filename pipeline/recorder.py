"""--record: a video file for each camera, with the stream's own times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.messages import FrameRef
from pipeline.video import VideoWriter

NOMINAL_FPS = 25.0


class Recorder:
    """path stands for all: with several cameras each gets its name in it, after a restart each part its number."""

    def __init__(self, path: Path, *, cameras: int, generation: int) -> None:
        self._path = path
        self._cameras = cameras
        self._generation = generation
        self._writers: dict[str, VideoWriter] = {}
        self._zero_s: dict[str, float] = {}
        self._last: dict[str, tuple[int, float]] = {}

    def write(self, ref: FrameRef, image_bgr: NDArray[np.uint8]) -> None:
        """Raises OutputError when it cannot."""
        if ref.camera not in self._writers:
            self._writers[ref.camera] = VideoWriter(self.path_for(ref.camera), ref.size_wh, NOMINAL_FPS)
        self._writers[ref.camera].write(image_bgr, self._time(ref))

    def path_for(self, camera: str) -> Path:
        name = self._path.stem
        if self._cameras > 1:
            name += f".{''.join(c if c.isalnum() or c in '-_' else '_' for c in camera)}"
        if self._generation:
            name += f".part{self._generation + 1}"
        return self._path.with_name(name + self._path.suffix)

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def abandon(self) -> None:
        for writer in self._writers.values():
            writer.abandon()
        self._writers.clear()

    def _time(self, ref: FrameRef) -> float:
        """Seconds since the recording's first frame; a new epoch follows on the last."""
        epoch, at_s = self._last.get(ref.camera, (-1, -1 / NOMINAL_FPS))
        if ref.epoch != epoch:
            self._zero_s[ref.camera] = ref.pts_s - at_s - 1 / NOMINAL_FPS
        at_s = ref.pts_s - self._zero_s[ref.camera]
        self._last[ref.camera] = (ref.epoch, at_s)
        return at_s
