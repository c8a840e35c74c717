from __future__ import annotations

import numpy as np
import pytest

from pipeline.config import CameraConfig, Corners
from pipeline.zone import in_zone

SIZE_WH = (200, 100)
L_SHAPE: Corners = ((0, 0), (0.5, 0), (0.5, 0.5), (1, 0.5), (1, 1), (0, 1))


def keeps(boxes: list[list[float]], **more: object) -> list[bool]:
    camera = CameraConfig("c", "0", "0", **more)  # type: ignore[arg-type]
    return list(in_zone(camera, np.array(boxes, np.float32).reshape(-1, 4), SIZE_WH))


def test_without_a_zone_every_face_counts() -> None:
    assert keeps([[0, 0, 10, 10], [190, 90, 250, 120]]) == [True, True]
    assert keeps([]) == []


@pytest.mark.parametrize(("x", "y", "inside"), [(50, 25, True), (150, 25, False), (150, 75, True), (50, 75, True)])
def test_a_face_is_where_its_middle_is(x: float, y: float, inside: bool) -> None:
    assert keeps([[x - 30, y - 30, x + 30, y + 30]], zone=L_SHAPE) == [inside]
    assert keeps([], zone=L_SHAPE) == []


def test_a_face_is_as_large_as_its_shorter_side() -> None:
    assert keeps([[0, 0, 40, 20], [0, 0, 21, 30]], min_face_px=21) == [False, True]
