"""All of a gallery's folder is put under the first key: what is not encrypted yet, and what is under older keys.

Cut short, it can be repeated: until the end everything can be opened as before.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from checkpoints.errors import GalleryError
from checkpoints.sealed import Seal
from pipeline.gallery import svm_matcher
from pipeline.gallery.edits import Change, Edited, Put
from pipeline.gallery.folder import AFTER, BEFORE, is_edge_gallery, reopen_edge
from pipeline.gallery.journal import Journal
from pipeline.gallery.sealed_gallery import is_sealed_gallery, reopen_sealed, without_jpeg
from pipeline.gallery.sealed_log import SealedLog
from pipeline.gallery.unknowns import Unknowns

JOURNAL = "journal"
_PORTION = 256


def encrypt(path: Path, seal: Seal) -> int:
    """Return how many pictures, cut-outs, unknown faces and sightings were changed; GalleryLocked while it is held."""
    _check_nothing_is_put_away(path)
    count = 0
    if is_edge_gallery(path) and not is_sealed_gallery(path):
        with closing(reopen_edge(path)) as old:
            SealedLog(path, seal).write_anew(_portions(old), space=old.space, dim=old.dim)
            count += old.count()
    if is_sealed_gallery(path):
        with closing(reopen_sealed(path, seal)) as gallery:
            count += gallery.reseal()
            for folder in ("shard", AFTER, "moving", "making"):
                shutil.rmtree(path / folder, ignore_errors=True)
            if (path / JOURNAL).exists():
                with closing(Journal(path / JOURNAL, seal)) as journal:
                    count += journal.reseal()
    svm_matcher.erase(path)  # is trained again
    with closing(Unknowns(path, seal=seal)) as unknowns:
        return count + unknowns.reseal()


def _portions(gallery: Edited) -> Iterator[Change]:
    kept = map(without_jpeg, gallery.kept())
    while portion := tuple(islice(kept, _PORTION)):
        yield Put(portion)


def _check_nothing_is_put_away(path: Path) -> None:
    if (path / BEFORE).is_dir() and any((path / BEFORE).iterdir()):
        raise GalleryError(
            "There is a gallery from before a migration: it would stay as it is.",
            saw=str(path / BEFORE),
            fix="enrol those people again that could not be moved, and erase this folder",
        )
