"""The whole program for a long time: whether its memory, its open files and its latency stay as they are, and whether
every process lives through it.

    python -m testbench.soak --minutes 30 --json soak.json

Two cameras of 25 frames a second, with events, their store and a gallery. The first minutes, in which caches fill, do
not count for the memory. The exit code judges the memory by the best estimate of its slope; `memory_surely` says
whether the upper bound is small enough, too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from array import array
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app import demo_gallery
from app.run import Run
from app.service.notify import ServiceManager
from app.service.service import Service
from checkpoints.exit_code import exit_code
from engines.options import EngineOptions
from pipeline.clock import now_ns
from pipeline.config import CameraConfig, CaptureConfig, GalleryConfig, OutletsConfig, OutputConfig, RunConfig
from pipeline.memory_watch import own_memory_mb
from pipeline.messages import Shown
from pipeline.system import System
from pipeline.wiring import SideRow
from testbench.figures import tell
from testbench.memory_slope import slope_of

_SAMPLE_NS = 5_000_000_000
_BIN_MS, _BINS = 0.1, 20_000  # latencies up to two seconds, counted: the measuring itself must not grow
MOST_MB_PER_HOUR = 1.0
MOST_P99_CHANGE = 0.10


@dataclass(frozen=True, slots=True)
class Sample:
    """at_s since the cameras gave their first frame; of all processes together."""

    at_s: float
    memory_mb: float
    descriptors: int


@dataclass(slots=True)
class Seen:
    thirds: NDArray[np.int64] = field(default_factory=lambda: np.zeros((3, _BINS), np.int64))
    samples: list[Sample] = field(default_factory=list)
    of_process: dict[str, array[float]] = field(default_factory=dict)


class Sampler(Service):
    """Sits where systemd would be told, and sees every frame there."""

    def __init__(self, config: RunConfig, seconds: float, seen: Seen) -> None:
        super().__init__(ServiceManager(), stale_s=float("inf"), reread=lambda: config)
        self._seconds = seconds
        self._seen = seen
        self._began_ns: int | None = None
        self._sample_ns = 0
        self.run: Run | None = None

    def turn(self, system: System, shown: Iterable[Shown]) -> None:
        now = now_ns()
        for each in shown:
            self._began_ns = self._began_ns or now
            self._count(each, (now - self._began_ns) / 1e9)
        if self._began_ns is None or now < self._sample_ns:
            return
        self._sample_ns = now + _SAMPLE_NS
        at_s = (now - self._began_ns) / 1e9
        self._sample(at_s, {**system.supervisor.pids(), "parent": os.getpid()})
        if at_s > self._seconds and self.run is not None:
            self.run.interrupt()

    def _count(self, shown: Shown, at_s: float) -> None:
        third = min(2, int(3 * at_s / self._seconds))
        latency_ms = (shown.ref.visits[-1].left_ns - shown.ref.captured_ns) / 1e6
        self._seen.thirds[third, min(_BINS - 1, int(latency_ms / _BIN_MS))] += 1

    def _sample(self, at_s: float, pids: dict[str, int]) -> None:
        used = {name: own_memory_mb(pid) or 0.0 for name, pid in pids.items()}
        open_files = sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids.values())
        self._seen.samples.append(Sample(round(at_s, 1), sum(used.values()), open_files))
        for name, mb in used.items():
            self._seen.of_process.setdefault(name, array("d")).append(mb)


def verdict(seen: Seen, warm_up_s: float, restarts: dict[str, int]) -> dict[str, object]:
    steady = [sample for sample in seen.samples if sample.at_s >= warm_up_s]
    times = [sample.at_s for sample in steady]
    slope = slope_of(times, [sample.memory_mb for sample in steady])
    skipped = len(seen.samples) - len(steady)
    each = {
        name: slope_of(times, used[skipped:]).mb_per_hour
        for name, used in seen.of_process.items()
        if len(used) == len(seen.samples)
    }
    p99 = [_percentile(third, 0.99) for third in seen.thirds]
    files = [sample.descriptors for sample in steady]
    change = p99[2] / p99[0] - 1 if p99[0] else 0.0
    return {
        "seconds": seen.samples[-1].at_s,
        "frames": int(seen.thirds.sum()),
        "memory_mb": {"first": round(steady[0].memory_mb, 1), "last": round(steady[-1].memory_mb, 1)},
        "slope_mb_per_hour": asdict(slope),
        "slope_of_process_mb_per_hour": each,
        "descriptors": {"first": files[0], "last": files[-1], "least": min(files), "most": max(files)},
        "p50_ms_of_thirds": [_percentile(third, 0.5) for third in seen.thirds],
        "p99_ms_of_thirds": p99,
        "p99_change": round(change, 3),
        "restarts": restarts,
        "clean": {
            "memory": slope.mb_per_hour <= MOST_MB_PER_HOUR,
            "memory_surely": slope.high <= MOST_MB_PER_HOUR,
            "descriptors": files[-1] <= files[0],
            "latency": abs(change) <= MOST_P99_CHANGE or p99[2] < p99[0],
            "restarts": not any(restarts.values()),
        },
    }


def _percentile(counts: NDArray[np.int64], share: float) -> float:
    total = int(counts.sum())
    return round(float(np.searchsorted(np.cumsum(counts), share * total) + 1) * _BIN_MS, 1) if total else 0.0


def soak(minutes: float, warm_up_minutes: float, engines: EngineOptions, folder: Path) -> dict[str, object]:
    config = RunConfig(
        cameras=tuple(CameraConfig(name, "demo", "demo", live=True) for name in ("cam0", "cam1")),
        capture=CaptureConfig(size_wh=(640, 360), lossless=False, realtime_fps=25.0, loop=True),
        engines=engines,
        gallery=GalleryConfig(path=folder / "gallery"),
        output=OutputConfig(events=folder / "events.jsonl"),
        outlets=OutletsConfig(store=folder / "events"),
    )
    demo_gallery.fill(config)
    seen = Seen()
    sampler = Sampler(config, minutes * 60, seen)
    report = folder / "report.json"
    run = Run(config, report=report, sides=(SideRow("outlets", "pipeline.outlets.side"),), service=sampler)
    sampler.run = run
    run()
    return verdict(seen, warm_up_minutes * 60, json.loads(report.read_text())["restarts"])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m testbench.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--warm-up", type=float, help="minutes that do not count for the memory; if empty, a sixth")
    parser.add_argument("--models", type=Path, default=Path("data/models"))
    parser.add_argument("--cache", type=Path, default=Path("data/engines"))
    parser.add_argument("--json", type=Path)
    return exit_code(lambda: _measure(parser.parse_args(arguments)))


def _measure(args: argparse.Namespace) -> int:
    warm_up = args.minutes / 6 if args.warm_up is None else args.warm_up
    with tempfile.TemporaryDirectory(prefix="facewire-soak-") as folder:
        engines = EngineOptions(models=args.models, cache=args.cache)
        found = soak(args.minutes, warm_up, engines, Path(folder))
    tell(found, args.json)
    clean = found["clean"]
    assert isinstance(clean, dict)
    return 0 if all(clean[what] for what in ("memory", "descriptors", "latency", "restarts")) else 1


if __name__ == "__main__":
    sys.exit(main())
