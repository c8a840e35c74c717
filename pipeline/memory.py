"""Shared memory that cannot leak: an anonymous file which the kernel frees with its last process.

It does not depend on the size of /dev/shm. `posix_fallocate` reserves the pages at once, so that a machine without
the memory says so here and not by SIGBUS in the middle of a frame.
"""

from __future__ import annotations

import errno
import mmap
import os
from multiprocessing import reduction
from typing import Any

from checkpoints.errors import UserError


class Block:
    """Bytes shared between this process and those that are started with it as an argument."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self._fd = os.memfd_create(f"facewire-{name}", os.MFD_CLOEXEC)
        try:
            os.posix_fallocate(self._fd, 0, size)
        except OSError as error:
            os.close(self._fd)
            if error.errno not in (errno.ENOSPC, errno.ENOMEM):
                raise
            raise UserError(
                f"There is not enough memory for the frame bus ({name}).",
                saw=f"{size / 2**20:.0f} MiB wanted: {error.strerror}",
                fix="use fewer cameras or a smaller --size",
            ) from error

    def open(self) -> int:
        """A descriptor of its own. A duplicate would share its locks with the others; this one does not."""
        return os.open(f"/proc/self/fd/{self._fd}", os.O_RDWR | os.O_CLOEXEC)

    def map(self, *, offset: int = 0, length: int | None = None, writable: bool) -> memoryview:
        access = mmap.PROT_READ | mmap.PROT_WRITE if writable else mmap.PROT_READ
        length = self.size - offset if length is None else length
        return memoryview(mmap.mmap(self._fd, length, flags=mmap.MAP_SHARED, prot=access, offset=offset))

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.name, "size": self.size, "fd": reduction.DupFd(self._fd)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.name, self.size, self._fd = state["name"], state["size"], state["fd"].detach()
