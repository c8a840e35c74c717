from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import DataError
from training.samples import Pieces, SampleWriter, is_complete, joined, open_samples


def pieces(count: int, seed: int = 0) -> Pieces:
    random = np.random.default_rng(seed)
    return Pieces(
        random.integers(0, 256, (count, 12, 12, 3), np.uint8),
        random.integers(0, 4, count).astype(np.uint8),
        random.normal(size=(count, 4)).astype(np.float32),
        random.normal(size=(count, 10)).astype(np.float32),
    )


def same(one: Pieces, other: Pieces) -> bool:
    """What nobody knows is the same, too."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "landmarks")
        for name in Pieces.__dataclass_fields__
    )


def test_what_was_written_is_read(tmp_path: Path) -> None:
    writer = SampleWriter(tmp_path, "pnet", {"seed": 1})
    writer.append(pieces(5, 1), done=1)
    writer.append(pieces(7, 2), done=2)
    assert not is_complete(tmp_path, "pnet")
    writer.finish()
    writer.close()
    assert is_complete(tmp_path, "pnet")
    assert same(open_samples(tmp_path, "pnet"), joined([pieces(5, 1), pieces(7, 2)]))


def test_a_writer_that_was_killed_goes_on_behind_the_last_whole_batch(tmp_path: Path) -> None:
    writer = SampleWriter(tmp_path, "pnet", {"seed": 1})
    writer.append(pieces(5, 1), done=3)
    with (tmp_path / "pictures.raw").open("ab") as file:
        file.write(b"half a batch")
    again = SampleWriter(tmp_path, "pnet", {"seed": 1})
    assert again.done == 3
    again.append(pieces(7, 2), done=4)
    again.finish()
    assert same(open_samples(tmp_path, "pnet"), joined([pieces(5, 1), pieces(7, 2)]))
    for each in (writer, again):
        each.close()


def test_samples_made_by_other_rules_are_not_added_to(tmp_path: Path) -> None:
    writer = SampleWriter(tmp_path, "pnet", {"seed": 1})
    writer.append(pieces(5), done=1)
    writer.close()
    with pytest.raises(DataError, match="made otherwise"):
        SampleWriter(tmp_path, "pnet", {"seed": 2})


@pytest.mark.parametrize(("part", "finish", "says"), [("rnet", True, "another network"), ("pnet", False, "complete")])
def test_other_samples_are_refused(tmp_path: Path, part: str, finish: bool, says: str) -> None:
    writer = SampleWriter(tmp_path, "pnet", {})
    writer.append(pieces(5), done=1)
    if finish:
        writer.finish()
    writer.close()
    with pytest.raises(DataError, match=says):
        open_samples(tmp_path, part)  # type: ignore[arg-type]


def test_no_samples_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"training\.mine"):
        open_samples(tmp_path, "pnet")


def test_a_header_that_is_broken_is_told(tmp_path: Path) -> None:
    (tmp_path / "samples.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        open_samples(tmp_path, "pnet")


def test_files_that_are_too_short_are_told(tmp_path: Path) -> None:
    writer = SampleWriter(tmp_path, "pnet", {})
    writer.append(pieces(5), done=1)
    writer.finish()
    writer.close()
    (tmp_path / "offsets.raw").write_bytes(b"")
    with pytest.raises(DataError, match="offsets"):
        open_samples(tmp_path, "pnet")


def test_a_writer_does_not_go_on_behind_samples_that_are_gone(tmp_path: Path) -> None:
    writer = SampleWriter(tmp_path, "pnet", {})
    writer.append(pieces(5), done=1)
    writer.close()
    (tmp_path / "offsets.raw").write_bytes(b"")
    with pytest.raises(DataError, match="are gone"):
        SampleWriter(tmp_path, "pnet", {})


def test_whole_samples_of_another_network_do_not_count(tmp_path: Path) -> None:
    writer = SampleWriter(tmp_path, "pnet", {})
    writer.append(pieces(5), done=1)
    writer.finish()
    writer.close()
    with pytest.raises(DataError, match="another network"):
        is_complete(tmp_path, "rnet")
