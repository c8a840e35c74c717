"""A file that is only appended to, of which each entry is there whole or not at all.

A disk that fills takes a part of what it is given, and what is told to be refused must never be read again.
"""

from __future__ import annotations

import os
from pathlib import Path


class Appended:
    """Used by one process. OSError where the file cannot be opened, written or cut.

    size  in bytes, of what counts
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size

    def append(self, entry: bytes, *, sync: bool) -> None:
        """When it returns the entry is in the file, and with `sync` on the disk; when it raises it is not."""
        if os.fstat(self._file.fileno()).st_size > self.size:
            self.cut(self.size, sync=sync)  # what could not be cut off when it was refused
        try:
            left = memoryview(entry)
            while left:
                left = left[self._file.write(left) :]
            if sync:
                os.fsync(self._file.fileno())
        except OSError:
            self.cut(self.size, sync=False)
            raise
        self.size += len(entry)

    def cut(self, size: int, *, sync: bool) -> None:
        """Leave the first `size` bytes."""
        self._file.truncate(size)
        self.size = size
        if sync:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()
