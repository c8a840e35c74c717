"""Lines that a full disk does not take now: kept in memory, in order, until it takes them again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pipeline.clock import now_ns

MOST = 20_000  # lines of some hundred bytes: a few megabytes
_TRY_EVERY_NS = 1_000_000_000


class WaitingLines:
    """lost  how many were given up because there were too many, the oldest first."""

    def __init__(self, most: int = MOST, clock_ns: Callable[[], int] = now_ns) -> None:
        self._lines: deque[bytes] = deque()
        self._most = most
        self._clock_ns = clock_ns
        self._try_at_ns = 0
        self._has_told = False
        self._waited = 0
        self.lost = 0

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, line: bytes) -> None:
        self._lines.append(line)
        if len(self._lines) > self._most:
            self._lines.popleft()
            self.lost += 1

    def write_out(self, write: Callable[[bytes], None], *, at_once: bool = False) -> None:
        """As many as `write` takes; it raises OSError for one that it has not taken. Tried once a second."""
        if not at_once and self._clock_ns() < self._try_at_ns:
            return
        while self._lines:
            try:
                write(self._lines[0])
            except OSError:
                self._try_at_ns = self._clock_ns() + _TRY_EVERY_NS
                self._waited = max(self._waited, len(self._lines))
                return
            self._lines.popleft()
        self._try_at_ns = 0

    def news(self) -> str | None:
        """For people: once when lines begin to wait, once when they are written."""
        if self._waited and not self._has_told:
            self._has_told = True
            return "events cannot be written now; they wait in memory: make room on the disk"
        if self._has_told and not self._lines:
            lost = f"; {self.lost} were too many and are lost" if self.lost else ""
            self._has_told, self._waited, self.lost = False, 0, 0
            return f"events are written again, and so are those that had to wait{lost}"
        return None
