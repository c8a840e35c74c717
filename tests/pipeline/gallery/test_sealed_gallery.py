"""An encrypted gallery says nothing on the disk, opens with its key only, and loses nothing to a wrong one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checkpoints.errors import GalleryError, GalleryLocked, SealError
from checkpoints.sealed import Seal
from pipeline.config import GalleryConfig
from pipeline.gallery.edits import Edited, Rename
from pipeline.gallery.folder import open_edge
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.migration import migrate
from pipeline.gallery.opening import gallery_exists, gallery_of, reopen_of
from pipeline.gallery.purging import purge
from pipeline.gallery.sealed_gallery import SealedGallery
from pipeline.gallery.sealed_log import FILE_NAME, SealedLog
from tests.pipeline.gallery.full_disk import full

SPACE, DIM = "test@sha256:1", 8
KEY, OTHER = Seal((bytes(range(32)),)), Seal((bytes(range(1, 33)),))


def config(path: Path, seal: Seal = KEY) -> GalleryConfig:
    return GalleryConfig(path / "gallery", seal=seal)


def opened(path: Path, seal: Seal = KEY) -> Edited:
    return gallery_of(config(path, seal), space=SPACE, dim=DIM)


def picture(place: int) -> Picture:
    cutout = Cutout(b"\xff\xd8\xff jpeg of a face %d" % place, np.full((5, 2), place, np.float32))
    row = np.random.default_rng(place).normal(size=DIM).astype(np.float32)
    return Picture(row / np.linalg.norm(row), f"hash-{place}", 0.5, cutout, f"photograph-{place}.jpg")


def filled(path: Path) -> None:
    gallery = opened(path)
    for place, name in enumerate(["Ada Lovelace", "Grace Hopper", None]):
        gallery.add(name, [picture(place)])
    gallery.close()


def bytes_in(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file())


def told(gallery: Edited) -> list[tuple[object, ...]]:
    found = sorted(gallery.kept(), key=lambda kept: kept.picture.image_hash)
    return [
        (
            k.id,
            k.name,
            k.time,
            k.picture.image_hash,
            k.picture.embedding.tobytes(),
            k.picture.cutout and k.picture.cutout.jpeg,
        )
        for k in found
    ]


def test_nothing_of_a_person_stands_on_the_disk(tmp_path: Path) -> None:
    filled(tmp_path)
    held = bytes_in(tmp_path)
    for place in range(3):
        one = picture(place)
        assert one.cutout is not None
        for secret in (one.embedding.tobytes(), one.cutout.jpeg, one.image_hash.encode(), one.source.encode()):
            assert secret not in held
    assert b"Ada" not in held and b"Grace" not in held and b"\xff\xd8\xff" not in held


def test_what_was_kept_is_there_after_closing_and_opening(tmp_path: Path) -> None:
    filled(tmp_path)
    gallery = opened(tmp_path)
    assert isinstance(gallery, SealedGallery)
    before = told(gallery)
    assert [(name, jpeg) for _, name, _, _, _, jpeg in before] == [
        (name, b"\xff\xd8\xff jpeg of a face %d" % place)
        for place, name in enumerate(["Ada Lovelace", "Grace Hopper", None])
    ]
    gallery.rename("Ada Lovelace", "Ada")
    gallery.close()
    gallery = reopen_of(config(tmp_path))
    assert [person.name for person in gallery.people()] == ["Ada", "Grace Hopper"]
    assert gallery.search(picture(0).embedding[None])[0][0].name == "Ada"
    gallery.close()


@pytest.mark.parametrize("seal", [OTHER, Seal()])
def test_a_wrong_or_missing_key_is_an_error_and_loses_nothing(tmp_path: Path, seal: Seal) -> None:
    filled(tmp_path)
    before = bytes_in(tmp_path / "gallery" / "cutouts") + (tmp_path / "gallery" / FILE_NAME).read_bytes()
    for attempt in (lambda: opened(tmp_path, seal), lambda: reopen_of(config(tmp_path, seal))):
        with pytest.raises(SealError, match="key"):
            attempt()
    after = bytes_in(tmp_path / "gallery" / "cutouts") + (tmp_path / "gallery" / FILE_NAME).read_bytes()
    assert after == before
    gallery = opened(tmp_path)  # and the lock is free again
    assert gallery.count() == 3
    gallery.close()


def test_an_empty_gallery_knows_its_key_too(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(SealError, match="another one"):
        opened(tmp_path, OTHER)


def test_with_a_key_a_gallery_that_is_not_encrypted_is_not_gone_on_with(tmp_path: Path) -> None:
    open_edge(tmp_path / "gallery", space=SPACE, dim=DIM).close()
    with pytest.raises(SealError, match="keys seal"):
        opened(tmp_path)


def test_what_is_erased_is_in_no_file_even_for_who_has_the_key(tmp_path: Path) -> None:
    filled(tmp_path)
    gallery = opened(tmp_path)
    size = (tmp_path / "gallery" / FILE_NAME).stat().st_size
    gallery.delete("Ada Lovelace")
    gallery.close()
    assert (tmp_path / "gallery" / FILE_NAME).stat().st_size < size
    assert len(list((tmp_path / "gallery" / "cutouts").glob("*.jpg"))) == 2
    changes = SealedLog(tmp_path / "gallery", KEY).read()
    assert b"Ada" not in repr(changes).encode()


@pytest.mark.parametrize("lost", [1, 3, 40, 200])
def test_half_a_change_that_a_power_cut_has_left_is_cut_off(tmp_path: Path, lost: int) -> None:
    filled(tmp_path)
    path = tmp_path / "gallery" / FILE_NAME
    whole = path.read_bytes()
    gallery = opened(tmp_path)
    gallery.add("Alan Turing", [picture(7)])
    gallery.close()
    path.write_bytes(path.read_bytes()[:-lost])
    gallery = opened(tmp_path)
    assert [person.name for person in gallery.people()] == ["Ada Lovelace", "Grace Hopper"]
    assert path.read_bytes() == whole
    gallery.add("Alan Turing", [picture(7)])
    gallery.close()
    gallery = opened(tmp_path)
    assert gallery.count() == 4
    gallery.close()


@pytest.mark.parametrize("left", [0, 1, 7, 9, 60])
def test_a_full_disk_refuses_a_change_as_a_whole(tmp_path: Path, left: int) -> None:
    filled(tmp_path)
    path = tmp_path / "gallery" / FILE_NAME
    gallery = opened(tmp_path)
    before = path.read_bytes()
    with full(path, left), pytest.raises(GalleryError, match="nothing was changed"):
        gallery.rename("Ada Lovelace", "Refused")
    assert path.read_bytes() == before
    gallery.rename("Ada Lovelace", "Ada")
    gallery.close()
    gallery = opened(tmp_path)
    assert [person.name for person in gallery.people()] == ["Ada", "Grace Hopper"]
    gallery.close()


@pytest.mark.parametrize("zeros", [1, 8, 4096])
def test_zeros_that_a_power_cut_has_left_are_cut_off_unless_something_is_behind_them(
    tmp_path: Path, zeros: int
) -> None:
    filled(tmp_path)
    path = tmp_path / "gallery" / FILE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(zeros))
    opened(tmp_path).close()
    assert path.read_bytes() == whole
    path.write_bytes(whole + bytes(zeros) + whole[-200:])
    with pytest.raises(GalleryError, match="damaged"):
        opened(tmp_path)


def test_opening_reads_each_change_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(tmp_path).close()
    log = SealedLog(tmp_path / "gallery", KEY)
    log.read()
    for place in range(100):
        log.append(Rename((f"{place}",), None))
    log.close()
    copied = 0

    class Data(bytes):
        def __getitem__(self, place: Any) -> Any:
            nonlocal copied
            found = super().__getitem__(place)
            copied += len(found) if isinstance(found, bytes) else 0
            return found

    data = Data((tmp_path / "gallery" / FILE_NAME).read_bytes())
    monkeypatch.setattr(Path, "read_bytes", lambda _: data)
    assert len(log.read()) == 100
    assert copied < 2 * len(data) + 4096


def test_a_changed_byte_anywhere_is_noticed_and_nothing_is_cut_off(tmp_path: Path) -> None:
    filled(tmp_path)
    path = tmp_path / "gallery" / FILE_NAME
    whole = path.read_bytes()
    for at in range(0, len(whole), 13):
        changed = whole[:at] + bytes([whole[at] ^ 0x01]) + whole[at + 1 :]
        path.write_bytes(changed)
        with pytest.raises((GalleryError, SealError)):
            opened(tmp_path)
        assert path.read_bytes() == changed
    path.write_bytes(whole)
    gallery = opened(tmp_path)
    assert gallery.count() == 3
    gallery.close()


def test_changes_cannot_be_left_out_or_put_into_another_order(tmp_path: Path) -> None:
    filled(tmp_path)
    path = tmp_path / "gallery" / FILE_NAME
    whole = path.read_bytes()
    at, frames = whole.index(b"\n") + 1, []
    start = whole[:at]
    while at < len(whole):
        length = 8 + int.from_bytes(whole[at : at + 4], "big")
        frames.append(whole[at : at + length])
        at += length
    assert len(frames) == 4
    for mixed in ([0, 2, 3], [0, 2, 1, 3], [1, 2, 3], [0, 1, 1, 2]):
        path.write_bytes(start + b"".join(frames[one] for one in mixed))
        with pytest.raises(GalleryError, match="damaged"):
            opened(tmp_path)


def test_a_new_key_takes_everything_over_and_the_old_one_opens_nothing(tmp_path: Path) -> None:
    filled(tmp_path)
    gallery = opened(tmp_path)
    before = told(gallery)
    gallery.close()
    both = Seal((*OTHER.keys, *KEY.keys))
    gallery = opened(tmp_path, both)
    assert isinstance(gallery, SealedGallery)
    assert gallery.reseal() == 6  # three pictures, three cut-outs
    assert gallery.reseal() == 0
    gallery.close()
    with pytest.raises(SealError):
        opened(tmp_path, KEY)
    gallery = opened(tmp_path, OTHER)
    assert told(gallery) == before
    gallery.close()


def test_one_process_holds_it_and_nobody_else_may_read_its_files(tmp_path: Path) -> None:
    filled(tmp_path)
    gallery = opened(tmp_path)
    with pytest.raises(GalleryLocked):
        gallery_of(config(tmp_path), space=SPACE, dim=DIM)
    gallery.close()
    assert (tmp_path / "gallery").stat().st_mode & 0o077 == 0
    assert (tmp_path / "gallery" / FILE_NAME).stat().st_mode & 0o077 == 0


def test_it_moves_to_another_embedder_and_is_purged(tmp_path: Path) -> None:
    filled(tmp_path)
    path = tmp_path / "gallery"
    report = migrate(
        path, space="new", dim=4, embed=lambda cutouts: np.eye(4, dtype=np.float32)[: len(cutouts)], seal=KEY
    )
    assert (report.moved, report.left) == (3, ())
    assert purge(path, KEY) == 3
    gallery = reopen_of(config(tmp_path))
    assert (gallery.space, gallery.dim) == ("new", 4)
    assert all(kept.picture.cutout is not None and kept.picture.cutout.jpeg for kept in gallery.kept())
    gallery.close()
    assert gallery_exists(path) and not (path / "shard").exists()
    assert b"Ada" not in bytes_in(tmp_path)
