"""What the desk and those who ask it say to each other: packed records over a Unix socket.

    about                  -> space, dim, count, health
    entries names          -> lines of entries, a chunk at a time, then {"end": true}
    entries_of ids         -> entries
    kept_of ids            -> pictures
    apply change           -> ok
    search rows limit      -> matches
    name_face camera track name -> how many pictures the person was given
An answer may be {"error": [kind, what, saw, fix]} instead.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.gallery.edits import Entry
from pipeline.gallery.gallery import Match
from pipeline.gallery.packing import HEAD

NAME = "desk.sock"
# Larger records are refused: a picture with its cut-out is some ten kilobytes, and requests are split.
LARGEST_BYTES = 64 << 20
ENTRIES = 512  # in a chunk


def unix_sockets() -> bool:
    return hasattr(socket, "AF_UNIX")


@contextmanager
def address(folder: Path) -> Iterator[str]:
    """The socket's address: names of sockets may have 100 bytes only, so on Linux the folder goes by its number."""
    if not Path("/proc/self/fd").is_dir():
        yield str(folder / NAME)
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


def cut(inbox: bytearray) -> tuple[bytes, bytes] | None:
    """Take one whole record off the front: its JSON and the rest; ValueError for one that is too large."""
    if len(inbox) < HEAD.size:
        return None
    head_bytes, rest_bytes = HEAD.unpack_from(inbox)
    if head_bytes + rest_bytes > LARGEST_BYTES:
        raise ValueError(f"a record of {head_bytes + rest_bytes} bytes")
    end = HEAD.size + head_bytes + rest_bytes
    if len(inbox) < end:
        return None
    record = bytes(inbox[HEAD.size : HEAD.size + head_bytes]), bytes(inbox[HEAD.size + head_bytes : end])
    del inbox[:end]
    return record


def said_entry(entry: Entry) -> list[str | None]:
    return [entry.id, entry.name, entry.image_hash, entry.time]


def heard_entry(said: Sequence[str | None]) -> Entry:
    one, name, image_hash, time = said
    return Entry(str(one), None if name is None else str(name), str(image_hash), str(time))


def said_match(match: Match) -> list[str | float | None]:
    return [match.name, match.score, match.picture]


def heard_match(said: Sequence[str | float | None]) -> Match:
    name, score, picture = said
    return Match(None if name is None else str(name), float(score or 0.0), str(picture))
