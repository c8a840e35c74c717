"""Whether pictures wait in the network's buffers, so that what is decoded now is old.

A reader that has to wait for the network is up to date. One that never waits has fallen behind: the machine was busy,
or the process was stopped for a while. Stamps cannot tell: cameras count as they like.
"""

from __future__ import annotations

import resource
from typing import Literal

Haste = Literal["none", "thin", "key frames"]

BEHIND_S = 0.5  # of reading without a wait: publish only now and then, so that decoding is all the work
FAR_BEHIND_S = 3.0  # decoding alone is too slow: leave out all that others do not need
THIN_EVERY_S = 0.2


def waits() -> int:
    """How often this thread has given the processor away by itself; being interrupted does not count."""
    return resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)).ru_nvcsw


class Backlog:
    def __init__(self) -> None:
        self._busy_since_ns: int | None = None
        self._published_ns = 0

    def read(self, *, waited: bool, now_ns: int) -> None:
        """A packet was read."""
        if waited:
            self._busy_since_ns = None
        elif self._busy_since_ns is None:
            self._busy_since_ns = now_ns

    def haste(self, now_ns: int) -> Haste:
        busy_s = 0.0 if self._busy_since_ns is None else (now_ns - self._busy_since_ns) / 1e9
        if busy_s <= BEHIND_S:
            return "none"
        return "thin" if busy_s <= FAR_BEHIND_S else "key frames"

    def worth_publishing(self, now_ns: int) -> bool:
        if self.haste(now_ns) != "none" and now_ns - self._published_ns < THIN_EVERY_S * 1e9:
            return False
        self._published_ns = now_ns
        return True
