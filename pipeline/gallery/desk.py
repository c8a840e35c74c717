"""The holder's desk: other processes of this user ask the gallery here while it is held.

It has no thread: the holder lets it serve between two pieces of its own work, a few milliseconds at a time. Nobody can
make it wait: sockets do not block, a large answer goes out in chunks, and who does not read for long is dropped.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from checkpoints.errors import EnrolmentError, GalleryError
from pipeline.clock import now_ns
from pipeline.gallery.desk_frames import (
    ENTRIES,
    LARGEST_BYTES,
    NAME,
    address,
    cut,
    said_entry,
    said_match,
    unix_sockets,
)
from pipeline.gallery.edits import PAGE, Change, Edited, Erase, Put, Rename
from pipeline.gallery.gallery import Kept
from pipeline.gallery.intake import check_id
from pipeline.gallery.packing import packed, unpacked

_READ_BYTES = 1 << 20
_CLIENTS = 8
_PATIENCE_NS = 30_000_000_000

# Gives a face that is in sight a name, by its camera and track; returns how many pictures the person was given.
NameFace = Callable[[str, int, str], int]


class Desk:
    """Listens in the gallery's folder, for this user only; where there are no Unix sockets it does nothing."""

    def __init__(self, gallery: Edited, folder: Path, name_face: NameFace | None = None) -> None:
        self._gallery = gallery
        self._name_face = name_face
        self._folder = folder
        self._clients: list[_Client] = []
        self._listening: socket.socket | None = None
        self._ready = selectors.DefaultSelector()
        if unix_sockets() and sys.platform != "win32":
            self._listening = _listen(folder)
            self._ready.register(self._listening, selectors.EVENT_READ)

    def serve_waiting(self, budget_s: float = 0.005) -> None:
        """Serve who waits, until nobody does or the time is over; one request is never cut in two."""
        end_ns = now_ns() + round(budget_s * 1e9)
        while self._serve_once() and now_ns() < end_ns:
            continue

    def close(self) -> None:
        for client in self._clients:
            client.socket.close()
        self._clients = []
        self._ready.close()
        if self._listening is not None:
            self._listening.close()
            (self._folder / NAME).unlink(missing_ok=True)
            self._listening = None

    def _serve_once(self) -> bool:
        """Whether anything was done."""
        if self._listening is None or (not self._clients and not self._ready.select(0)):
            return False
        done = self._welcome(self._listening)
        for client in list(self._clients):
            try:
                done |= client.serve(self._gallery, self._name_face)
                gone = client.gone(now_ns())
            except (OSError, ValueError):
                gone = True  # it went away, or it said what nobody of ours says
            if gone:
                client.socket.close()
                self._clients.remove(client)
        return done

    def _welcome(self, listening: socket.socket) -> bool:
        if len(self._clients) >= _CLIENTS:
            return False
        try:
            arrived, _ = listening.accept()
        except BlockingIOError:
            return False
        arrived.setblocking(False)
        self._clients.append(_Client(arrived))
        return True


class _Client:
    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._inbox = bytearray()
        self._outbox = bytearray()
        self._stream: Iterator[bytes] | None = None
        self._ended = False
        self._moved_ns = now_ns()

    def gone(self, at_ns: int) -> bool:
        return self._ended or (bool(self._outbox or self._inbox) and at_ns - self._moved_ns > _PATIENCE_NS)

    def serve(self, gallery: Edited, name_face: NameFace | None) -> bool:
        """Send what waits, else the next chunk, else answer the next request. Whether anything moved."""
        if not self._outbox and self._stream is not None:
            self._outbox += next(self._stream, b"")
            if not self._outbox:
                self._stream = None
        moved = self._send() if self._outbox else self._receive()
        if not self._outbox and self._stream is None:
            record = cut(self._inbox)
            if record is not None:
                self._stream = _answer(gallery, name_face, *record)
                moved = True
        if moved:
            self._moved_ns = now_ns()
        return moved

    def _send(self) -> bool:
        try:
            sent = self.socket.send(self._outbox[:_READ_BYTES])
        except BlockingIOError:
            return False
        del self._outbox[:sent]
        return sent > 0

    def _receive(self) -> bool:
        if len(self._inbox) > LARGEST_BYTES:
            return False
        try:
            data = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        self._ended = not data
        self._inbox += data
        return bool(data)


