from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import DataError
from training.label_writer import write
from training.labels import Labelled, Marks, are_of, read


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


def test_a_folder_of_pictures_may_be_told_from_where_the_labels_are(tmp_path: Path) -> None:
    line = {"image": "1.jpg", "width": 9, "height": 8, "faces": []}
    (tmp_path / "labels.jsonl").write_text('{"labels": 1, "images": "../pictures"}\n' + json.dumps(line) + "\n")
    assert [each.image.resolve() for each in read(tmp_path)] == [tmp_path.parent.resolve() / "pictures" / "1.jpg"]


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


@pytest.mark.parametrize(
    ("box", "saw"),
    [
        ("[5, 5, 5, 7]", "without a size"),
        ("[7, 5, 5, 7]", "without a size"),
        ("[9, 2, 12, 4]", "outside the picture of 9×8"),
        ("[2, -4, 4, 0]", "outside the picture of 9×8"),
        ("[NaN, 2, 4, 4]", "of numbers that are none"),
    ],
)
def test_a_face_of_which_nothing_can_be_learnt_is_refused(box: str, saw: str, tmp_path: Path) -> None:
    face = f'{{"box": {box}, "landmarks": null, "ignored": false}}'
    line = f'{{"image": "1.jpg", "width": 9, "height": 8, "faces": [{face}]}}'
    (tmp_path / "labels.jsonl").write_text('{"labels": 1, "images": "/"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=saw):
        read(tmp_path)


def test_what_is_to_be_ignored_may_have_no_size(tmp_path: Path) -> None:
    face = '{"box": [5, 5, 5, 7], "landmarks": null, "ignored": true}'
    line = f'{{"image": "1.jpg", "width": 9, "height": 8, "faces": [{face}]}}'
    (tmp_path / "labels.jsonl").write_text('{"labels": 1, "images": "/"}\n' + line + "\n", encoding="utf-8")
    assert [each.ignored.tolist() for each in read(tmp_path)] == [[True]]


def test_whose_labels_they_are_is_known(tmp_path: Path) -> None:
    assert not are_of(tmp_path / "out", tmp_path / "pictures")
    write(tmp_path / "out", tmp_path / "pictures", [_labelled(tmp_path / "pictures" / "1.jpg", 20)])
    assert are_of(tmp_path / "out", tmp_path / "pictures")
    assert not are_of(tmp_path / "out", tmp_path / "others")
