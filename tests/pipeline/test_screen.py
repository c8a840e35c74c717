from __future__ import annotations

import numpy as np

from pipeline.file_names import safe
from pipeline.messages import NamedFace
from pipeline.screen import face_at


def face(track: int, *box: float) -> NamedFace:
    return NamedFace(track, np.array(box, np.float32), np.zeros((5, 2), np.float32), 0.8, None, "unknown", 0, 0, 0)


def test_the_smallest_face_under_the_mouse_is_meant() -> None:
    faces = (face(1, 0, 0, 100, 100), face(2, 20, 20, 60, 60), face(3, 200, 0, 220, 20))
    assert [
        found and found.track for found in (face_at(faces, 30, 30), face_at(faces, 90, 5), face_at(faces, 150, 5))
    ] == [2, 1, None]


def test_names_of_cameras_become_names_of_files() -> None:
    assert [safe(name) for name in ("Tür 2", "../etc", "rtsp://x")] == ["Tür_2", "___etc", "rtsp___x"]
