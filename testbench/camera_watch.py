"""A run with RTSP cameras, watched: when each camera's pictures came, how old they were, what was told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from checkpoints.errors import SourceError
from pipeline.clock import now_ns
from pipeline.config import CameraConfig, CaptureConfig, RunConfig, SuperviseConfig
from pipeline.messages import Shown
from pipeline.system import System
from pipeline.watched import Happened
from pipeline.wiring import STAGES
from testbench.ageing import CROP_PX

PATIENCE_S = 90.0


@dataclass(frozen=True, slots=True)
class Seen:
    """at_ns    when it came through
    made_ns  when the camera made it
    size_wh  as it was shown
    """

    at_ns: int
    made_ns: int
    size_wh: tuple[int, int]

    @property
    def age_ms(self) -> float:
        return (self.at_ns - self.made_ns) / 1e6


@dataclass(slots=True)
class CameraWatch:
    """Use with a system whose other stages are those of `testbench.ageing`."""

    system: System
    seen: dict[str, list[Seen]] = field(default_factory=dict)
    aways: list[tuple[int, Happened]] = field(default_factory=list)
    _last_error: str = ""

    def look(self, timeout_s: float = 0.02) -> None:
        happened, shown = self.system.poll(timeout_s)
        self._last_error = next((what.text for what in happened if what.kind == "error"), self._last_error)
        self.aways += [(now_ns(), what) for what in happened if what.kind == "away"]
        for each in shown:
            self.seen.setdefault(each.ref.camera, []).append(_seen(each))

    def for_s(self, seconds: float) -> None:
        self.until(lambda: False, seconds, may_end=True)

    def until(self, what: Callable[[], object], limit_s: float = PATIENCE_S, *, may_end: bool = False) -> None:
        end_ns = now_ns() + int(limit_s * 1e9)
        while not what():
            if now_ns() > end_ns:
                if may_end:
                    return
                raise TimeoutError(f"nothing came of it in {limit_s:.0f} s; told so far: {self.aways[-3:]}")
            if not self.system.supervisor.running:
                raise RuntimeError("the run has ended; its last word: " + (self._last_error or "none"))
            self.look()

    def fresh(self, camera: str, since_ns: int) -> Seen | None:
        """The first picture that was made after this moment."""
        found = None
        for each in reversed(self.seen.get(camera, [])):
            if each.made_ns < since_ns:
                break
            found = each
        return found

    def known_ns(self, since_ns: int) -> tuple[int, Happened] | None:
        """The first loss that was told after this moment."""
        return next((told for told in self.aways if told[0] >= since_ns), None)

    def troubles(self, since_ns: int) -> list[str]:
        """The kinds of losses that were told after this moment, each once."""
        errors = [what.error for at_ns, what in self.aways if at_ns >= since_ns]
        return list(dict.fromkeys(error.trouble for error in errors if isinstance(error, SourceError)))


def watched_system(cameras: tuple[CameraConfig, ...], supervise: SuperviseConfig) -> System:
    config = RunConfig(cameras, capture=CaptureConfig(lossless=False), supervise=supervise)
    stages = tuple(row if row.name == "capture" else replace(row, module="testbench.ageing") for row in STAGES)
    return System(config, CROP_PX, stages)


def _seen(shown: Shown) -> Seen:
    at_ns = shown.ref.visits[-1].entered_ns
    return Seen(at_ns, at_ns - shown.faces * 1_000_000, shown.ref.size_wh)
