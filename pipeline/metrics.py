"""What the frames that reached their end tell: how long each stage let them wait, and worked on them."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.messages import FrameRef, Shown

KEPT_FRAMES = 10_000  # percentiles speak of the last so many


class Measurements:
    def __init__(self) -> None:
        self.frames = 0
        self._first_ns: int | None = None
        self._last_ns = 0
        self._total: deque[float] = deque(maxlen=KEPT_FRAMES)
        self._wait: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=KEPT_FRAMES))
        self._work: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=KEPT_FRAMES))

    def add(self, shown: Iterable[Shown]) -> None:
        for each in shown:
            self._add(each.ref)

    def _add(self, ref: FrameRef) -> None:
        self.frames += 1
        before_ns = ref.captured_ns
        for visit in ref.visits:
            self._wait[visit.stage].append((visit.entered_ns - before_ns) / 1e6)
            self._work[visit.stage].append((visit.left_ns - visit.entered_ns) / 1e6)
            before_ns = visit.left_ns
        self._total.append((before_ns - ref.captured_ns) / 1e6)
        self._first_ns = ref.captured_ns if self._first_ns is None else min(self._first_ns, ref.captured_ns)
        self._last_ns = max(self._last_ns, before_ns)

    def copy(self) -> Measurements:
        """As it is now, for somebody who takes time to look at it."""
        made = Measurements()
        made.frames, made._first_ns, made._last_ns = self.frames, self._first_ns, self._last_ns
        made._total.extend(self._total)
        for stage, work in self._work.items():
            made._work[stage].extend(work)
            made._wait[stage].extend(self._wait[stage])
        return made

    @property
    def seconds(self) -> float:
        """From the first frame's arrival to the last one's end."""
        return 0.0 if self._first_ns is None else (self._last_ns - self._first_ns) / 1e9

    @property
    def fps(self) -> float:
        return self.frames / self.seconds if self.seconds else 0.0

    def latency_ms(self) -> dict[str, dict[str, float] | dict[str, dict[str, float]]]:
        """total: from capture to the end of draw; each stage: waiting before it, and work in it."""
        table: dict[str, dict[str, float] | dict[str, dict[str, float]]] = {"total": percentiles(self._total)}
        for stage, work in self._work.items():
            table[stage] = {"wait": percentiles(self._wait[stage]), "work": percentiles(work)}
        return table


class Histogram:
    """How often a duration was up to each of BOUNDS_S; the last count is of all that were longer."""

    BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

    def __init__(self) -> None:
        self.counts = [0] * (len(self.BOUNDS_S) + 1)
        self.sum_s = 0.0

    def add(self, duration_s: float) -> None:
        self.counts[bisect_left(self.BOUNDS_S, duration_s)] += 1
        self.sum_s += duration_s


def percentiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {"p50": 0.0, "p95": 0.0, "p99": 0.0}
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "p99": round(float(p99), 3)}
