"""Who may touch a slot: one lock for each, freed by the kernel when its holder dies.

The locks belong to an open file and not to the process: two readers in one process do not free each other's, and a
stage killed by SIGKILL leaves nothing behind. Taking one is a system call and so also the memory fence that a
processor like Jetson's needs.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

from pipeline.memory import AnonymousBlock, NamedBlock

_FLOCK = "hhqqi"  # struct flock of 64-bit Linux: kind, whence, start, length, pid


class SlotLocks:
    """The locks of one endpoint of a ring. Taking never waits; a shared lock may be taken several times."""

    def __init__(self, block: AnonymousBlock | NamedBlock, slots: int) -> None:
        self._kernel = _Ranges(block) if isinstance(block, AnonymousBlock) else _Files(block.lock_folder, slots)
        self._held = [0] * slots

    def share(self, slot: int) -> bool:
        if not self._held[slot] and not self._kernel.take(slot, fcntl.LOCK_SH):
            return False
        self._held[slot] += 1
        return True

    def own(self, slot: int) -> bool:
        if self._held[slot] or not self._kernel.take(slot, fcntl.LOCK_EX):
            return False
        self._held[slot] = 1
        return True

    def unowned(self, slot: int) -> bool:
        """Whether nobody owns the slot at this moment; nothing is taken, so nobody is held up."""
        return self._kernel.unowned(slot)

    def free(self, slot: int) -> None:
        self._held[slot] -= 1
        if not self._held[slot]:
            self._kernel.take(slot, fcntl.LOCK_UN)

    def close(self) -> None:
        self._kernel.close()


class _Ranges:
    """Byte ranges of the memory file itself, as open-file-description locks (Linux)."""

    def __init__(self, block: AnonymousBlock) -> None:
        self._fd = block.open()

    def take(self, slot: int, how: int) -> bool:
        kind = {fcntl.LOCK_SH: fcntl.F_RDLCK, fcntl.LOCK_EX: fcntl.F_WRLCK, fcntl.LOCK_UN: fcntl.F_UNLCK}[how]
        try:
            fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, kind, os.SEEK_SET, slot, 1, 0))
        except (BlockingIOError, PermissionError):
            return False
        return True

    def unowned(self, slot: int) -> bool:
        asked = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, slot, 1, 0)
        answer: bytes = fcntl.fcntl(self._fd, fcntl.F_OFD_GETLK, asked)
        return bool(struct.unpack(_FLOCK, answer)[0] == fcntl.F_UNLCK)

    def close(self) -> None:
        os.close(self._fd)


class _Files:
    """A file for each slot, locked as a whole (where memory has a name)."""

    def __init__(self, folder: Path, slots: int) -> None:
        self._fds = [os.open(folder / str(slot), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for slot in range(slots)]

    def take(self, slot: int, how: int) -> bool:
        try:
            fcntl.flock(self._fds[slot], how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unowned(self, slot: int) -> bool:
        """These locks can only be asked by trying."""
        if not self.take(slot, fcntl.LOCK_SH):
            return False
        self.take(slot, fcntl.LOCK_UN)
        return True

    def close(self) -> None:
        for fd in self._fds:
            os.close(fd)
