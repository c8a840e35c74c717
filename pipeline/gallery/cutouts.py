"""Cut-outs of faces beside a gallery: ID.jpg each, so that a search never reads past them.

They are written before the gallery is told of the picture and erased after it has forgotten it: what a crash leaves
between the two is a file that nobody asks for, and `unswept` says that there may be such files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from checkpoints.errors import GalleryError
from checkpoints.sealed import UNSEALED, Seal
from pipeline.gallery.intake import is_id

# One file at a time is quicker for some pictures of a person, the whole system's buffers for a whole gallery.
_MANY = 64


class Cutouts:
    def __init__(self, folder: Path, seal: Seal = UNSEALED) -> None:
        self._folder = folder
        self._seal = seal
        self._mark = folder / "unswept"

    def sweep(self, wanted: Callable[[Collection[str]], Collection[str]]) -> None:
        """Erase what a crash has left. `wanted`: which of these ids are the gallery's."""
        if not self._mark.exists():
            return
        there = {path.stem for path in self._folder.glob("*.jpg") if is_id(path.stem)}
        self._unlink(there - set(wanted(there)))

    def write(self, jpegs: Mapping[str, bytes]) -> None:
        if not jpegs:
            return
        try:
            self._begin()
            for one, jpeg in jpegs.items():
                with self._path(one).open("wb") as file:
                    file.write(self._seal.seal(jpeg, about_cutout(one)))
                    file.flush()
                    if len(jpegs) < _MANY:
                        os.fsync(file.fileno())
            if len(jpegs) < _MANY:
                sync_folder(self._folder)
            else:
                _sync_all()
        except OSError as error:
            self._unlink(jpegs)
            raise _unwritable(self._folder, error) from error

    def settled(self) -> None:
        """The gallery knows of all that was written."""
        self._mark.unlink(missing_ok=True)

    def read(self, one: str) -> bytes | None:
        try:
            held = self._path(one).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise GalleryError(
                "A cut-out of the gallery cannot be read.",
                saw=f"{self._path(one)}: {error.strerror}",
                fix="see that the files are yours and the disk is well",
            ) from error
        return self._seal.open(held, about_cutout(one))

    def reseal(self) -> int:
        """Put what is not under the first key under it; return how many there were."""
        count = 0
        for path in sorted(self._folder.glob("*.jpg")):
            count += reseal_file(path, self._seal, about_cutout(path.stem))
        return count

    def before_erasing(self) -> None:
        if self._folder.is_dir():
            try:
                self._begin()
            except OSError as error:
                raise _unwritable(self._folder, error) from error

    def erase(self, ids: Iterable[str]) -> None:
        if self._folder.is_dir():
            self._unlink(ids)

    def _begin(self) -> None:
        self._folder.mkdir(exist_ok=True)
        self._mark.touch()
        sync_folder(self._folder)

    def _unlink(self, ids: Iterable[str]) -> None:
        """The mark stays where a file could not be erased, so that it is tried again."""
        try:
            for one in ids:
                self._path(one).unlink(missing_ok=True)
            self._mark.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def _path(self, one: str) -> Path:
        return self._folder / f"{one}.jpg"


def about_cutout(one: str) -> str:
    return f"cut-out {one}"


def reseal_file(path: Path, seal: Seal, about: str) -> bool:
    """Whole or not at all; whether there was something to do. OSError as it comes."""
    held = path.read_bytes()
    if seal.is_current(held):
        return False
    making = path.with_suffix(".part")
    with making.open("wb") as file:
        file.write(seal.seal(seal.open(held, about), about))
        file.flush()
        os.fsync(file.fileno())
    making.chmod(0o600)
    making.replace(path)
    return True


def sync_folder(folder: Path) -> None:
    """New names in a folder survive a power cut only after this; Windows has no such call and needs none."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sync_all() -> None:
    if hasattr(os, "sync"):
        os.sync()


def _unwritable(folder: Path, error: OSError) -> GalleryError:
    return GalleryError(
        "The cut-outs of the gallery cannot be written.",
        saw=f"{folder}: {error.strerror}",
        fix="see that the disk is not full and the files are yours; what was kept before is still there",
    )
