"""When the pictures of a burst are due: as far from each other as their stamps say."""

from __future__ import annotations

_LATE_S = 1.0  # what comes so much too late is caught up; what comes later yet moves all that follows
_LONGEST_STEP_S = 5.0  # a stamp that is farther from the one before has jumped


class Playout:
    def __init__(self) -> None:
        self._stamp_s: float | None = None
        self._due_ns: int | None = None

    def due_ns(self, stamp_s: float | None, now_ns: int) -> int:
        """stamp_s: what the stream says; None: nothing. A moment that has passed means at once."""
        step_s = stamp_s - self._stamp_s if stamp_s is not None and self._stamp_s is not None else 0.0
        self._stamp_s = stamp_s
        due_ns = now_ns if self._due_ns is None else self._due_ns
        if 0 < step_s <= _LONGEST_STEP_S:
            due_ns += int(step_s * 1e9)
        self._due_ns = now_ns if now_ns - due_ns > _LATE_S * 1e9 else due_ns
        return self._due_ns
