from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import GalleryError
from pipeline.gallery.edits import Change, Erase, Put, Rename
from pipeline.gallery.gallery import Cutout, Kept, Picture
from pipeline.gallery.journal import Journal
from tests.pipeline.gallery.full_disk import full

CHANGES: list[Change] = [
    Put((Kept("id1", "Zoë", "t", Picture(np.arange(3, dtype=np.float32), "h", 0.5, None, "s")),)),
    Rename(("id1",), None),
    Erase(("id1", "id2")),
]


def filled(path: Path) -> int:
    """Three changes; return the size of the file with two of them."""
    journal = Journal(path)
    sizes = []
    for change in CHANGES:
        journal.append(change)
        sizes.append(path.stat().st_size)
    journal.close()
    return sizes[1]


def kinds(journal: Journal) -> list[str]:
    return [type(change).__name__ for change in journal.changes()]


def test_changes_wait_in_order_and_last(tmp_path: Path) -> None:
    filled(tmp_path / "journal")
    journal = Journal(tmp_path / "journal")
    put, rename, erase = journal.changes()
    assert isinstance(put, Put)
    (kept,) = put.pictures
    assert (kept.id, kept.name, kept.picture.image_hash, kept.picture.source) == ("id1", "Zoë", "h", "s")
    np.testing.assert_array_equal(kept.picture.embedding, [0, 1, 2])
    assert [rename, erase] == CHANGES[1:]
    journal.close()


def test_cutouts_are_in_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    cutout = Cutout(b"\xff\xd8\x00jpeg", np.full((5, 2), 0.5, np.float32))
    journal.append(
        Put(tuple(Kept(f"id{n}", None, "t", Picture(np.ones(3, np.float32), "h", 0.5, cutout)) for n in (1, 2)))
    )
    journal.close()
    journal = Journal(tmp_path / "journal")
    (put,) = journal.changes()
    assert isinstance(put, Put)
    for kept in put.pictures:
        assert kept.picture.cutout is not None
        assert kept.picture.cutout.jpeg == cutout.jpeg
        np.testing.assert_array_equal(kept.picture.cutout.landmarks, cutout.landmarks)
    journal.close()


def test_what_is_done_is_not_told_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    filled(path)
    journal = Journal(path)
    first = journal.first()
    assert first is not None
    journal.done(first.number)
    journal.close()
    journal = Journal(path)
    assert kinds(journal) == ["Rename", "Erase"]
    journal.append(CHANGES[0])
    for _ in range(3):
        first = journal.first()
        assert first is not None
        journal.done(first.number)
    assert path.stat().st_size == 0
    journal.close()


def test_a_change_can_be_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    filled(path)
    journal = Journal(path)
    journal.append(CHANGES[0])
    journal.retract()
    assert kinds(journal) == ["Put", "Rename", "Erase"]
    journal.close()
    journal = Journal(path)
    assert kinds(journal) == ["Put", "Rename", "Erase"]
    journal.close()


def test_wherever_a_power_cut_tears_the_last_entry_it_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    two = filled(path)
    data = path.read_bytes()
    for end in range(two, len(data)):
        path.write_bytes(data[:end])
        journal = Journal(path)
        assert kinds(journal) == ["Put", "Rename"]
        journal.append(CHANGES[2])
        journal.close()
        assert path.read_bytes() == data
    for at in range(two, len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :])
        journal = Journal(path)
        assert kinds(journal) == ["Put", "Rename"]
        journal.close()


def test_damage_in_the_middle_is_no_power_cut(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    filled(path)
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises(GalleryError, match="damaged"):
        Journal(path)
    assert path.read_bytes() == data


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal"
    filled(path)
    before = path.read_bytes()
    journal = Journal(path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.gallery.appended.os.fsync", full)
    with pytest.raises(GalleryError, match="No space left"):
        journal.append(CHANGES[0])
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert kinds(journal) == ["Put", "Rename", "Erase"]
    journal.append(CHANGES[0])
    journal.close()
    journal = Journal(path)
    assert kinds(journal) == ["Put", "Rename", "Erase", "Put"]
    journal.close()


@pytest.mark.parametrize("left", [0, 1, 7, 60])
def test_what_a_full_disk_has_refused_is_never_read_again(tmp_path: Path, left: int) -> None:
    path = tmp_path / "journal"
    filled(path)
    journal = Journal(path)
    before = path.read_bytes()
    with full(path, left), pytest.raises(GalleryError, match="nothing was changed"):
        journal.append(Rename(("refused",), "Refused"))
    assert path.read_bytes() == before
    journal.append(Rename(("next",), "Next"))
    changes = journal.changes()
    journal.close()
    journal = Journal(path)
    assert journal.changes()[1:] == changes[1:] == [*CHANGES[1:], Rename(("next",), "Next")]
    journal.close()
