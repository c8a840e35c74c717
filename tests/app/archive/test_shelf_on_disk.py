from __future__ import annotations

from pathlib import Path

import pytest

from app.archive.shelf import PART, SIGHTING
from app.archive.shelf_on_disk import ShelfOnDisk, open_shelf, shelf_exists
from app.archive.sighting import point_of
from checkpoints.errors import ArchiveError
from tests.app.archive.test_shelf import part_of
from tests.app.archive.test_sighting import sighting


def opened(folder: Path) -> ShelfOnDisk:
    return open_shelf(folder, space="painted@1", dim=8)


def test_what_was_put_is_there_after_the_shelf_was_closed(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.put(part_of(sighting()))
    first.close()
    second = opened(tmp_path)
    assert [point.payload for point in second.points(SIGHTING)] == [point_of(sighting()).payload]
    assert [one.id for one in second.points(PART)] == [sighting().part]
    second.close()


def test_a_second_process_is_told_who_has_it(tmp_path: Path) -> None:
    shelf = opened(tmp_path)
    with pytest.raises(ArchiveError) as caught:
        opened(tmp_path)
    assert "process" in (caught.value.saw or "")
    shelf.close()


def test_another_embedder_is_refused_and_the_lock_given_back(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(ArchiveError) as caught:
        open_shelf(tmp_path, space="other@2", dim=8)
    assert "painted@1" in (caught.value.saw or "")
    opened(tmp_path).close()


def test_a_shelf_that_was_half_made_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "making").mkdir()
    (tmp_path / "making" / "rubbish").write_text("x")
    assert not shelf_exists(tmp_path)
    opened(tmp_path).close()
    assert shelf_exists(tmp_path)
