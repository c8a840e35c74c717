from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import GalleryError, GalleryLocked
from pipeline.gallery.folder import open_edge, reopen_edge
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.migration import migrate, swap

OLD, NEW = "sface@sha256:aa", "facenet@sha256:bb"


def embed(cutouts: Sequence[Cutout]) -> NDArray[np.float32]:
    """The new embedder: says for a cut-out what its bytes say; no face in an empty one."""
    rows = np.zeros((len(cutouts), 4), np.float32)
    for row, cutout in zip(rows, cutouts, strict=True):
        if cutout.jpeg:
            row[cutout.jpeg[0]] = 1
    return rows


def fill(path: Path, *, cutouts: bool = True) -> None:
    gallery = open_edge(path, space=OLD, dim=8)
    landmarks = np.ones((5, 2), np.float32)
    for n, name in enumerate(("Ann", "Bob", None)):
        cutout = Cutout(bytes([n]), landmarks) if cutouts else None
        gallery.add(name, [Picture(np.eye(8, dtype=np.float32)[n], f"{n}", 0.5, cutout, "x.jpg")])
    gallery.add("Ann", [Picture(np.eye(8, dtype=np.float32)[5], "no cut-out", 0.5)])
    gallery.add("Ann", [Picture(np.eye(8, dtype=np.float32)[6], "no face", 0.5, Cutout(b"", landmarks))])
    gallery.close()


def test_people_move_with_ids_times_and_cutouts(tmp_path: Path) -> None:
    fill(tmp_path)
    old = reopen_edge(tmp_path)
    before = {kept.id: kept for kept in old.kept()}
    old.close()
    report = migrate(tmp_path, space=NEW, dim=4, embed=embed, batch=2)
    assert report.moved == 3
    assert {kept.picture.image_hash for kept in report.left} == {"no cut-out", "no face"}
    new = open_edge(tmp_path, space=NEW, dim=4)
    for kept in new.kept():
        was = before[kept.id]
        assert (kept.name, kept.time, kept.picture.image_hash) == (was.name, was.time, was.picture.image_hash)
        assert kept.picture.cutout is not None and was.picture.cutout is not None
        assert kept.picture.cutout.jpeg == was.picture.cutout.jpeg
    assert [matches[0].name for matches in new.search(np.eye(4, dtype=np.float32)[:3])] == ["Ann", "Bob", None]
    new.close()
    assert (tmp_path / "before-migration").is_dir()
    assert not (tmp_path / "moving").exists()
    assert migrate(tmp_path, space=NEW, dim=4, embed=embed).moved == 0


def test_nothing_can_be_moved(tmp_path: Path) -> None:
    fill(tmp_path, cutouts=False)
    with pytest.raises(GalleryError, match="none of its pictures"):
        migrate(tmp_path, space=NEW, dim=4, embed=embed)
    gallery = open_edge(tmp_path, space=OLD, dim=8)
    assert gallery.count() == 5
    gallery.close()


def test_a_migration_that_fails_changes_nothing_and_can_be_done_again(tmp_path: Path) -> None:
    fill(tmp_path)

    def broken(cutouts: Sequence[Cutout]) -> NDArray[np.float32]:
        raise GalleryError("The model is gone.")

    with pytest.raises(GalleryError, match="model"):
        migrate(tmp_path, space=NEW, dim=4, embed=broken)
    gallery = open_edge(tmp_path, space=OLD, dim=8)
    assert gallery.count() == 5
    gallery.close()
    assert migrate(tmp_path, space=NEW, dim=4, embed=embed).moved == 3


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_power_cut_between_the_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int) -> None:
    fill(tmp_path)
    rename = Path.rename
    done: list[Path] = []

    def dying(self: Path, target: Path) -> Path:
        if self.parent in (tmp_path, tmp_path / "moving"):
            if len(done) == renames:
                raise KeyboardInterrupt
            done.append(self)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", dying)
    with pytest.raises(KeyboardInterrupt):
        migrate(tmp_path, space=NEW, dim=4, embed=embed)
    monkeypatch.undo()
    gallery = reopen_edge(tmp_path)
    assert (gallery.space, gallery.count()) == ((OLD, 5) if renames < 2 else (NEW, 3))
    gallery.close()


def test_nothing_can_be_enrolled_between_the_moving_and_the_swap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path)
    tried = []

    def swapping(path: Path, making: Path, *, keep_old: bool) -> None:
        with pytest.raises(GalleryLocked) as caught:
            open_edge(path, space=OLD, dim=8)
        tried.append(caught.value)
        swap(path, making, keep_old=keep_old)

    monkeypatch.setattr("pipeline.gallery.migration.swap", swapping)
    migrate(tmp_path, space=NEW, dim=4, embed=embed)
    assert len(tried) == 1
