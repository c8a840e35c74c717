"""When to erase what is too old: once an hour.

A clock that leaps forward would make everything old at once, so after a leap it is not the hour for a day.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone

from pipeline.clock import now_ns

_EVERY_NS = 3600 * 10**9
_LEAP_S = 3600.0
_CALM_NS = 86_400 * 10**9


class Hours:
    """wall_s  seconds since 1970, as far as anybody knows"""

    def __init__(self, *, wall_s: Callable[[], float] = time.time, clock_ns: Callable[[], int] = now_ns) -> None:
        self._wall_s = wall_s
        self._clock_ns = clock_ns
        self._ahead_s = wall_s() - clock_ns() / 1e9
        self._next_ns = clock_ns()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._wall_s(), timezone.utc)

    def strike(self) -> bool:
        """To be asked often: a leap is what the clock has gained since it was asked last."""
        now = self._clock_ns()
        ahead_s = self._wall_s() - now / 1e9
        if ahead_s - self._ahead_s > _LEAP_S:
            self._next_ns = now + _CALM_NS
        self._ahead_s = ahead_s
        if now < self._next_ns:
            return False
        self._next_ns = now + _EVERY_NS
        return True
