from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from testbench.box_agreement import Agreement, agreement

SIZE_WH = (200, 100)


def _boxes(*boxes: list[float]) -> NDArray[np.float64]:
    return np.array(boxes, np.float64).reshape(-1, 4)


def test_the_same_boxes_in_another_order() -> None:
    one = _boxes([0, 0, 10, 10], [50, 50, 80, 80])
    assert agreement([one], [one[::-1]], [SIZE_WH]) == Agreement(2, 2, 2, 2)


def test_same_face_in_another_box() -> None:
    assert agreement([_boxes([0, 0, 10, 10])], [_boxes([0, 0, 10, 9.4])], [SIZE_WH]) == Agreement(1, 1, 1, 0)
    assert agreement([_boxes([0, 0, 10, 10])], [_boxes([0, 0, 10, 9.6])], [SIZE_WH]) == Agreement(1, 1, 1, 1)
    assert agreement([_boxes([0, 0, 10, 10])], [_boxes([0, 0, 10, 5])], [SIZE_WH]) == Agreement(1, 1, 0, 0)


def test_each_box_has_one_partner() -> None:
    two, one = _boxes([0, 0, 10, 10], [0, 0, 10, 9]), _boxes([0, 0, 10, 10])
    assert agreement([two], [one], [SIZE_WH]) == Agreement(2, 1, 1, 1)


def test_what_lies_outside_the_picture_does_not_matter() -> None:
    assert agreement([_boxes([0, 0, 40, 100])], [_boxes([-20, -30, 40, 130])], [SIZE_WH]) == Agreement(1, 1, 1, 1)


def test_pictures_are_not_mixed_up() -> None:
    here, nowhere = _boxes([0, 0, 10, 10]), _boxes()
    assert agreement([here, nowhere], [nowhere, here], [SIZE_WH] * 2) == Agreement(1, 1, 0, 0)
