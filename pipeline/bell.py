"""Waking another process: an eventfd, or a pipe where there is none. A killed waiter or ringer cannot break it."""

from __future__ import annotations

import os
import select
import sys
from multiprocessing import reduction
from typing import Any


class Bell:
    """One for each process: everybody may ring, one waits. A ring that nobody waits for is kept until somebody does."""

    def __init__(self, *, pipe: bool = sys.platform != "linux") -> None:
        if pipe:
            self._wait_fd, self._ring_fd = os.pipe()
            os.set_blocking(self._wait_fd, False)
            os.set_blocking(self._ring_fd, False)
        else:
            self._wait_fd = self._ring_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._listen()

    def _listen(self) -> None:
        self._poll = select.poll()
        self._poll.register(self._wait_fd, select.POLLIN)

    def fileno(self) -> int:
        return self._wait_fd

    def ring(self) -> None:
        try:
            os.write(self._ring_fd, b"\1\0\0\0\0\0\0\0" if sys.byteorder == "little" else b"\0\0\0\0\0\0\0\1")
        except BlockingIOError:
            return  # it is full: it rings already

    def wait(self, timeout_s: float) -> bool:
        """True when it rang. Never waits longer than told."""
        if not self._poll.poll(timeout_s * 1000):
            return False
        self.silence()
        return True

    def silence(self) -> None:
        try:
            while len(os.read(self._wait_fd, 4096)) == 4096:
                continue
        except BlockingIOError:
            return  # it did not ring

    def close(self) -> None:
        for fd in {self._wait_fd, self._ring_fd}:
            os.close(fd)

    def __getstate__(self) -> dict[str, Any]:
        shared = self._wait_fd == self._ring_fd
        return {
            "wait": reduction.DupFd(self._wait_fd),
            "ring": None if shared else reduction.DupFd(self._ring_fd),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._wait_fd = state["wait"].detach()
        self._ring_fd = self._wait_fd if state["ring"] is None else state["ring"].detach()
        self._listen()
