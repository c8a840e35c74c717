"""A gallery's folder: made whole or not at all, held by one process, refused when it keeps another space."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from checkpoints.errors import GalleryError
from pipeline.gallery.cutouts import sync_folder
from pipeline.gallery.embedded import EdgeGallery, create_shard, load_shard
from pipeline.gallery.layout import VERSION, read_space, write_space
from pipeline.gallery.lock import Lock
from pipeline.gallery.room import check_room

_Wanted = tuple[str, int]
# Where a migration puts the old shard, and the new one when it is whole.
BEFORE = "before-migration"
AFTER = "migrated"


def open_edge(path: Path, *, space: str, dim: int) -> EdgeGallery:
    """The gallery in this folder, made when there is none, for embeddings of this space only."""
    return _opened(path, (space, dim))


def reopen_edge(path: Path) -> EdgeGallery:
    """The gallery in this folder, whatever its space is: to look at people, not to add or search."""
    if not is_edge_gallery(path):
        raise GalleryError("There is no gallery yet.", saw=str(path), fix="enrol somebody: enroll NAME IMAGE…")
    return _opened(path, None)


def is_edge_gallery(path: Path) -> bool:
    return (path / "shard").is_dir() or (path / BEFORE).is_dir()


def make_shard(home: Path, *, space: str, dim: int) -> None:
    """Made under another name and renamed, so that a shard is never half made."""
    making = home.with_name("making")
    try:
        shutil.rmtree(making, ignore_errors=True)
        create_shard(making, dim)
        write_space(making, space, dim)
        making.replace(home)
        sync_folder(home.parent)
    except OSError as error:
        raise GalleryError(
            "The gallery cannot be made.", saw=f"{home}: {error.strerror}", fix="choose another folder"
        ) from error


def space_kept(path: Path) -> tuple[str, int]:
    """Space and dim, without opening the gallery."""
    _, space, dim = read_space(path / "shard")
    return space, dim


def made_folder(path: Path) -> None:
    """Made where there is none, and closed to everybody else: it was made by a version that left it open, perhaps."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise GalleryError(
            "The gallery's folder cannot be made.", saw=f"{path}: {error.strerror}", fix="choose another folder"
        ) from error


def _opened(path: Path, wanted: _Wanted | None) -> EdgeGallery:
    made_folder(path)
    with ExitStack() as undo:
        lock = undo.enter_context(Lock(path / "lock"))
        gallery = _loaded(path, lock, wanted)
        undo.pop_all()
    return gallery


def _loaded(path: Path, lock: Lock, wanted: _Wanted | None) -> EdgeGallery:
    home = path / "shard"
    _finish_migration(path)
    if not home.exists() and wanted is not None:
        check_room(path, 0)
        make_shard(home, space=wanted[0], dim=wanted[1])
    version, space, dim = read_space(home)
    shard = load_shard(home, without_name_index=version < VERSION)
    if wanted is not None and (space, dim) != wanted:
        empty = shard.info().points_count == 0
        shard.close()
        if not empty:
            raise other_space(path, space, wanted[0])
        shutil.rmtree(home)
        return _loaded(path, lock, wanted)
    if version < VERSION:
        write_space(home, space, dim)
    return EdgeGallery(shard, lock, path, space=space, dim=dim)


def _finish_migration(path: Path) -> None:
    """A power cut between the two renames of a migration leaves the old shard put away and the new one not yet here."""
    if (path / "shard").exists() or not (path / BEFORE).is_dir():
        return
    ready = path / AFTER
    (ready if ready.is_dir() else path / BEFORE).rename(path / "shard")
    sync_folder(path)


def other_space(path: Path, kept: str, wanted: str) -> GalleryError:
    return GalleryError(
        "The gallery was made with another embedder: its faces cannot be compared with these.",
        saw=f"{path} keeps {kept}, the embedder makes {wanted}",
        fix="use the embedder that the gallery was made with, move its people over with gallery migrate, "
        "or enrol into another gallery with --gallery DIR",
    )
