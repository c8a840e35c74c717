"""Waking another process: an eventfd, which a killed waiter or ringer cannot break."""

from __future__ import annotations

import os
import select
from multiprocessing import reduction
from typing import Any


class Bell:
    """One for each process: everybody may ring, one waits. A ring that nobody waits for is kept until somebody does."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._listen()

    def _listen(self) -> None:
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    def fileno(self) -> int:
        return self._fd

    def ring(self) -> None:
        try:
            os.eventfd_write(self._fd, 1)
        except BlockingIOError:
            return  # the counter is full: it rings already

    def wait(self, timeout_s: float) -> bool:
        """True when it rang. Never waits longer than told."""
        if not self._poll.poll(timeout_s * 1000):
            return False
        self.silence()
        return True

    def silence(self) -> None:
        try:
            os.eventfd_read(self._fd)
        except BlockingIOError:
            return  # it did not ring

    def close(self) -> None:
        os.close(self._fd)

    def __getstate__(self) -> dict[str, Any]:
        return {"fd": reduction.DupFd(self._fd)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._fd = state["fd"].detach()
        self._listen()
