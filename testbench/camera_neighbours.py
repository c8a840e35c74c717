"""Four cameras, one of them misbehaving: what the other three notice of it. With the real stages and models."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engines.models import crop_px
from engines.options import EngineOptions
from pipeline.clock import now_ns
from pipeline.config import CaptureConfig, GalleryConfig, RunConfig
from pipeline.system import System
from testbench.rtsp_process import RtspCamera

CAMERAS = 4
WARM_UP_S = 10.0
TURN_S = 15.0  # calm and misbehaving by turns, so that what else the machine does weighs on both
_MISDEEDS = ("hang up", "kill", "freeze")
_EVERY_S = 5.0


@dataclass(slots=True)
class Neighbours:
    """Latency in milliseconds from a picture's arrival to the end of the way, of the three that behave."""

    calm_ms: dict[str, float]
    disturbed_ms: dict[str, float]
    change: dict[str, float]
    frames: tuple[int, int]
    misdeeds: int


@dataclass(slots=True)
class _Measured:
    calm_ms: list[float] = field(default_factory=list)
    disturbed_ms: list[float] = field(default_factory=list)


def neighbours(seconds: float, engines: EngineOptions, words: tuple[str, ...]) -> Neighbours:
    """Half of the time all behave, half of it the last one is hung up on, killed and frozen in turn."""
    measured, misdeeds = _Measured(), 0
    with ExitStack() as stack:
        cameras = [stack.enter_context(RtspCamera(*words)) for _ in range(CAMERAS)]
        system = stack.enter_context(_system(cameras, engines))
        _run(system, WARM_UP_S, [])
        for _ in range(max(1, round(seconds / 2 / TURN_S))):
            _run(system, TURN_S, measured.calm_ms)
            misdeeds += _disturb(system, cameras[-1], measured.disturbed_ms)
            _run(system, TURN_S, [])  # until it is back
    calm, disturbed = _percentiles(measured.calm_ms), _percentiles(measured.disturbed_ms)
    change = {name: round(disturbed[name] / calm[name] - 1, 4) for name in calm}
    return Neighbours(calm, disturbed, change, (len(measured.calm_ms), len(measured.disturbed_ms)), misdeeds)


def _disturb(system: System, camera: RtspCamera, into_ms: list[float]) -> int:
    misdeeds = 0
    for misdeed in itertools.islice(itertools.cycle(_MISDEEDS), round(TURN_S / _EVERY_S)):
        misdeeds += 1
        if misdeed == "hang up":
            camera.tell("hang up")
        elif misdeed == "kill":
            camera.kill()
        else:
            camera.freeze()
        _run(system, _EVERY_S, into_ms)
        if misdeed == "kill":
            camera.start_again()
        elif misdeed == "freeze":
            camera.thaw()
    return misdeeds


def _run(system: System, seconds: float, into_ms: list[float]) -> None:
    """Of all cameras but the last."""
    end_ns = now_ns() + int(seconds * 1e9)
    while now_ns() < end_ns:
        for shown in system.poll(0.02)[1]:
            if shown.ref.camera != f"camera{CAMERAS - 1}":
                into_ms.append((shown.ref.visits[-1].left_ns - shown.ref.captured_ns) / 1e6)


@contextmanager
def _system(cameras: list[RtspCamera], engines: EngineOptions) -> Iterator[System]:
    configs = tuple(camera.config(f"camera{number}") for number, camera in enumerate(cameras))
    with tempfile.TemporaryDirectory(prefix="facewire-neighbours-") as folder:
        config = RunConfig(
            configs,
            capture=CaptureConfig(lossless=False),
            engines=engines,
            gallery=GalleryConfig(path=Path(folder) / "gallery"),
        )
        with System(config, crop_px(engines)) as system:
            yield system


def _percentiles(latencies_ms: list[float]) -> dict[str, float]:
    found = np.percentile(latencies_ms, (50, 90, 95, 99))
    return {name: round(float(value), 3) for name, value in zip(("p50", "p90", "p95", "p99"), found, strict=True)}
