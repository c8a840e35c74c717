from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import DataError, OutputError
from training.labels import Labelled, Marks, Writer, read, write


def _labelled(image: Path, *sides_px: float) -> Labelled:
    """Faces of these sizes; of every second one the landmarks are unknown, and it is ignored."""
    boxes = np.array([[3.25, 4, 3.25 + side, 4 + side] for side in sides_px], np.float32).reshape(-1, 4)
    landmarks = np.arange(10, dtype=np.float32).reshape(1, 5, 2) + boxes[:, None, :2]
    landmarks[1::2] = np.nan
    return Labelled.of(image, (320, 240), Marks(boxes, landmarks, np.arange(len(boxes)) % 2 == 1))


def _same(one: Labelled, other: Labelled) -> None:
    assert (one.image, one.size_wh) == (other.image, other.size_wh)
    np.testing.assert_array_equal(one.boxes_xyxy, other.boxes_xyxy)
    np.testing.assert_array_equal(one.landmarks, other.landmarks)
    np.testing.assert_array_equal(one.ignored, other.ignored)
    assert one.boxes_xyxy.dtype == one.landmarks.dtype == np.float32


def test_what_is_written_is_read(tmp_path: Path) -> None:
    images = tmp_path / "pictures"
    items = [_labelled(images / "ann" / "1.jpg", 20, 30.5, 40), _labelled(images / "bäckerei.jpg")]
    write(tmp_path / "out", images, items)
    for one, other in zip(read(tmp_path / "out"), items, strict=True):
        _same(one, other)


def test_writing_all_at_once_replaces_what_was_there(tmp_path: Path) -> None:
    write(tmp_path, tmp_path, [_labelled(tmp_path / "old.jpg", 20)], made="by hand")
    write(tmp_path, tmp_path, [_labelled(tmp_path / "new.jpg", 20)], made="otherwise")
    assert [each.image.name for each in read(tmp_path)] == ["new.jpg"]


def test_a_folder_of_pictures_may_be_told_from_where_the_labels_are(tmp_path: Path) -> None:
    line = {"image": "1.jpg", "width": 9, "height": 8, "faces": []}
    (tmp_path / "labels.jsonl").write_text('{"labels": 1, "images": "../pictures"}\n' + json.dumps(line) + "\n")
    assert [each.image.resolve() for each in read(tmp_path)] == [tmp_path.parent.resolve() / "pictures" / "1.jpg"]


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
    _same(read(tmp_path)[1], _labelled(tmp_path / "2.jpg", 30))


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


def test_missing_labels_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no labels"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "saw"),
    [
        ("", "line 1"),
        ("no json\n", "line 1"),
        ('{"labels": 2, "images": "/"}\n', "line 1"),
        ('{"labels": 1, "images": "/"}\n{"image": "1.jpg"}\n', "line 2"),
        ('{"labels": 1, "images": "/"}\n{"image": "1.jpg", "width": 9, "height"\n', "line 2"),
        (
            '{"labels": 1, "images": "/"}\n{"image": "1.jpg", "width": 9, "height": 8, "faces": [{"box": [1]}]}\n',
            "line 2",
        ),
    ],
)
def test_a_line_that_does_not_fit_is_named(text: str, saw: str, tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_text(text)
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert saw in (caught.value.saw or "")


def test_marks_that_do_not_belong_together_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="for 2 faces"):
        Marks(np.zeros((1, 4), np.float32), np.zeros((1, 5, 2), np.float32), np.zeros(2, np.bool_))
