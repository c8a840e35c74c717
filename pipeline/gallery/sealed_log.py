"""The file of an encrypted gallery: changes in their order, each sealed with its number.

    a line of JSON (format, version, id, space, dim) | u32 length, u32 complement, sealed change | …

Changes are appended and are on the disk before anybody is told so. What is erased is erased by writing the file anew,
so nothing of it is left. Each change is sealed together with the first line and its number: none can be moved, left
out in the middle, or taken over from another file. The first change says nothing; it is there to know the key by.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from checkpoints import json_text
from checkpoints.errors import GalleryError, SealBroken
from checkpoints.sealed import Seal
from pipeline.gallery.appended import Appended
from pipeline.gallery.cutouts import sync_folder
from pipeline.gallery.edits import Change
from pipeline.gallery.packing import packed_change, said_change, unpacked_whole

FILE_NAME = "gallery.sealed"
_FORMAT = "facewire sealed gallery"
_VERSION = 1
_ALL_ONES = 0xFFFFFFFF
_LENGTH = struct.Struct("!II")  # and its complement, so that damage is never taken for the end


@dataclass(frozen=True, slots=True)
class Header:
    """line  as it stands in the file, without its end"""

    space: str
    dim: int
    line: bytes

    def about(self, number: int) -> str:
        return f"gallery {hashlib.sha256(self.line).hexdigest()[:32]}, change {number}"


class SealedLog:
    """Used by who holds the gallery's lock."""

    def __init__(self, folder: Path, seal: Seal) -> None:
        self._path = folder / FILE_NAME
        self._seal = seal
        self._file: Appended | None = None
        self._header = Header("", 0, b"")
        self._next = 0

    @property
    def header(self) -> Header:
        return self._header

    def read(self) -> list[Change]:
        """SealError for a wrong key, GalleryError for a damaged file; both leave it as it is."""
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise _unusable(self._path, error) from error
        self._header = _header(self._path, data)
        changes: list[Change] = []
        at, number = len(self._header.line) + 1, 0
        while (body := self._body(data, at, number)) is not None:
            if number:
                changes.append(said_change(*unpacked_whole(body)))
            length, _ = _LENGTH.unpack_from(data, at)
            at, number = at + _LENGTH.size + length, number + 1
        if not number:
            raise _damaged(self._path, "it ends before its first change")
        self._next = number
        if at < len(data):
            self._cut(at)
        return changes

    def is_current(self) -> bool:
        """Whether all changes are under the first key."""
        data = self._path.read_bytes()
        at = data.index(b"\n") + 1
        while at + _LENGTH.size < len(data):
            length, _ = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
            if not self._seal.is_current(data[at : at + length]):
                return False
            at += length
        return True

    def append(self, change: Change) -> None:
        """When it returns the change is on the disk; when it raises it is not."""
        frame = self._frame(self._header, self._next, packed_change(change))
        try:
            self._opened().append(frame, sync=True)
        except OSError as error:
            raise _unusable(self._path, error) from error
        self._next += 1

    def write_anew(self, changes: Iterable[Change], *, space: str, dim: int) -> None:
        """Another file takes this one's place, with these changes only; a crash leaves the one or the other."""
        said = {"format": _FORMAT, "version": _VERSION, "id": str(uuid4()), "space": space, "dim": dim}
        header = Header(space, dim, json.dumps(said).encode())
        making, number = self._path.with_suffix(".making"), 0
        try:
            making.touch(mode=0o600)
            with making.open("wb") as file:
                file.write(header.line + b"\n" + self._frame(header, 0, b""))
                for number, change in enumerate(changes, 1):
                    file.write(self._frame(header, number, packed_change(change)))
                file.flush()
                os.fsync(file.fileno())
            self.close()
            making.replace(self._path)
            self._header, self._next = header, number + 1
            sync_folder(self._path.parent)
        except OSError as error:
            making.unlink(missing_ok=True)
            raise _unusable(self._path, error) from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> Appended:
        if self._file is None:
            self._file = Appended(self._path)
        return self._file

    def _frame(self, header: Header, number: int, body: bytes) -> bytes:
        sealed = self._seal.seal(body, header.about(number))
        return _LENGTH.pack(len(sealed), len(sealed) ^ _ALL_ONES) + sealed

    def _body(self, data: bytes, at: int, number: int) -> bytes | None:
        """None at the end, and for the half change that a power cut has left there."""
        if at + _LENGTH.size > len(data):
            return None
        length, complement = _LENGTH.unpack_from(data, at)
        if length == complement == 0 and data.count(b"\0", at) == len(data) - at:
            return None
        frame = data[at + _LENGTH.size : at + _LENGTH.size + length]
        damaged = _damaged(self._path, f"change {number}, at byte {at} of {len(data)}")
        if length ^ complement != _ALL_ONES:
            raise damaged
        if len(frame) < length:
            return None
        try:
            return self._seal.opened(frame, self._header.about(number))
        except SealBroken:
            raise damaged from None

    def _cut(self, size: int) -> None:
        try:
            os.truncate(self._path, size)
        except OSError as error:
            raise _unusable(self._path, error) from error


def _header(path: Path, data: bytes) -> Header:
    line = data[: data.find(b"\n")] if b"\n" in data[:4096] else b""
    try:
        said = json_text.read(line)
        space, dim, version = str(said["space"]), int(said["dim"]), int(said["version"])
        if said["format"] != _FORMAT or not 0 < dim <= 1 << 16:
            raise ValueError("another kind of file")
    except (ValueError, KeyError, TypeError, OverflowError):
        raise _damaged(path, "its first line is none of an encrypted gallery") from None
    if version > _VERSION:
        raise GalleryError(
            "The gallery was written by a newer version of this program.",
            saw=f"{path}: version {version}, this program writes version {_VERSION}",
            fix="update this program, or use another gallery with --gallery DIR",
        )
    return Header(space, dim, line)


def _damaged(path: Path, saw: str) -> GalleryError:
    return GalleryError(
        "The encrypted gallery is damaged, or somebody has changed it.",
        saw=f"{path}: {saw}",
        fix="bring it back from a backup, or move the folder away and enrol again; nothing was changed",
    )


def _unusable(path: Path, error: OSError) -> GalleryError:
    return GalleryError(
        "The encrypted gallery cannot be read or written; nothing was changed.",
        saw=f"{path}: {error.strerror}",
        fix="see that the disk is not full and the file is yours",
    )
