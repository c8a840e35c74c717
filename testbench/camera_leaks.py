"""What hundreds of reconnections leave behind: memory and open files of the parent and of the camera's process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.clock import now_ns
from testbench.camera_faults import CAMERA
from testbench.camera_watch import CameraWatch
from testbench.rtsp_process import RtspCamera

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_WARM_UP = 0.2  # of the reconnections, in which memory may still grow to its working size


@dataclass(frozen=True, slots=True)
class Held:
    """memory_mb  resident"""

    memory_mb: float
    files: int


@dataclass(frozen=True, slots=True)
class Leaks:
    """memoryslope_kb  for each reconnection, after the warm-up, by least squares; and its standard error"""

    reconnections: int
    p50_recovery_s: float
    max_recovery_s: float
    parent_memory_mb: tuple[float, float]
    parent_memoryslope_kb: tuple[float, float]
    parent_files: tuple[int, int]
    camera_memory_mb: tuple[float, float]
    camera_files: tuple[int, int]


def leaks(watch: CameraWatch, camera: RtspCamera, times: int) -> Leaks:
    parent, ours, recoveries_s = [], [], []
    for _ in range(times):
        begun_ns = now_ns()
        camera.tell("hang up")
        watch.until(lambda begun_ns=begun_ns: watch.known_ns(begun_ns))  # type: ignore[misc]
        known = watch.known_ns(begun_ns)
        assert known is not None
        # Since then, and not since it was told: a picture may still come before it hangs up.
        watch.until(lambda known_ns=known[0]: watch.fresh(CAMERA, known_ns))  # type: ignore[misc]
        recoveries_s.append((now_ns() - begun_ns) / 1e9)
        parent.append(held(os.getpid()))
        ours.append(held(watch.system.supervisor.pids()[f"capture:{CAMERA}"]))
        watch.seen.clear()
        watch.aways.clear()
    warm = int(times * _WARM_UP)
    return Leaks(
        times,
        round(float(np.median(recoveries_s)), 2),
        round(max(recoveries_s), 2),
        (parent[warm].memory_mb, parent[-1].memory_mb),
        slope_kb([each.memory_mb for each in parent[warm:]]),
        (parent[warm].files, parent[-1].files),
        (ours[warm].memory_mb, ours[-1].memory_mb),
        (ours[warm].files, ours[-1].files),
    )


def held(pid: int) -> Held:
    process = Path("/proc") / str(pid)
    pages = int((process / "statm").read_text().split()[1])
    return Held(round(pages * _PAGE_BYTES / 1e6, 2), len(list((process / "fd").iterdir())))


def slope_kb(memory_mb: list[float]) -> tuple[float, float]:
    """By least squares, from one to the next; and its standard error."""
    count = len(memory_mb)
    if count < 3:
        return 0.0, float("inf")
    x = np.arange(count) - (count - 1) / 2
    y = np.array(memory_mb) * 1000
    slope = float((x * y).sum() / (x * x).sum())
    rest = y - y.mean() - slope * x
    error = float(np.sqrt((rest**2).sum() / (count - 2) / (x * x).sum()))
    return round(slope, 3), round(error, 3)
