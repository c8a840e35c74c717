"""The gallery on disk when there is a key: encrypted in one file, held in memory while it is open.

Cut-outs lie beside it, sealed one by one, and are read when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path

from checkpoints.errors import GalleryError
from checkpoints.sealed import Seal
from pipeline.gallery.cutouts import Cutouts
from pipeline.gallery.edits import Change, Erase, Put
from pipeline.gallery.folder import made_folder, other_space
from pipeline.gallery.gallery import Cutout, Kept
from pipeline.gallery.lock import Lock
from pipeline.gallery.memory import MemoryGallery
from pipeline.gallery.room import check_room
from pipeline.gallery.sealed_log import FILE_NAME, SealedLog

_PORTION = 256
_ROOM_FOR_PICTURE_BYTES = 1024


class SealedGallery(MemoryGallery):
    """Holds the gallery's lock until `close`. `changes`: what the log said."""

    def __init__(self, log: SealedLog, changes: Sequence[Change], lock: Lock, path: Path, seal: Seal) -> None:
        super().__init__(space=log.header.space, dim=log.header.dim)
        self._log = log
        self._lock = lock
        self._path = path
        self._cutouts = Cutouts(path / "cutouts", seal)
        for change in changes:
            super().apply(change)
        self._cutouts.sweep(lambda ids: [entry.id for entry in self.entries_of(ids)])

    def kept_of(self, ids: Sequence[str]) -> list[Kept]:
        return [self._whole(kept) for kept in super().kept_of(ids)]

    def apply(self, change: Change) -> None:
        if isinstance(change, Put):
            self._keep(change)
        elif isinstance(change, Erase):
            self._forget(change)
        else:
            self._log.append(change)
            super().apply(change)

    def write_anew(self) -> None:
        """Under the first key, and with nothing in it but what is kept."""
        self._log.write_anew(self._portions(frozenset()), space=self.space, dim=self.dim)

    def become(self, other: MemoryGallery) -> None:
        """The file is the other's from now on; nothing but `close` may come after."""
        ids = [entry.id for entry in other.entries()]
        changes = (
            Put(tuple(map(without_jpeg, other.kept_of(ids[start : start + _PORTION]))))
            for start in range(0, len(ids), _PORTION)
        )
        self._log.write_anew(changes, space=other.space, dim=other.dim)

    def reseal(self) -> int:
        """Put all under the first key; return how many pictures and cut-outs were not."""
        count = 0
        if not self._log.is_current():
            self.write_anew()
            count += self.count()
        return count + self._cutouts.reseal()

    def close(self) -> None:
        self._log.close()
        self._lock.release()

    def _keep(self, change: Put) -> None:
        jpegs = {kept.id: kept.picture.cutout.jpeg for kept in change.pictures if kept.picture.cutout is not None}
        bytes_each = 4 * self._dim + _ROOM_FOR_PICTURE_BYTES
        check_room(self._path, len(change.pictures) * bytes_each + sum(map(len, jpegs.values())))
        light = Put(tuple(map(without_jpeg, change.pictures)))
        self._cutouts.write(jpegs)
        self._log.append(light)
        super().apply(light)
        self._cutouts.settled()

    def _forget(self, change: Erase) -> None:
        self._cutouts.before_erasing()
        self._log.write_anew(self._portions(frozenset(change.ids)), space=self.space, dim=self.dim)
        super().apply(change)
        self._cutouts.erase(change.ids)

    def _portions(self, gone: frozenset[str]) -> Iterator[Change]:
        kept = (one for one in self._kept.values() if one.id not in gone)
        while portion := tuple(islice(kept, _PORTION)):
            yield Put(portion)

    def _whole(self, kept: Kept) -> Kept:
        cutout = kept.picture.cutout
        if cutout is None:
            return kept
        jpeg = self._cutouts.read(kept.id)
        found = None if jpeg is None else Cutout(jpeg, cutout.landmarks)
        return replace(kept, picture=replace(kept.picture, cutout=found))


def is_sealed_gallery(path: Path) -> bool:
    return (path / FILE_NAME).is_file()


def open_sealed(path: Path, seal: Seal, *, space: str, dim: int) -> SealedGallery:
    """The gallery in this folder, made when there is none, for embeddings of this space only."""
    gallery = _opened(path, seal, (space, dim))
    if (gallery.space, gallery.dim) == (space, dim):
        return gallery
    if gallery.count():
        gallery.close()
        raise other_space(path, gallery.space, space)
    gallery.close()
    (path / FILE_NAME).unlink()
    return _opened(path, seal, (space, dim))


def reopen_sealed(path: Path, seal: Seal) -> SealedGallery:
    """The gallery in this folder, whatever its space is."""
    return _opened(path, seal, None)


def without_jpeg(kept: Kept) -> Kept:
    cutout = kept.picture.cutout
    if cutout is None:
        return kept
    return replace(kept, picture=replace(kept.picture, cutout=Cutout(b"", cutout.landmarks)))


def _opened(path: Path, seal: Seal, wanted: tuple[str, int] | None) -> SealedGallery:
    made_folder(path)
    with ExitStack() as undo:
        lock = undo.enter_context(Lock(path / "lock"))
        log = SealedLog(path, seal)
        if not is_sealed_gallery(path):
            if wanted is None:
                raise GalleryError("There is no gallery yet.", saw=str(path), fix="enrol somebody: enroll NAME IMAGE…")
            check_room(path, 0)
            log.write_anew((), space=wanted[0], dim=wanted[1])
        gallery = SealedGallery(log, log.read(), lock, path, seal)
        undo.pop_all()
    return gallery
