"""Changes that a server has not been told yet, on disk, in order.

The file is only appended to. An entry is its number, its checksum and a packed change, and is on the disk before
anybody is told that the change is safe; a `done` entry says which number the server has confirmed. A power cut can
leave half an entry at the end: it was never confirmed to anybody and is cut off. When all is done the file is emptied.
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from checkpoints.errors import GalleryError
from checkpoints.sealed import UNSEALED, Seal
from pipeline.gallery.appended import Appended
from pipeline.gallery.cutouts import sync_folder
from pipeline.gallery.edits import Change
from pipeline.gallery.packing import HEAD, packed, packed_change, said_change, unpacked_whole

_FRAME = struct.Struct("!IQI")  # length of what follows the frame, number, checksum of number and what follows
_NUMBER = struct.Struct("!Q")


@dataclass(frozen=True, slots=True)
class Waiting:
    number: int
    change: Change


class Journal:
    """Used by one process; its methods are not for two threads at once."""

    def __init__(self, path: Path, seal: Seal = UNSEALED) -> None:
        self._path = path
        self._seal = seal
        self._waiting: deque[Waiting] = deque()
        self._last = 0
        self._before_newest = 0  # size of the file before the newest entry
        with ExitStack() as undo:
            try:
                self._file = undo.enter_context(closing(Appended(path)))
                self._read()
                sync_folder(path.parent)
            except OSError as error:
                raise self._failed("opened", error) from error
            undo.pop_all()

    def __len__(self) -> int:
        return len(self._waiting)

    def first(self) -> Waiting | None:
        return self._waiting[0] if self._waiting else None

    def changes(self) -> list[Change]:
        return [waiting.change for waiting in self._waiting]

    def append(self, change: Change) -> None:
        """When it returns the change is on the disk; when it raises it is not."""
        self._write(self._last + 1, packed_change(change), sync=True)
        self._last += 1
        self._waiting.append(Waiting(self._last, change))

    def retract(self) -> None:
        """Take the newest entry back: what it says did not happen."""
        self._waiting.pop()
        try:
            self._file.cut(self._before_newest, sync=True)
        except OSError as error:
            raise self._failed("written", error) from error

    def done(self, number: int) -> None:
        """The server has confirmed the first one. Forgetting that in a power cut is harmless: it is told again."""
        assert self._waiting[0].number == number
        self._waiting.popleft()
        if self._waiting:
            self._write(self._last + 1, packed({"done": number}), sync=False)
            self._last += 1
            return
        try:
            self._file.cut(0, sync=False)
        except OSError as error:
            raise self._failed("written", error) from error

    def reseal(self) -> int:
        """Write all that waits anew, under the first key; return how much that was."""
        making = self._path.with_suffix(".making")
        making.unlink(missing_ok=True)
        fresh = Journal(making, self._seal)
        for change in self.changes():
            fresh.append(change)
        fresh.close()
        try:
            making.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise self._failed("written", error) from error
        return len(self)

    def close(self) -> None:
        self._file.close()

    def _write(self, number: int, said: bytes, *, sync: bool) -> None:
        body = self._seal.seal(said, _about(number))
        frame = _FRAME.pack(len(body), number, _checksum(number, body))
        before = self._file.size
        try:
            self._file.append(frame + body, sync=sync)
        except OSError as error:
            raise self._failed("written", error) from error
        self._before_newest = before

    def _read(self) -> None:
        data = self._path.read_bytes()
        at = 0
        while at < len(data):
            body = _entry_at(data, at)
            if body is None:
                self._cut(data, at)
                return
            _, number, _ = _FRAME.unpack_from(data, at)
            self._take(number, self._seal.open(body, _about(number)))
            at += _FRAME.size + len(body)

    def _take(self, number: int, body: bytes) -> None:
        said, pictures = unpacked_whole(body)
        self._last = number
        if "done" in said:
            while self._waiting and self._waiting[0].number <= said["done"]:
                self._waiting.popleft()
        else:
            self._waiting.append(Waiting(number, said_change(said, pictures)))

    def _cut(self, data: bytes, at: int) -> None:
        """Only the last entry can be torn; damage with whole entries behind it is not a power cut."""
        if any(_entry_at(data, later) is not None for later in range(at + 1, len(data) - _FRAME.size)):
            raise GalleryError(
                "The journal of changes that wait for the server is damaged.",
                saw=f"{self._path}: byte {at} of {len(data)}",
                fix="move the file away: the changes after that byte are lost to the server, not to the local copy",
            )
        self._file.cut(at, sync=True)

    def _failed(self, what: str, error: OSError) -> GalleryError:
        return GalleryError(
            f"The journal of changes that wait for the server cannot be {what}; nothing was changed.",
            saw=f"{self._path}: {error.strerror}",
            fix="see that the disk is not full and the file is yours",
        )


def _entry_at(data: bytes, at: int) -> bytes | None:
    """What the whole and undamaged entry at this place says."""
    if at + _FRAME.size > len(data):
        return None
    length, number, checksum = _FRAME.unpack_from(data, at)
    body = data[at + _FRAME.size : at + _FRAME.size + length]
    if length < HEAD.size or len(body) < length or _checksum(number, body) != checksum:
        return None
    return body


def _about(number: int) -> str:
    return f"change {number} that waits for the server"


def _checksum(number: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(_NUMBER.pack(number)))
