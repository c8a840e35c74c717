"""A copy of a server's gallery that nobody here uses any more is erased: it would keep people who are erased there.

Nothing is lost by it: what was changed here is told to the server first, and a copy is pulled again when it is needed.
"""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

from checkpoints.errors import GalleryError, GalleryLocked
from pipeline.config import GalleryConfig
from pipeline.gallery import svm_matcher
from pipeline.gallery.copy import MirroredGallery
from pipeline.gallery.folder import AFTER, BEFORE
from pipeline.gallery.journal import Journal
from pipeline.gallery.lock import Lock
from pipeline.gallery.opening import gallery_exists, reopen_of
from pipeline.gallery.sealed_log import FILE_NAME

_FOLDERS = ("shard", "cutouts", BEFORE, AFTER, "moving", "making")


def drop_copy(config: GalleryConfig) -> bool:
    """Whether there is no copy here now. False: it is in use, or the server has not answered yet."""
    if not config.path.is_dir():
        return True
    try:
        if gallery_exists(config.path) and not _is_in_line(config):
            return False
        with Lock(config.path / "lock"):
            if _is_waiting(config):
                return False
            _erase(config.path)
    except GalleryLocked:
        return False
    return True


def _is_waiting(config: GalleryConfig) -> bool:
    """A change, for the server."""
    path = config.path / "journal"
    if not path.exists():
        return False
    with closing(Journal(path, config.seal)) as journal:
        return len(journal) > 0


def _is_in_line(config: GalleryConfig) -> bool:
    """The server has been told what it was to be told, and what it has is here."""
    gallery = reopen_of(config)
    try:
        return isinstance(gallery, MirroredGallery) and gallery.catch_up(0.0)
    finally:
        gallery.close()


def _erase(path: Path) -> None:
    """The shard goes as a whole, so that what a crash leaves of it is no gallery."""
    try:
        if (path / "shard").is_dir():
            shutil.rmtree(path / "making", ignore_errors=True)
            (path / "shard").rename(path / "making")
        (path / FILE_NAME).unlink(missing_ok=True)
        svm_matcher.erase(path)
        for name in _FOLDERS:
            if (path / name).is_dir():
                shutil.rmtree(path / name)
    except OSError as error:
        raise GalleryError(
            "The copy of the server's gallery cannot be erased.",
            saw=f"{error.filename}: {error.strerror}",
            fix="see that the files are yours",
        ) from error
