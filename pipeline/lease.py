"""Who may touch a slot: one byte-range lock for each, freed by the kernel when its holder dies.

Open-file-description locks belong to the descriptor and not to the process: two readers in one process do not
free each other's, and a stage killed by SIGKILL leaves nothing behind. Taking one is a system call and so
also the memory fence that a processor like Jetson's needs.
"""

from __future__ import annotations

import fcntl
import os
import struct

from pipeline.memory import Block


def _request(kind: int, slot: int) -> bytes:
    return struct.pack("hhqqi", kind, os.SEEK_SET, slot, 1, 0)


class SlotLocks:
    """The locks of one endpoint of a ring. Taking never waits; a shared lock may be taken several times."""

    def __init__(self, block: Block, slots: int) -> None:
        self._fd = block.open()
        self._shared = [_request(fcntl.F_RDLCK, slot) for slot in range(slots)]
        self._exclusive = [_request(fcntl.F_WRLCK, slot) for slot in range(slots)]
        self._free = [_request(fcntl.F_UNLCK, slot) for slot in range(slots)]
        self._held = [0] * slots

    def share(self, slot: int) -> bool:
        if not self._held[slot] and not self._take(self._shared[slot]):
            return False
        self._held[slot] += 1
        return True

    def own(self, slot: int) -> bool:
        if self._held[slot] or not self._take(self._exclusive[slot]):
            return False
        self._held[slot] = 1
        return True

    def free(self, slot: int) -> None:
        self._held[slot] -= 1
        if not self._held[slot]:
            self._take(self._free[slot])

    def close(self) -> None:
        os.close(self._fd)

    def _take(self, request: bytes) -> bool:
        try:
            fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, request)
        except (BlockingIOError, PermissionError):
            return False
        return True
