from __future__ import annotations

from pathlib import Path

import pytest

from checkpoints.errors import DataError
from training.wider_face import picture_path, read_folder, read_labels

LABELS = """street/one.jpg
2
10 20 30 40 0 0 0 0 0 0 
5 6 7 8 1 0 0 1 2 0
empty.jpg
0
0 0 0 0 0 0 0 0 0 0
also_empty.jpg
0
last.jpg
1
1 2 3 4 0 0 0 0 0 0
"""  # noqa: W291


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gt.txt"
    path.write_text(text)
    return path


def test_boxes_become_corners_and_invalid_ones_are_ignored(tmp_path: Path) -> None:
    one, empty, also_empty, last = read_labels(_file(tmp_path, LABELS))
    assert (one.name, last.name) == ("street/one.jpg", "last.jpg")
    assert one.boxes_xyxy.tolist() == [[10, 20, 40, 60], [5, 6, 12, 14]]
    assert one.ignored.tolist() == [False, True]
    assert empty.boxes_xyxy.shape == also_empty.boxes_xyxy.shape == (0, 4)
    assert empty.ignored.shape == (0,)
    assert last.boxes_xyxy.tolist() == [[1, 2, 4, 6]]


def test_empty_lines_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_bytes((LABELS.replace("last.jpg", "\nlast.jpg") + "\n\n").replace("\n", "\r\n").encode())
    assert [picture.name for picture in read_labels(path)] == [
        "street/one.jpg",
        "empty.jpg",
        "also_empty.jpg",
        "last.jpg",
    ]


@pytest.mark.parametrize(
    ("text", "saw"),
    [
        ("one.jpg\ntwo\n", "line 2: 'two' where the number of faces"),
        ("one.jpg\n-1\n", "line 2: '-1'"),
        ("one.jpg\n", "line 2: '' where the number of faces"),
        ("one.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n", "line 4: the end of the file"),
        ("one.jpg\n2\n1 2 3 4 0 0 0 0 0 0\ntwo.jpg\n", "line 4: 'two.jpg' where the 10 numbers"),
        ("one.jpg\n1\n1 2 3 4 0 0 0 0 0\n", "line 3: "),
        ("one.jpg\n1\n1 2 3 nan 0 0 0 0 0 0\n", "line 3: "),
        ("one.jpg\n0\none.jpg\n0\n", "line 3: one.jpg a second time"),
    ],
)
def test_a_line_that_does_not_fit_is_named(text: str, saw: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_labels(_file(tmp_path, text))
    assert caught.value.saw is not None
    assert saw in caught.value.saw
    assert "x y w h" in str(caught.value)


def test_a_list_without_pictures_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture"):
        read_labels(_file(tmp_path, "\n \n"))


def test_what_is_missing_in_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"has no gt\.txt"):
        read_folder(tmp_path)
    _file(tmp_path, LABELS)
    with pytest.raises(DataError, match="has no images"):
        read_folder(tmp_path)
    (tmp_path / "images").mkdir()
    pictures = read_folder(tmp_path)
    assert picture_path(tmp_path, pictures[0]) == tmp_path / "images" / "street" / "one.jpg"


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        read_labels(tmp_path / "gt.txt")


def test_the_published_annotations_of_wider_face_can_be_read() -> None:
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "wider_face_split" / "wider_face_val_bbx_gt.txt"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    pictures = read_labels(path)
    assert len(pictures) == 3226
    assert sum(len(picture.boxes_xyxy) for picture in pictures) > 39_000
