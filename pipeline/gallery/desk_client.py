"""A gallery that another process holds, asked at that process's desk."""

from __future__ import annotations

import select
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import EnrolmentError, GalleryError
from pipeline.gallery.desk_frames import address, cut, heard_entry, heard_match, unix_sockets
from pipeline.gallery.edits import Change, Edited, Entry, Put, Rename
from pipeline.gallery.gallery import Health, Kept, Match
from pipeline.gallery.intake import unit_rows
from pipeline.gallery.packing import packed, unpacked

_PATIENCE_S = 20.0  # the holder may be loading models
_FIRST_PATIENCE_S = 5.0
_IDS = 1024  # in a request


def ask_desk(folder: Path) -> DeskGallery | None:
    """The gallery that somebody holds; None when nobody answers at the desk."""
    if not unix_sockets():
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_FIRST_PATIENCE_S)
    try:
        with address(folder) as place:
            connection.connect(place)
        line = _Line(connection)
        about = line.ask({"do": "about"})[0]
        connection.settimeout(_PATIENCE_S)
        return DeskGallery(line, space=about["space"], dim=about["dim"])
    except (OSError, GalleryError):
        connection.close()
        return None


class _Line:
    """One connection: a request, then its answer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._inbox = bytearray()

    def ask(
        self, said: Mapping[str, Any], pictures: Sequence[Kept] = (), tail: bytes = b""
    ) -> tuple[dict[str, Any], list[Kept]]:
        try:
            self._connection.sendall(packed(said, pictures, tail))
        except OSError as error:
            raise _lost(error) from error
        return self.next()

    def next(self) -> tuple[dict[str, Any], list[Kept]]:
        try:
            while (record := cut(self._inbox)) is None:
                data = self._connection.recv(1 << 20)
                if not data:
                    raise _lost("it has ended")
                self._inbox += data
            answer, pictures, _ = unpacked(*record)
        except (OSError, ValueError) as error:
            self._connection.close()  # half an answer may still be on its way
            raise _lost(error) from error
        if "error" in answer:
            kind, what, saw, fix = answer["error"]
            raise {"EnrolmentError": EnrolmentError}.get(kind, GalleryError)(what, saw=saw, fix=fix)
        return answer, pictures

    @property
    def broken(self) -> bool:
        """Something has come that was not asked for: the end."""
        return bool(select.select([self._connection], [], [], 0)[0])

    def close(self) -> None:
        self._connection.close()


class DeskGallery(Edited):
    def __init__(self, line: _Line, *, space: str, dim: int) -> None:
        super().__init__(space=space, dim=dim)
        self._line = line

    def count(self) -> int:
        return int(self._line.ask({"do": "about"})[0]["count"])

    def entries(self, names: Collection[str | None] | None = None) -> Iterator[Entry]:
        """Read to the end at once: the line is needed for the next question."""
        found: list[Entry] = []
        answer, _ = self._line.ask({"do": "entries", "names": None if names is None else list(names)})
        found += map(heard_entry, answer["entries"])
        while "end" not in answer:
            answer, _ = self._line.next()
            found += map(heard_entry, answer["entries"])
        return iter(found)

    def entries_of(self, ids: Collection[str]) -> list[Entry]:
        found: list[Entry] = []
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _IDS):
            answer, _ = self._line.ask({"do": "entries_of", "ids": wanted[start : start + _IDS]})
            found += map(heard_entry, answer["entries"])
        return found

    def kept_of(self, ids: Sequence[str]) -> list[Kept]:
        found: list[Kept] = []
        for start in range(0, len(ids), _PICTURES):
            found += self._line.ask({"do": "kept_of", "ids": list(ids[start : start + _PICTURES])})[1]
        return found

    def apply(self, change: Change) -> None:
        if isinstance(change, Put):
            for some in _portions(change.pictures):
                self._line.ask({"do": "apply", "change": "put"}, some)
        elif isinstance(change, Rename):
            self._line.ask({"do": "apply", "change": "rename", "ids": change.ids, "name": change.name})
        else:
            self._line.ask({"do": "apply", "change": "erase", "ids": change.ids})

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        rows = unit_rows(embeddings, space=self._space, dim=self._dim)
        found: list[list[Match]] = []
        for start in range(0, len(rows), _ROWS):
            tail = rows[start : start + _ROWS].astype("<f4").tobytes()
            answer, _ = self._line.ask({"do": "search", "dim": self._dim, "limit": limit}, tail=tail)
            found += [[heard_match(match) for match in matches] for matches in answer["found"]]
        return found

    def name_face(self, camera: str, track: int, name: str) -> int:
        """Make the face that a camera sees now this person's; return how many pictures the person was given."""
        answer, _ = self._line.ask({"do": "name_face", "camera": camera, "track": track, "name": name})
        return int(answer["named"])

    def health(self) -> Health:
        about, _ = self._line.ask({"do": "about"})
        return Health(about["away_s"], about["waiting"])

    @property
    def gone(self) -> bool:
        """The holder has ended, or has dropped this line."""
        return self._line.broken

    def close(self) -> None:
        self._line.close()


# What one request may hold, so that the holder is back at its own work soon.
_PICTURES = 32
_ROWS = 16
_PORTION_BYTES = 2 << 20


def _portions(pictures: Sequence[Kept]) -> Iterator[list[Kept]]:
    """What a person is given at once goes at once, as long as it is not much."""
    portion: list[Kept] = []
    size = 0
    for kept in pictures:
        jpeg_bytes = len(kept.picture.cutout.jpeg) if kept.picture.cutout is not None else 0
        if portion and size + jpeg_bytes > _PORTION_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(kept)
        size += jpeg_bytes + 4 * len(kept.picture.embedding)
    if portion:
        yield portion


def _lost(why: object) -> GalleryError:
    return GalleryError(
        "The process that holds the gallery does not answer.",
        saw=str(why) or type(why).__name__,
        fix="try again; if it hangs, stop it: the gallery is then opened by this command itself",
    )
