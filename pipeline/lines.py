"""A file of lines that several processes append to while another may take lines out.

Each line is one write at the end of the file, so lines do not mix. Who takes lines out writes the file anew beside it
and renames it; who appends sees that the file is another one and goes on there. The kernel's lock on the file keeps
the two apart, and frees it when its holder dies.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

Chosen = Callable[[Iterable[bytes]], Iterable[bytes]]


class Lines:
    """The file, made when there is none; OSError where it cannot be opened or written."""

    def __init__(self, path: Path, *, mode: int = 0o644) -> None:
        self.path = path
        self._mode = mode
        self._fd = self._open()

    def append(self, line: bytes, *, sync: bool = False) -> None:
        """`line` without its end. `sync`: it survives a power cut."""
        data = line + b"\n"
        with self._current():
            written = os.write(self._fd, data)
            if written < len(data):
                self._take_back(written)
                raise OSError(errno.ENOSPC, "the disk is full")
            if sync:
                os.fsync(self._fd)

    def _take_back(self, written: int) -> None:
        """The half line that a full disk has left, unless somebody has already gone on behind it."""
        end = os.lseek(self._fd, 0, os.SEEK_CUR)
        if stat.S_ISREG(os.fstat(self._fd).st_mode) and os.fstat(self._fd).st_size == end:
            os.ftruncate(self._fd, end - written)

    @property
    def size(self) -> int:
        """In bytes; 0 of what is no file, such as a pipe."""
        found = os.fstat(self._fd)
        return found.st_size if stat.S_ISREG(found.st_mode) else 0

    def end(self, longest: int) -> bytes:
        """The last bytes."""
        size = os.fstat(self._fd).st_size
        return os.pread(self._fd, longest, max(0, size - longest))

    def identity(self) -> tuple[int, int, int]:
        """Another one as soon as the file is another one or has grown."""
        found = self.path.stat()
        return found.st_dev, found.st_ino, found.st_size

    def close(self) -> None:
        os.close(self._fd)

    def _open(self) -> int:
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), self._mode)
        _lock(fd, alone=True)  # a line that somebody is just writing over the end of a page may be seen half written
        try:
            _end_half_line(fd)
        except OSError:
            os.close(fd)  # and the lock with it
            raise
        _unlock(fd)
        return fd

    @contextlib.contextmanager
    def _current(self) -> Iterator[None]:
        """The file of this name, and nobody takes lines out of it meanwhile."""
        while True:
            _lock(self._fd, alone=False)
            if self._is_current():
                break
            _unlock(self._fd)
            old, self._fd = self._fd, self._open()
            os.close(old)
        try:
            yield
        finally:
            _unlock(self._fd)

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._fd), self.path.stat())
        except FileNotFoundError:
            return False


def rewrite(path: Path, chosen: Chosen) -> None:
    """Replace the file by those of its lines that `chosen` gives back; a crash leaves the old one or the new one.

    The function may go through the lines as often as it likes. Lines are without their ends; the half line of a writer
    that was killed is dropped. The file is as old as it was: what is erased by its age is judged by its last line.
    """
    path = path.resolve()  # a link stays a link
    fd = _open_alone(path)
    making = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _erase_unfinished(path)
        with making.open("wb") as new:
            making.chmod(os.fstat(fd).st_mode & 0o7777)
            for line in chosen(WholeLines(path)):
                new.write(line + b"\n")
            new.flush()
            os.fsync(new.fileno())
        os.utime(making, ns=(os.fstat(fd).st_atime_ns, os.fstat(fd).st_mtime_ns))
        making.replace(path)
    finally:
        making.unlink(missing_ok=True)
        os.close(fd)


def sweep(path: Path) -> None:
    """Erase what a rewriting that was killed has left beside the file, which may be gone itself."""
    path = path.resolve()
    if not _unfinished(path):
        return
    try:
        fd = _open_alone(path)
    except FileNotFoundError:
        _erase_unfinished(path)
        return
    try:
        _erase_unfinished(path)  # with the lock there is none that somebody is still at
    finally:
        os.close(fd)


def _erase_unfinished(path: Path) -> None:
    for one in _unfinished(path):
        one.unlink(missing_ok=True)


def _unfinished(path: Path) -> list[Path]:
    name = re.compile(rf"\.{re.escape(path.name)}\.\d+")
    return [one for one in path.parent.iterdir() if name.fullmatch(one.name)]


def put_aside(path: Path, choose: Callable[[], Path], *, least_bytes: int) -> bool:
    """Give the file the name that `choose` gives, while nobody writes to it; who appends next makes a new one.

    False when it is not that long: somebody else was quicker.
    """
    try:
        fd = _open_alone(path)
    except FileNotFoundError:
        return False
    try:
        if os.fstat(fd).st_size < least_bytes:
            return False
        path.rename(choose())
        return True
    finally:
        os.close(fd)


def _end_half_line(fd: int) -> None:
    """That a power cut or a full disk has left."""
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode) and found.st_size and os.pread(fd, 1, found.st_size - 1) != b"\n":
        os.write(fd, b"\n")


def _open_alone(path: Path) -> int:
    while True:
        fd = os.open(path, os.O_RDWR)
        try:
            _lock(fd, alone=True)
            is_current = os.path.samestat(os.fstat(fd), path.stat())
        except OSError:
            os.close(fd)
            raise
        if is_current:
            return fd
        os.close(fd)  # somebody else has just rewritten it


class WholeLines:
    """The lines of a file, from the start each time one goes through them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line[:-1]


if sys.platform == "win32":  # an open file cannot be replaced there: who tries is told so by the system

    def _lock(fd: int, *, alone: bool) -> None:
        del fd, alone

    def _unlock(fd: int) -> None:
        del fd
else:
    import fcntl

    def _lock(fd: int, *, alone: bool) -> None:
        # Some network file systems have no locks: appending works there all the same.
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)

    def _unlock(fd: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)
