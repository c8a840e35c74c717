"""Whether pictures come through: the parent's own judgement, without asking anybody who could be stuck himself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pipeline.clock import now_ns
from pipeline.messages import Shown


@dataclass(slots=True)
class _Seen:
    """captured  frames that it had given at the last look, the newest of them at `newest_ns`
    since_ns  since when there are frames that have not come through; None: there are none
    """

    captured: int = 0
    newest_ns: int = 0
    since_ns: int | None = None


class Vigil:
    """A camera that gives nothing is no fault of this program; one whose frames do not reach their end is.

    stale_s  as long may frames be on their way
    """

    def __init__(self, stale_s: float, clock_ns: Callable[[], int] = now_ns) -> None:
        self._stale_s = stale_s
        self._clock_ns = clock_ns
        self._cameras: dict[str, _Seen] = {}

    def see(self, captured: Mapping[str, int], shown: Iterable[Shown]) -> None:
        """To be called often. captured: camera → frames that it has given"""
        now = self._clock_ns()
        for camera, count in captured.items():
            seen = self._cameras.setdefault(camera, _Seen())
            if count > seen.captured:
                seen.captured, seen.newest_ns = count, now
                seen.since_ns = seen.since_ns or now
        for each in shown:
            seen = self._cameras.setdefault(each.ref.camera, _Seen())
            seen.since_ns = None if each.ref.position + 1 >= seen.captured else now

    def held_up(self) -> dict[str, float]:
        """Camera → for how many seconds frames have come in of which none has come through; only when too long."""
        late = {name: self._late_s(seen) for name, seen in self._cameras.items()}
        return {name: late_s for name, late_s in late.items() if late_s > self._stale_s}

    @staticmethod
    def _late_s(seen: _Seen) -> float:
        return 0.0 if seen.since_ns is None else (seen.newest_ns - seen.since_ns) / 1e9
