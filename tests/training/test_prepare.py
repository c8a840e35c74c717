from __future__ import annotations

from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.options import EngineOptions
from training import labels, prepare
from training.labels import Labelled, Marks
from training.landmark_list import Points

_LIST = """a/1.png
2
10 10 40 40 0 0 0 0 0 0
80 10 40 40 0 0 0 0 0 0
a/2.png
1
5 5 0 9 0 0 0 0 0 0
"""
_LANDMARKS = "# a/1.png\n10 10 40 40 20 20 0 40 20 0 30 30 0 22 40 0 38 40 0\n"
_BOX = np.array([[10, 10, 50, 50]], np.float32)


class FakeTeacher:
    """Sees one face at the top left of every picture."""

    def __init__(self, config: EngineOptions, usual_wh: tuple[int, int]) -> None:
        del config, usual_wh

    def marks(self, image_bgr: NDArray[np.uint8], *, background: bool = False) -> Marks:
        del image_bgr
        return Marks(_BOX, np.full((1, 5, 2), 20, np.float32), np.array([background]))

    def points(self, image_bgr: NDArray[np.uint8]) -> Points:
        marks = self.marks(image_bgr)
        return Points(marks.boxes_xyxy, marks.landmarks)

    def __enter__(self) -> FakeTeacher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Holds images/ with two pictures, gt.txt and label.txt; a fake teaches."""
    monkeypatch.setattr(prepare, "Teacher", FakeTeacher)
    (tmp_path / "images" / "a").mkdir(parents=True)
    for name in ("1.png", "2.png"):
        cv2.imwrite(str(tmp_path / "images" / "a" / name), np.full((60, 100, 3), 99, np.uint8))
    (tmp_path / "gt.txt").write_text(_LIST)
    (tmp_path / "label.txt").write_text(_LANDMARKS)
    return tmp_path


def _boxes(folder: Path, *flags: str) -> int:
    return prepare.main(["boxes", str(folder / "gt.txt"), str(folder / "images"), *flags])


def _made(folder: Path) -> list[Labelled]:
    return labels.read(folder / "out")


def test_pictures_without_labels_are_taught(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare.main(["teach", str(folder / "images"), "--out", str(folder / "out")]) == 0
    assert [(each.boxes_xyxy.tolist(), each.ignored.tolist()) for each in _made(folder)] == [
        (_BOX.tolist(), [False])
    ] * 2
    assert "2 pictures, 2 faces, 2 of them with landmarks, 0 places to be ignored" in capsys.readouterr().out


def test_on_backgrounds_nothing_is_a_face(folder: Path) -> None:
    assert prepare.main(["teach", str(folder / "images"), "--no-faces", "--out", str(folder / "out")]) == 0
    assert [each.ignored.tolist() for each in _made(folder)] == [[True], [True]]


def test_a_list_of_boxes_becomes_labels_and_what_was_odd_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _boxes(folder, "--out", str(folder / "out")) == 0
    one, two = _made(folder)
    assert one.boxes_xyxy.tolist() == [[10, 10, 50, 50], [80, 10, 100, 50]]
    assert np.isnan(one.landmarks).all()
    assert len(two.boxes_xyxy) == 0
    told = capsys.readouterr().err
    assert "boxes clipped: 1" in told
    assert "boxes no size: 1" in told
    assert "outside" not in told


@pytest.mark.parametrize("source", ["teacher", "label.txt"])
def test_landmarks_come_from_the_teacher_or_from_a_list(source: str, folder: Path) -> None:
    given = source if source == "teacher" else str(folder / source)
    assert _boxes(folder, "--out", str(folder / "out"), "--landmarks", given) == 0
    landmarks = _made(folder)[0].landmarks
    assert landmarks[0, 0].tolist() == [20, 20]
    assert np.isnan(landmarks[1]).all()


def test_a_half_downloaded_folder_is_refused_unless_it_is_meant(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "images" / "a" / "2.png").unlink()
    assert _boxes(folder, "--out", str(folder / "out")) == 2
    told = capsys.readouterr().err
    assert "1 of 2" in told
    assert "--partial" in told
    assert not (folder / "out").exists()
    assert _boxes(folder, "--out", str(folder / "out"), "--partial") == 0
    assert [each.image.name for each in _made(folder)] == ["1.png"]
    assert "2.png: missing" in capsys.readouterr().err


def test_a_check_shows_all_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _boxes(folder, "--check") == 0
    shown = capsys.readouterr().out
    assert "a/1.png: clipped: 80, 10, 120, 50" in shown
    assert "2 pictures, 0 of them missing or broken; 1 boxes clipped, 1 boxes no size" in shown
    (folder / "images" / "a" / "2.png").write_bytes(b"")
    assert _boxes(folder, "--check") == 1
    assert "2.png: the file is empty" in capsys.readouterr().out
    assert not (folder / "out").exists()


def test_an_empty_folder_of_pictures_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty").mkdir()
    assert prepare.main(["teach", str(folder / "empty"), "--out", str(folder / "out")]) == 2
    assert prepare.main(["boxes", str(folder / "gt.txt"), str(folder / "empty"), "--out", str(folder / "out")]) == 2
    told = capsys.readouterr().err
    assert "no picture in this folder" in told
    assert "None of the listed pictures" in told


def test_pictures_that_are_all_broken_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (folder / "images" / "a").iterdir():
        path.write_bytes(b"no picture")
    assert prepare.main(["teach", str(folder / "images"), "--out", str(folder / "out")]) == 2
    assert "None of these pictures can be read" in capsys.readouterr().err


def test_whoever_interrupts_is_told_that_it_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **_named: object) -> Marks:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeTeacher, "marks", interrupted)
    assert prepare.main(["teach", str(folder / "images"), "--out", str(folder / "out")]) == 130
    assert "goes on from here" in capsys.readouterr().err
