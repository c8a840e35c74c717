"""Compiled engines on disk: one file each, checked before use, mapped instead of read."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import secrets
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HEADER_BYTES = 4096  # a page, so that what follows lies on a page too
_SURELY_DEAD_S = 3600.0  # a writer that was killed leaves its unfinished file


class BlobDamaged(Exception):
    """The file is there but is not what its name promises."""


class Blob:
    """The bytes of a compiled engine, mapped from its file."""

    def __init__(self, mapped: mmap.mmap) -> None:
        self._mapped = mapped

    @property
    def bytes(self) -> NDArray[np.uint8]:
        return np.frombuffer(self._mapped, np.uint8, offset=HEADER_BYTES)

    def release_memory(self) -> None:
        """Let the kernel take the pages back: a runtime has packed the weights its own way by now and seldom looks at
        these. Pages that it does look at come from the file again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)


def read_blob(path: Path, key: str) -> Blob | None:
    """The blob, None if there is no file; BlobDamaged for a file that was cut, changed or made for something else."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size <= HEADER_BYTES:
                raise BlobDamaged("it is too short")
            # Runtimes want memory that could be written to; a private map is that and leaves the file alone.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BlobDamaged(f"it cannot be read: {error}") from error
    try:
        header = json.loads(mapped[:HEADER_BYTES])
        written_for, digest = header["key"], header["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise BlobDamaged("its header is not readable") from error
    if written_for != key:
        raise BlobDamaged("it was made for another model, machine or version")
    if hashlib.sha256(memoryview(mapped)[HEADER_BYTES:]).hexdigest() != digest:
        raise BlobDamaged("its contents have changed since they were written")
    return Blob(mapped)


def write_blob(path: Path, key: str, content: bytes) -> None:
    """Appears whole or not at all, also when two processes write it at once."""
    header = json.dumps({"key": key, "sha256": hashlib.sha256(content).hexdigest()}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    for left_behind in path.parent.glob(f".{path.name}.*"):
        if time.time() - left_behind.stat().st_mtime > _SURELY_DEAD_S:
            left_behind.unlink(missing_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("xb") as file:
            file.write(header.ljust(HEADER_BYTES))
            file.write(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
