"""When an output that was given up is tried again: by then the disk may have room, or its folder may be there."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.clock import now_ns
from pipeline.patience import backoff_s

FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 600.0


class Retry:
    """is_wished  false in a run that has an end: there what failed is given up for good"""

    def __init__(self, *, is_wished: bool, clock_ns: Callable[[], int] = now_ns) -> None:
        self._is_wished = is_wished
        self._clock_ns = clock_ns
        self._failures = 0  # in a row
        self._due_ns: int | None = None
        self._begun_ns = clock_ns()

    def failed(self) -> None:
        now = self._clock_ns()
        has_lasted = now - self._begun_ns > LONGEST_PAUSE_S * 1e9
        self._failures = 1 if has_lasted else self._failures + 1
        self._due_ns = now + int(backoff_s(self._failures, FIRST_PAUSE_S, LONGEST_PAUSE_S) * 1e9)

    def take(self) -> bool:
        """True once when it is time for another try."""
        if not self._is_wished or self._due_ns is None or self._clock_ns() < self._due_ns:
            return False
        self._due_ns, self._begun_ns = None, self._clock_ns()
        return True
