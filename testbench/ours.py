"""The program's own side of a comparison with a peer."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import SettingsError
from engines.load import load_detector
from engines.options import EngineOptions
from pipeline.config import CameraConfig
from pipeline.video import VideoReader
from testbench.peer import Task

Picture = NDArray[np.uint8]


def frames(task: Task) -> list[Picture]:
    """Decoded at their own size and then scaled, as the peers' scripts do it: both search the same pixels."""
    source = str(task.source)
    reader = VideoReader(CameraConfig("compare", source, source))
    width, height = reader.size_wh
    decoded = np.empty((height, width, 3), np.uint8)
    scaled = []
    try:
        for _, frame in islice(reader.frames(), task.frames):
            reader.fill(frame, decoded)
            scaled.append(np.array(cv2.resize(decoded, task.size_wh), np.uint8))
    finally:
        reader.close()
    return scaled


class Searching:
    """One detector, kept from turn to turn; each frame a call of its own and searched as a whole."""

    def __init__(self, pictures: Sequence[Picture], options: EngineOptions) -> None:
        self._pictures = pictures
        height, width = pictures[0].shape[:2]
        self._detector = load_detector(options, size_wh=(width, height))

    def __enter__(self) -> Searching:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._detector.close()

    def ms_per_frame(self) -> float:
        """The median frame, after a first one that is not counted."""
        took_ms = []
        for picture in (self._pictures[0], *self._pictures):
            start_s = time.perf_counter()
            self._detector.detect([picture])
            took_ms.append(1000 * (time.perf_counter() - start_s))
        return float(np.median(took_ms[1:]))

    def boxes(self) -> list[NDArray[np.float64]]:
        return [self._detector.detect([picture])[0].boxes_xyxy.astype(np.float64) for picture in self._pictures]


def pipeline_fps(task: Task, options: EngineOptions) -> float:
    """Frames a second of the whole program, which is started for it."""
    with tempfile.TemporaryDirectory(prefix="facewire-compare-") as folder:
        out = Path(folder) / "latency.json"
        chosen = {
            "source": task.source,
            "size": f"{task.size_wh[0]}x{task.size_wh[1]}",
            "frames": task.frames,
            "detector": options.detector,
            "embedder": options.embedder,
            "backend": options.backend,
            "precision": options.precision,
            "min-face": options.min_face_px,
            "detect-every": options.detect_every,
            "models": options.models,
            "cache": options.cache,
            "json": out,
        }
        flags = [word for name, value in chosen.items() for word in (f"--{name}", str(value))]
        done = subprocess.run(
            [sys.executable, "-m", "testbench.latency", "--lossless", *flags],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SettingsError(
                "The program did not finish its own side of the comparison.",
                saw="\n".join([f"exit code {done.returncode}", *done.stderr.strip().splitlines()[-3:]]),
            )
        return float(json.loads(out.read_text(encoding="utf-8"))["fps"])
