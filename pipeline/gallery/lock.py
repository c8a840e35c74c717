"""One process at a time: a file that says who holds the gallery.

The kernel holds the lock and frees it when the process dies, so a killed holder leaves nothing to clean up.
What the file says is for people; it is true only while the lock is held.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from types import TracebackType

from checkpoints import json_text
from checkpoints.errors import GalleryError, GalleryLocked
from pipeline.clock import utc_iso

_NOBODY = "somebody who has not said who it is"


class Lock:
    """Held from construction to `release`; GalleryLocked names the holder."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("ab+", buffering=0)
        except OSError as error:
            raise GalleryError(
                "The gallery's lock file cannot be opened.",
                saw=f"{path}: {error.strerror}",
                fix="choose another folder",
            ) from error
        if not _take(self._file.fileno()):
            holder = _holder(path)
            self._file.close()
            raise GalleryLocked(
                "The gallery is in use by another process.",
                saw=f"{path.parent} is held by {holder}",
                fix="stop that process, or use another gallery with --gallery DIR",
            )
        self._say_who()

    def _say_who(self) -> None:
        who = json.dumps({"pid": os.getpid(), "command": _command(), "since": utc_iso()})
        with contextlib.suppress(OSError):  # on a disk that is full the lock holds without a word
            self._file.truncate(0)
            self._file.write(who.encode())

    def release(self) -> None:
        if not self._file.closed:
            self._file.truncate(0)
            self._file.close()

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def _holder(path: Path) -> str:
    try:
        said = json_text.read(path.read_text(encoding="utf-8"))
        return f"process {said['pid']} ({said['command']}) since {said['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return _NOBODY


def _command() -> str:
    """The command line without addresses, which may carry passwords."""
    return " ".join("…" if "://" in word or word.startswith("gst:") else word for word in sys.argv)


if sys.platform == "win32":
    import msvcrt

    # Windows keeps others from reading what is locked, so the locked byte lies far behind the text.
    _LOCKED_BYTE = 1 << 30

    def _take(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