def _answer(gallery: Edited, name_face: NameFace | None, head: bytes, rest: bytes) -> Iterator[bytes]:
    said, pictures, tail = unpacked(head, rest)
    _check(said)
    try:
        if said.get("do") == "name_face" and name_face is not None:
            yield packed({"named": name_face(said["camera"], said["track"], said["name"])})
            return
        yield from _answered(gallery, said, pictures, tail)
    except (GalleryError, EnrolmentError) as error:
        yield packed({"error": [type(error).__name__, error.what, error.saw, error.fix]})


# What each request must bring; numbers are checked by what uses them.
_FIELDS: dict[str, dict[str, tuple[type, ...]]] = {
    "entries": {"names": (list, type(None))},
    "entries_of": {"ids": (list,)},
    "kept_of": {"ids": (list,)},
    "apply": {"change": (str,)},
    "search": {"dim": (int,), "limit": (int,)},
    "name_face": {"camera": (str,), "track": (int,), "name": (str,)},
}


def _check(said: object) -> None:
    """ValueError for a request that nobody of ours makes."""
    if not isinstance(said, dict):
        raise ValueError("a request that is no object")
    fields = dict(_FIELDS.get(said.get("do", ""), {}))
    if said.get("change") in ("rename", "erase"):
        fields["ids"] = (list,)
    if said.get("change") == "rename":
        fields["name"] = (str, type(None))
    for key, kinds in fields.items():
        if key not in said or not isinstance(said[key], kinds):
            raise ValueError(f"a request without {key}")
    if not all(isinstance(one, str) for one in said.get("ids", ())):
        raise ValueError("ids that are none")
    if not all(name is None or isinstance(name, str) for name in said.get("names") or ()):
        raise ValueError("names that are none")


def _answered(gallery: Edited, said: dict[str, Any], pictures: list[Kept], tail: bytes) -> Iterator[bytes]:
    asked = said.get("do")
    if asked == "about":
        health = gallery.health()
        yield packed(
            {
                "space": gallery.space,
                "dim": gallery.dim,
                "count": gallery.count(),
                "away_s": health.away_s,
                "waiting": health.waiting,
            }
        )
    elif asked == "entries":
        yield from _entries(gallery, said["names"])
    elif asked == "entries_of":
        yield packed({"entries": [said_entry(entry) for entry in gallery.entries_of(said["ids"])]})
    elif asked == "kept_of":
        yield packed({}, gallery.kept_of(said["ids"][:PAGE]))
    elif asked == "apply":
        gallery.apply(_change(said, pictures))
        yield packed({"ok": True})
    elif asked == "search":
        rows = np.frombuffer(tail, "<f4").astype(np.float32).reshape(-1, said["dim"])
        found = gallery.search(rows, said["limit"])
        yield packed({"found": [[said_match(match) for match in matches] for matches in found]})
    else:
        yield packed({"error": ["GalleryError", "The holder of the gallery does not know this request.", asked, None]})


def _entries(gallery: Edited, names: list[str | None] | None) -> Iterator[bytes]:
    chunk = []
    for entry in gallery.entries(names):
        chunk.append(said_entry(entry))
        if len(chunk) == ENTRIES:
            yield packed({"entries": chunk})
            chunk = []
    yield packed({"entries": chunk, "end": True})


def _change(said: dict[str, Any], pictures: list[Kept]) -> Change:
    for one in (kept.id for kept in pictures):
        check_id(one)
    if said["change"] == "put":
        return Put(tuple(pictures))
    ids = tuple(str(one) for one in said["ids"])
    return Rename(ids, said["name"]) if said["change"] == "rename" else Erase(ids)


def _listen(folder: Path) -> socket.socket:
    """What a killed holder has left is taken away: the gallery's lock says that nobody else listens."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(FileNotFoundError):
            (folder / NAME).unlink()
        with address(folder) as place:
            before = os.umask(0o177)  # so that there is no moment in which others may connect
            try:
                listening.bind(place)
            finally:
                os.umask(before)
        listening.listen(_CLIENTS)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise GalleryError(
            "The gallery's socket cannot be made.",
            saw=f"{folder / NAME}: {error.strerror}",
            fix="choose a folder on a disk of this machine with --gallery DIR",
        ) from error
    return listening
