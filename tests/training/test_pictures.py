from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from checkpoints.errors import DataError
from training import pictures
from training.pictures import Broken


def _jpeg() -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", noise)[1])


def test_a_whole_picture_is_read(tmp_path: Path) -> None:
    for content in (_jpeg(), _jpeg() + b"\0\0 what a camera adds"):
        path = tmp_path / "1.jpg"
        path.write_bytes(content)
        assert pictures.read(path).shape == (60, 80, 3)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "missing"),
        (b"", "empty"),
        (b"<html>not found</html>", "not a picture"),
        (_jpeg()[: len(_jpeg()) // 2], "cut off"),
        (_jpeg()[:-2], "cut off"),
        (_jpeg()[:10], "cut off"),
    ],
)
def test_what_is_no_whole_picture_says_why(content: bytes | None, why: str, tmp_path: Path) -> None:
    path = tmp_path / "1.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Broken, match=why):
        pictures.read(path)


def test_a_small_picture_within_half_a_large_one_does_not_make_it_whole(tmp_path: Path) -> None:
    start = _jpeg()[:2] + b"\xff\xe1" + (len(_jpeg()) + 2).to_bytes(2, "big") + _jpeg()  # as EXIF holds a preview
    (tmp_path / "1.jpg").write_bytes(start + _jpeg()[2:-400])
    with pytest.raises(Broken, match="cut off"):
        pictures.read(tmp_path / "1.jpg")


def test_a_folder_that_is_called_like_a_picture_is_none(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").mkdir()
    with pytest.raises(Broken):
        pictures.read(tmp_path / "1.jpg")
    with pytest.raises(DataError, match="no picture"):
        pictures.find(tmp_path)


def test_pictures_of_all_depths_are_found_by_name(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/c/2.PNG", "a/1.jpeg", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in pictures.find(tmp_path)] == [
        "a/1.jpeg",
        "a/c/2.PNG",
        "b.jpg",
    ]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        pictures.find(tmp_path / "nowhere")


def test_a_picture_that_is_needed_is_named_where_it_is_broken(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(_jpeg())
    assert pictures.read_needed(tmp_path / "1.jpg").shape == (60, 80, 3)
    with pytest.raises(DataError, match=r"2\.jpg: missing\n  fix: Find it\.$"):
        pictures.read_needed(tmp_path / "2.jpg", "Find it.")
