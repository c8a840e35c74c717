"""A gallery moves to another embedder: the kept cut-outs are embedded anew, in a shard that takes the old one's place.

Until the very end the old shard is the gallery; what a crash leaves is thrown away or finished by the next opening.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import GalleryError
from checkpoints.sealed import UNSEALED, Seal
from pipeline.gallery.cutouts import sync_folder
from pipeline.gallery.edits import Edited
from pipeline.gallery.embedded import INDEXED_FROM
from pipeline.gallery.folder import AFTER, BEFORE, make_shard, open_edge, reopen_edge
from pipeline.gallery.gallery import Cutout, Kept
from pipeline.gallery.intake import unit_rows
from pipeline.gallery.memory import MemoryGallery
from pipeline.gallery.sealed_gallery import is_sealed_gallery, reopen_sealed
from pipeline.gallery.sealed_log import FILE_NAME

Embed = Callable[[Sequence[Cutout]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """left  pictures that could not be moved: without a cut-out, or no face was found in it any more"""

    moved: int
    left: tuple[Kept, ...]


def migrate(
    path: Path, *, space: str, dim: int, embed: Embed, batch: int = 32, seal: Seal = UNSEALED
) -> MigrationReport:
    """`embed` makes (N, dim) of cut-outs; a row without direction says that it found no face.

    When some pictures could not be moved, the old shard stays in the folder `before-migration`, for them.
    """
    if is_sealed_gallery(path):
        return _migrate_sealed(path, seal, MemoryGallery(space=space, dim=dim), embed, batch)
    with closing(reopen_edge(path)) as old:
        if (old.space, old.dim) == (space, dim):
            return MigrationReport(0, ())
        making = cleared(path)
        make_shard(making / "shard", space=space, dim=dim)
        with closing(open_edge(making, space=space, dim=dim)) as new:
            report = _moved(old, new, embed, batch)
            if not report.moved:
                raise _nothing_moved(path, report)
            if new.count() >= INDEXED_FROM:
                new.optimize()
        with old.at_rest():  # the lock is held all the while: nothing can be enrolled that would not be moved
            swap(path, making, keep_old=bool(report.left))
    return report


def _migrate_sealed(path: Path, seal: Seal, new: MemoryGallery, embed: Embed, batch: int) -> MigrationReport:
    """In memory; the file of the new one takes the old one's place at once or not at all."""
    with closing(reopen_sealed(path, seal)) as old:
        if (old.space, old.dim) == (new.space, new.dim):
            return MigrationReport(0, ())
        report = _moved(old, new, embed, batch)
        if not report.moved:
            raise _nothing_moved(path, report)
        if report.left:
            (path / BEFORE).mkdir(exist_ok=True)
            shutil.copy(path / FILE_NAME, path / BEFORE / FILE_NAME)
            sync_folder(path / BEFORE)
        old.become(new)
    return report


def cleared(path: Path) -> Path:
    """Where the new shard is made; what an interrupted migration has left there is thrown away."""
    making = path / "moving"
    for folder in (making, path / AFTER):
        shutil.rmtree(folder, ignore_errors=True)
    making.mkdir()
    return making


def _moved(old: Edited, new: Edited, embed: Embed, batch: int) -> MigrationReport:
    moved = 0
    left: list[Kept] = []
    waiting: list[Kept] = []
    for kept in old.kept():
        (waiting if kept.picture.cutout is not None else left).append(kept)
        if len(waiting) == batch:
            moved += _embedded(waiting, new, embed, left)
            waiting = []
    if waiting:
        moved += _embedded(waiting, new, embed, left)
    return MigrationReport(moved, tuple(left))


def _embedded(pictures: Sequence[Kept], new: Edited, embed: Embed, left: list[Kept]) -> int:
    cutouts = [kept.picture.cutout for kept in pictures if kept.picture.cutout is not None]
    rows = unit_rows(np.asarray(embed(cutouts), np.float32), space=new.space, dim=new.dim)
    found = [
        replace(kept, picture=replace(kept.picture, embedding=row))
        for kept, row in zip(pictures, rows, strict=True)
        if row.any()
    ]
    left += [kept for kept, row in zip(pictures, rows, strict=True) if not row.any()]
    return new.restore(found)


def swap(path: Path, making: Path, *, keep_old: bool) -> None:
    """Two renames, each at once or not at all; an opening that finds only the first does the second.

    The cut-outs lie beside the shards, by id, and are the same for both.
    """
    shutil.rmtree(path / BEFORE, ignore_errors=True)
    (making / "shard").rename(path / AFTER)
    sync_folder(path)
    (path / "shard").rename(path / BEFORE)
    (path / AFTER).rename(path / "shard")
    sync_folder(path)
    if not keep_old:
        shutil.rmtree(path / BEFORE)
    shutil.rmtree(making)


def _nothing_moved(path: Path, report: MigrationReport) -> GalleryError:
    return GalleryError(
        "The gallery cannot be moved to another embedder: none of its pictures has a cut-out.",
        saw=f"{path}: {len(report.left)} pictures without one",
        fix="enrol the people anew from their pictures; the gallery is as it was",
    )
