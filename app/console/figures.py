"""What the frames that reached their end tell, for the latency page, the trace and Prometheus."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.clock import now_ns
from pipeline.messages import FrameRef, Shown
from pipeline.metrics import Histogram, Measurements
from pipeline.trace import Trace

RECENT_FRAMES = 60
TRACED_FRAMES = 2000
_RATE_NS = 5_000_000_000


@dataclass(frozen=True, slots=True)
class Stay:
    """A frame in one stage: milliseconds since its capture."""

    stage: str
    from_ms: float
    to_ms: float


@dataclass(frozen=True, slots=True)
class Way:
    camera: str
    seq: int
    total_ms: float
    visits: tuple[Stay, ...]


class Figures:
    """Written by the thread that looks on, read by those that answer requests."""

    def __init__(self, clock: Callable[[], int] = now_ns) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._measured = Measurements()
        self._trace = Trace(TRACED_FRAMES)
        self._recent: deque[FrameRef] = deque(maxlen=RECENT_FRAMES)
        self._times: deque[tuple[int, str]] = deque()
        self._last_ns: dict[str, int] = {}
        self.frames: Counter[str] = Counter()
        self.faces: Counter[str] = Counter()
        self.named: Counter[str] = Counter()
        self.total = Histogram()
        self.work: dict[str, Histogram] = {}
        self.wait: dict[str, Histogram] = {}

    def add(self, shown: Sequence[Shown]) -> None:
        if not shown:
            return
        now = self._clock()
        with self._lock:
            self._measured.add(shown)
            self._trace.add(shown)
            for each in shown:
                camera = each.ref.camera
                self._recent.append(each.ref)
                self._times.append((now, camera))
                self._last_ns[camera] = now
                self.frames[camera] += 1
                self.faces[camera] += each.faces
                self.named[camera] += len(each.names)
                self._observe(each.ref)

    def _observe(self, ref: FrameRef) -> None:
        before_ns = ref.captured_ns
        for visit in ref.visits:
            self.wait.setdefault(visit.stage, Histogram()).add((visit.entered_ns - before_ns) / 1e9)
            self.work.setdefault(visit.stage, Histogram()).add((visit.left_ns - visit.entered_ns) / 1e9)
            before_ns = visit.left_ns
        self.total.add((before_ns - ref.captured_ns) / 1e9)

    def fps(self, camera: str | None = None) -> float:
        """Of the last seconds."""
        with self._lock:
            now = self._clock()
            while self._times and now - self._times[0][0] > _RATE_NS:
                self._times.popleft()
            times = [at for at, of in self._times if camera in (None, of)]
        return round((len(times) - 1) * 1e9 / (times[-1] - times[0]), 1) if times and times[-1] > times[0] else 0.0

    def age_s(self, camera: str) -> float | None:
        """How long ago a frame of this camera reached its end; None: none ever did."""
        last_ns = self._last_ns.get(camera)
        return None if last_ns is None else (self._clock() - last_ns) / 1e9

    def latency(self) -> tuple[Measurements, list[Way]]:
        """A snapshot; the newest way comes last."""
        with self._lock:
            return self._measured.copy(), [_way(ref) for ref in self._recent]

    def trace(self) -> dict[str, object]:
        with self._lock:
            kept = self._trace.copy()
        return kept.as_json()


def _way(ref: FrameRef) -> Way:
    visits = tuple(
        Stay(v.stage, round((v.entered_ns - ref.captured_ns) / 1e6, 3), round((v.left_ns - ref.captured_ns) / 1e6, 3))
        for v in ref.visits
    )
    return Way(ref.camera, ref.seq, visits[-1].to_ms if visits else 0.0, visits)
