from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

scipy_io = pytest.importorskip("scipy.io", reason="the extra [train] is not installed")

from checkpoints.errors import DataError  # noqa: E402
from training.wider_face import read_labels  # noqa: E402
from training.wider_mat import read_mat  # noqa: E402

SPLIT = Path(__file__).resolve().parents[3] / "shared" / "data" / "wider_face_split"


def _column(values: list[Any]) -> Any:
    cells = np.empty((len(values), 1), object)
    cells[:, 0] = values
    return cells


def _content() -> dict[str, Any]:
    """Two events with two pictures and one."""
    boxes = [
        [np.array([[10, 20, 30, 40], [5, 6, 7, 8]], np.int32), np.array([[1, 2, 3, 4]], np.int32)],
        [np.array([[0, 0, 0, 0]], np.int32)],
    ]
    invalid = [[np.array([[0], [1]], np.uint8), np.array([[0]], np.uint8)], [np.array([[0]], np.uint8)]]
    return {
        "event_list": _column(["street", "party"]),
        "file_list": _column([_column(["one", "two"]), _column(["three"])]),
        "face_bbx_list": _column([_column(each) for each in boxes]),
        "invalid_label_list": _column([_column(each) for each in invalid]),
    }


def _file(tmp_path: Path, content: dict[str, Any]) -> Path:
    path = tmp_path / "wider_face_train.mat"
    scipy_io.savemat(path, content)
    return path


def test_pictures_of_all_events_are_read(tmp_path: Path) -> None:
    one, two, three = read_mat(_file(tmp_path, _content()))
    assert [each.name for each in (one, two, three)] == ["street/one.jpg", "street/two.jpg", "party/three.jpg"]
    assert one.boxes_xyxy.tolist() == [[10, 20, 40, 60], [5, 6, 12, 14]]
    assert one.ignored.tolist() == [False, True]
    assert three.boxes_xyxy.tolist() == [[0, 0, 0, 0]]


def test_what_is_missing_in_it_is_named(tmp_path: Path) -> None:
    content = _content()
    del content["face_bbx_list"]
    with pytest.raises(DataError) as caught:
        read_mat(_file(tmp_path, content))
    assert "without face_bbx_list" in (caught.value.saw or "")


def test_lists_of_different_lengths_are_told(tmp_path: Path) -> None:
    fewer, flags = _content(), _content()
    fewer["event_list"] = _column(["street"])
    flags["invalid_label_list"][0, 0][0, 0] = np.array([[0]], np.uint8)
    for content in (fewer, flags, {name: np.zeros((1, 1)) for name in _content()}):
        with pytest.raises(DataError, match="not those of WIDER FACE"):
            read_mat(_file(tmp_path, content))


def test_a_file_without_pictures_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture"):
        read_mat(_file(tmp_path, {name: _column([]) for name in _content()}))


@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.5, 0.999])
def test_half_a_file_is_told(share: float, tmp_path: Path) -> None:
    whole = _file(tmp_path, _content())
    half = tmp_path / "half.mat"
    half.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
    with pytest.raises(DataError):
        read_mat(half)


@pytest.mark.parametrize("content", [b"<html>not found</html>" * 99, b"\xff" * 999])
def test_what_is_no_such_file_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "1.mat").write_bytes(content)
    with pytest.raises(DataError, match="no whole MATLAB file"):
        read_mat(tmp_path / "1.mat")
    with pytest.raises(DataError, match="cannot be read"):
        read_mat(tmp_path / "nowhere.mat")


def test_the_published_annotations_agree_in_both_forms() -> None:
    if not SPLIT.is_dir():
        pytest.skip(f"{SPLIT} is not there")
    by_mat = read_mat(SPLIT / "wider_face_val.mat")
    by_text = {picture.name: picture for picture in read_labels(SPLIT / "wider_face_val_bbx_gt.txt")}
    assert len(by_mat) == len(by_text) == 3226
    assert sum(len(picture.boxes_xyxy) for picture in by_mat) == 39_708
    for picture in by_mat:
        np.testing.assert_array_equal(picture.boxes_xyxy, by_text[picture.name].boxes_xyxy)
        np.testing.assert_array_equal(picture.ignored, by_text[picture.name].ignored)
