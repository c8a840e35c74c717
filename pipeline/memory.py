"""Shared memory for the rings.

On Linux it is an anonymous file: it cannot leak, since the kernel frees it with its last process, and it does not
depend on the size of /dev/shm. `posix_fallocate` reserves the pages at once, so that a machine without the memory
says so here and not by SIGBUS in the middle of a frame. Systems that have no such files get memory with a name,
which the parent removes at the end.
"""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import sys
import tempfile
from multiprocessing import reduction
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Protocol

from checkpoints.errors import UserError


class Block(Protocol):
    """Bytes shared between this process and those that are started with it as an argument."""

    name: str
    size: int

    def map(self, *, offset: int = 0, length: int | None = None, writable: bool) -> memoryview:
        """A view that stays valid when the block is closed here."""

    def close(self) -> None:
        """The maker's last act; the memory lives on until nobody has it mapped."""


class AnonymousBlock:
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
            raise _no_room(name, size) from error

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


class NamedBlock:
    """lock_folder  holds one empty file for each slot that is ever locked"""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        try:
            self._memory = SharedMemory(create=True, size=size)
        except OSError as error:
            raise _no_room(name, size) from error
        self.lock_folder = Path(tempfile.mkdtemp(prefix="facewire-locks-"))
        self._made_here = True

    def map(self, *, offset: int = 0, length: int | None = None, writable: bool) -> memoryview:
        length = self.size - offset if length is None else length
        assert self._memory.buf is not None
        view = self._memory.buf[offset : offset + length]
        return view if writable else view.toreadonly()

    def close(self) -> None:
        if self._made_here:
            self._made_here = False
            self._memory.unlink()
            shutil.rmtree(self.lock_folder)

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.name, "size": self.size, "memory": self._memory.name, "folder": str(self.lock_folder)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.name, self.size = state["name"], state["size"]
        self._memory = SharedMemory(state["memory"])
        self.lock_folder = Path(state["folder"])
        self._made_here = False


def anonymous() -> bool:
    return sys.platform == "linux"


def make_block(name: str, size: int) -> AnonymousBlock | NamedBlock:
    return AnonymousBlock(name, size) if anonymous() else NamedBlock(name, size)


def _no_room(name: str, size: int) -> UserError:
    return UserError(
        f"There is not enough memory for the frame bus ({name}).",
        saw=f"{size / 2**20:.0f} MiB wanted",
        fix="use fewer cameras or a smaller --size",
    )
