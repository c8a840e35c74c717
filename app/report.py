"""What a run measured: as JSON for programs, as a table for people."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from checkpoints.errors import OutputError
from pipeline.metrics import Measurements
from pipeline.resources import pss_mb
from pipeline.system import System
from pipeline.wiring import STAGES

SAMPLE_EVERY_FRAMES = 64


@dataclass(slots=True)
class Report:
    """Memory is the highest of the samples; processor time that of all processes, from their start to their end."""

    measured: Measurements
    captured: Mapping[str, int]
    dropped: Mapping[str, int]
    restarts: Mapping[str, int]
    peak_pss_mb: float | None

    def as_json(self) -> dict[str, object]:
        frames = self.measured.frames
        return {
            "fps": round(self.measured.fps, 2),
            "frames": frames,
            "seconds": round(self.measured.seconds, 3),
            "captured": dict(self.captured),
            "latency_ms": self.measured.latency_ms(),
            "pss_mb": self.peak_pss_mb,
            "cpu_ms_per_frame": round(cpu_ms() / frames, 3) if frames else None,
            "dropped": dict(self.dropped),
            "restarts": dict(self.restarts),
            "joules_per_frame": None,  # no meter is read yet
        }

    def save(self, path: Path) -> None:
        try:
            path.write_text(json.dumps(self.as_json(), indent=2) + "\n")
        except OSError as error:
            raise OutputError(
                "The report cannot be written.",
                saw=f"--report {path}: {error.strerror}",
                fix="give a file in a writable folder",
            ) from error

    def print_table(self, out: TextIO) -> None:
        table = self.measured.latency_ms()
        if not self.measured.frames:
            print("No frame reached its end.", file=out)
            return
        total = table["total"]
        part = f"{'p95':>8}{'p99':>8}"
        print(f"\n{'stage':<11}{'waiting p50':>12}{part}{'work p50':>12}{part}{'dropped':>9}", file=out)
        for row in STAGES:
            stage = table.get(row.name, {})
            wait, work = stage.get("wait", {}), stage.get("work", {})
            cells = "".join(_percentiles(part) for part in (wait, work))
            print(f"{row.name:<11}{cells}{self.dropped.get(row.name, 0):>9}", file=out)
        memory = f", {self.peak_pss_mb:.0f} MB of memory" if self.peak_pss_mb else ""
        print(
            f"{self.measured.frames} frames, {self.measured.fps:.1f} a second; capture to draw, ms:"
            f" p50 {total['p50']:.1f}  p95 {total['p95']:.1f}  p99 {total['p99']:.1f}{memory}",
            file=out,
        )


def _percentiles(part: object) -> str:
    assert isinstance(part, dict)
    values = [part.get(p, 0.0) for p in ("p50", "p95", "p99")]
    return f"{values[0]:>12.2f}{values[1]:>8.2f}{values[2]:>8.2f}"


class MemoryMeter:
    """Samples rarely: the kernel walks every page table for it."""

    def __init__(self) -> None:
        self.peak_mb: float | None = None
        self._seen = 0

    def look(self, system: System, frames: int) -> None:
        if frames - self._seen < SAMPLE_EVERY_FRAMES:
            return
        self._seen = frames
        sample = pss_mb([*system.supervisor.pids().values(), os.getpid()])
        if sample is not None:
            self.peak_mb = max(self.peak_mb or 0.0, sample)


def cpu_ms() -> float:
    """Of this process and all its children that have ended."""
    if sys.platform == "win32":
        return 0.0
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return 1000 * sum(u.ru_utime + u.ru_stime for u in used)
