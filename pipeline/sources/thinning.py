"""Fewer pictures than a camera gives."""

from __future__ import annotations

_EARLY = 0.1  # of a period: what comes so little before its time counts as on time


class Thinning:
    """fps None: all pictures are wanted."""

    def __init__(self, fps: float | None) -> None:
        self._period_s = 1 / fps if fps else 0.0
        self._due_s = 0.0

    def wants(self, at_s: float) -> bool:
        """at_s  never goes back"""
        if at_s < self._due_s - _EARLY * self._period_s:
            return False
        self._due_s = max(self._due_s + self._period_s, at_s - self._period_s)
        return True
