from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import DataError, OutputError
from training.label_writer import Writer, write
from training.labels import Labelled, Marks, read


def _labelled(image: Path, side_px: float) -> Labelled:
    box = np.array([[3.25, 4, 3.25 + side_px, 4 + side_px]], np.float32)
    return Labelled.of(image, (320, 240), Marks(box, np.full((1, 5, 2), np.nan, np.float32), np.zeros(1, np.bool_)))


def test_writing_all_at_once_replaces_what_was_there(tmp_path: Path) -> None:
    write(tmp_path, tmp_path, [_labelled(tmp_path / "old.jpg", 20)], made="by hand")
    write(tmp_path, tmp_path, [_labelled(tmp_path / "new.jpg", 20)], made="otherwise")
    assert [each.image.name for each in read(tmp_path)] == ["new.jpg"]


def test_unfinished_labels_are_not_read_and_are_continued(tmp_path: Path) -> None:
    with Writer(tmp_path, tmp_path, "by hand") as writer:
        writer.add(_labelled(tmp_path / "1.jpg", 20))
    with pytest.raises(DataError, match="not finished"):
        read(tmp_path)
    with Writer(tmp_path, tmp_path, "by hand") as writer:
        assert writer.done == {"1.jpg"}
        writer.add(_labelled(tmp_path / "2.jpg", 20))
        writer.finish()
    assert [each.image.name for each in read(tmp_path)] == ["1.jpg", "2.jpg"]


def test_finished_labels_stay_readable_while_more_are_added(tmp_path: Path) -> None:
    write(tmp_path, tmp_path, [_labelled(tmp_path / "1.jpg", 20)], made="by hand")
    with Writer(tmp_path, tmp_path, "by hand") as writer:
        writer.add(_labelled(tmp_path / "2.jpg", 20))
        assert len(read(tmp_path)) == 1
        writer.finish()
    assert len(read(tmp_path)) == 2


def test_a_line_that_a_kill_cut_off_is_written_anew(tmp_path: Path) -> None:
    with Writer(tmp_path, tmp_path, "by hand") as writer:
        writer.add(_labelled(tmp_path / "1.jpg", 20))
    part = tmp_path / "labels.part.jsonl"
    part.write_bytes(part.read_bytes() + b'{"image": "2.jpg", "wid')
    with Writer(tmp_path, tmp_path, "by hand") as writer:
        assert writer.done == {"1.jpg"}
        writer.add(_labelled(tmp_path / "2.jpg", 30))
        writer.finish()
    assert read(tmp_path)[1].boxes_xyxy.tolist() == [[3.25, 4, 33.25, 34]]


@pytest.mark.parametrize(("images", "made"), [("others", "by hand"), ("pictures", "otherwise")])
def test_labels_of_other_pictures_or_made_otherwise_are_not_mixed(images: str, made: str, tmp_path: Path) -> None:
    write(tmp_path, tmp_path / "pictures", [_labelled(tmp_path / "pictures" / "1.jpg", 20)], made="by hand")
    with pytest.raises(DataError, match="in another way"):
        Writer(tmp_path, tmp_path / images, made)


def test_a_run_that_came_to_nothing_does_not_bind_the_next(tmp_path: Path) -> None:
    with Writer(tmp_path, tmp_path / "wrong", "otherwise"):
        pass
    with Writer(tmp_path, tmp_path, "by hand") as writer:
        writer.add(_labelled(tmp_path / "1.jpg", 20))
        writer.finish()
    assert [each.image for each in read(tmp_path)] == [tmp_path / "1.jpg"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "labels.part.jsonl").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="cannot be written"):
        Writer(tmp_path, tmp_path, "by hand")


@pytest.mark.parametrize("line", [b"{\n", b"\xff\xfe\x00\n", b'{"picture": "1.jpg"}\n'])
def test_what_an_earlier_run_has_left_damaged_is_told(line: bytes, tmp_path: Path) -> None:
    with Writer(tmp_path, tmp_path, "by hand") as writer:
        writer.add(_labelled(tmp_path / "1.jpg", 20))
    with (tmp_path / "labels.part.jsonl").open("ab") as file:
        file.write(line)
    with pytest.raises(DataError, match="line 3"):
        Writer(tmp_path, tmp_path, "by hand")
