"""Reading a file of events on from where one was, over its rotations, and noticing that it was written anew.

A part keeps its inode when it gets another name, so the place is an inode and an offset. Inodes are used again by the
file system; the anchor, what stands right before the offset, tells whether it still is the same file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pipeline.parts import all_parts

_ANCHOR_BYTES = 256


@dataclass(frozen=True, slots=True)
class Place:
    """Behind a whole line of the part with this inode."""

    inode: int
    offset: int
    anchor: str


@dataclass(frozen=True, slots=True)
class Read:
    """lines  whole ones, without their ends
    place  behind the last of them; None: there is no file
    anew   the place that was given is lost: this begins with the oldest part, and repeats what was read before
    """

    lines: list[bytes]
    place: Place | None
    anew: bool = False


def read_on(log: Path, place: Place | None, *, most_bytes: int = 1 << 20) -> Read:
    """What follows on the place, or comes first; no lines when there is nothing new."""
    with _opened(log) as parts:
        inodes = [os.fstat(part).st_ino for part in parts]
        anew = place is not None
        if place is not None and place.inode in inodes:
            at = inodes.index(place.inode)
            if _anchor(parts[at], place.offset) == place.anchor:
                parts, inodes, anew = parts[at:], inodes[at:], False
        offset = 0 if anew or place is None else place.offset
        for part, inode in zip(parts, inodes, strict=True):
            lines = _whole_lines(part, offset, most_bytes)
            if lines or part == parts[-1]:
                offset += sum(len(line) + 1 for line in lines)
                return Read(lines, Place(inode, offset, _anchor(part, offset)), anew)
            offset = 0
    return Read([], None)


@contextmanager
def _opened(log: Path) -> Iterator[list[int]]:
    """Each part once, oldest first, although the file may become a part meanwhile."""
    opened: dict[int, int] = {}
    try:
        # The file itself first: what it was cannot hide behind another name then.
        for path in reversed(all_parts(log)):
            try:
                part = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            except FileNotFoundError:
                continue
            inode = os.fstat(part).st_ino
            if inode in opened:
                os.close(part)
            else:
                opened[inode] = part
        yield list(reversed(opened.values()))
    finally:
        for part in opened.values():
            os.close(part)


def _whole_lines(part: int, offset: int, most_bytes: int) -> list[bytes]:
    """A line that is longer than all that may be read is read all the same."""
    data = os.pread(part, most_bytes, offset)
    while b"\n" not in data:
        more = os.pread(part, most_bytes, offset + len(data))
        if not more:
            return []
        data += more
    return data[: data.rindex(b"\n")].split(b"\n")


def _anchor(part: int, offset: int) -> str:
    """Another one in a file that is shorter than the offset."""
    length = min(offset, _ANCHOR_BYTES)
    before = os.pread(part, length, offset - length)
    return sha256(before).hexdigest()[:16] if len(before) == length else "cut off"
