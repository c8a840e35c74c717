"""How the last frames of one camera fared: frames a second, and how long each stage let them wait and worked."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from pipeline.messages import FrameRef

KEPT_FRAMES = 250
_RATE_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Medians of waiting and work, and how long the slowest twentieth took altogether."""

    stage: str
    wait_ms: float
    work_ms: float
    p95_ms: float


class Recent:
    def __init__(self) -> None:
        self._refs: deque[FrameRef] = deque(maxlen=KEPT_FRAMES)

    def add(self, ref: FrameRef) -> None:
        self._refs.append(ref)

    @property
    def fps(self) -> float:
        """By the times of capture, over the last two seconds."""
        if len(self._refs) < 2:
            return 0.0
        last_ns = self._refs[-1].captured_ns
        times = [ref.captured_ns for ref in self._refs if last_ns - ref.captured_ns <= _RATE_NS]
        return (len(times) - 1) * 1e9 / (last_ns - times[0]) if last_ns > times[0] else 0.0

    def stages(self) -> list[StageTimes]:
        """In the order of the way; the last one is `total`, from capture on."""
        waits: dict[str, list[int]] = {}
        works: dict[str, list[int]] = {}
        totals = []
        for ref in self._refs:
            before_ns = ref.captured_ns
            for visit in ref.visits:
                waits.setdefault(visit.stage, []).append(visit.entered_ns - before_ns)
                works.setdefault(visit.stage, []).append(visit.left_ns - visit.entered_ns)
                before_ns = visit.left_ns
            totals.append(before_ns - ref.captured_ns)
        told = [_times(stage, waits[stage], work) for stage, work in works.items()]
        return [*told, _times("total", [0], totals)] if totals else []


def _times(stage: str, waits_ns: list[int], works_ns: list[int]) -> StageTimes:
    both_ms = (np.array(waits_ns) + np.array(works_ns)) / 1e6
    return StageTimes(
        stage,
        float(np.median(waits_ns)) / 1e6,
        float(np.median(works_ns)) / 1e6,
        float(np.percentile(both_ms, 95)),
    )
