"""Pictures of the faces that events tell of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from checkpoints.errors import OutputError
from pipeline import events
from pipeline.clock import now_ns
from pipeline.messages import FrameRef, NamedFace, Why
from pipeline.outlets.cropping import Cropping
from pipeline.outlets.crops import Crops
from pipeline.outlets.stored import key_of

WHY = Why((), 0.4, 0.05, None, False)


def event(seq: int, track: int, why: Why | None = None) -> tuple[dict[str, object], NamedFace]:
    ref = FrameRef("door", 0, seq, seq / 25, now_ns(), seq, (640, 360))
    box = np.array([100, 100, 200, 220], np.float32)
    face = NamedFace(track, box, np.full((5, 2), 150, np.float32), 0.74, "Ann", "known", 0.83, 0.21, 5)
    return events.identity(ref, face, "sface@sha256:ab", why), face


def test_a_face_has_a_picture_when_it_or_its_name_is_new(tmp_path: Path) -> None:
    cropping = Cropping(tmp_path)
    wished = [(1, None), (1, None), (2, None), (1, WHY), (2, None)]
    assert [cropping.wants(event(n, track, why)[0]) for n, (track, why) in enumerate(wished)] == [
        True,
        False,
        True,
        True,
        False,
    ]
    cropping.close()


def test_the_picture_shows_the_face(tmp_path: Path) -> None:
    image_bgr = np.zeros((360, 640, 3), np.uint8)
    image_bgr[100:220, 100:200] = (0, 0, 255)
    cropping = Cropping(tmp_path)
    told, face = event(1, 1)
    cropping.keep(told, image_bgr, face)
    cropping.close()
    jpeg = Crops(tmp_path).read(key_of(told, b""))
    assert jpeg is not None
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    middle = shown[shown.shape[0] // 2, shown.shape[1] // 2]
    assert middle[2] > 200 and middle[0] < 60


def test_pictures_are_for_their_owner_only(tmp_path: Path) -> None:
    crops = Crops(tmp_path)
    crops.write("../../etc/passwd", b"jpeg")
    (path,) = crops.files()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.parent == tmp_path
    assert crops.erase(["../../etc/passwd", "nobody"]) == 1
    assert not crops.has("../../etc/passwd")


def test_a_folder_that_cannot_be_written_is_told_with_the_next_picture(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cropping = Cropping(tmp_path / "file")
    told, face = event(1, 1)
    image_bgr = np.zeros((360, 640, 3), np.uint8)
    cropping.keep(told, image_bgr, face)
    cropping.close()
    with pytest.raises(OutputError, match="cannot be kept"):
        cropping.keep(told, image_bgr, face)


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("pipeline.stages.draw", ["cv2", "sqlite3", "paho", "http.client"]),
        ("pipeline.outlets.side", ["cv2", "paho", "http.client"]),
        ("app.run", ["sqlite3", "paho", "http.client"]),
        ("app.outgoing", ["sqlite3", "paho"]),
    ],
)
def test_what_is_not_used_is_not_loaded(module: str, unwanted: list[str]) -> None:
    code = f"import sys, {module}; print([name for name in {unwanted} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
