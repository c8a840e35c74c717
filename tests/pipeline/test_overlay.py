from __future__ import annotations

import numpy as np
import pytest

from pipeline import overlay
from pipeline.messages import NamedFace, State


def face(box: tuple[float, float, float, float], state: State = "known", name: str | None = "Zoë") -> NamedFace:
    return NamedFace(7, np.array(box, np.float32), np.zeros((5, 2), np.float32), 0.8, name, state, 0.83, 0.2, 5)


def test_nothing_is_drawn_without_faces() -> None:
    image = np.full((180, 320, 3), 9, np.uint8)
    overlay.draw(image, [])
    assert (image == 9).all()


def test_a_box_is_drawn_where_the_face_is() -> None:
    image = np.zeros((180, 320, 3), np.uint8)
    overlay.draw(image, [face((100, 80, 160, 150))])
    assert image[115, 100].any()
    assert image[150, 130].any()
    assert not image[110:140, 110:150].any(), "the face itself stays to be seen"
    assert not image[:, 300:].any()


@pytest.mark.parametrize("box", [(-20, -20, 40, 40), (300, 150, 400, 300), (-500, -500, -400, -400), (0, 0, 1, 1)])
def test_boxes_at_and_beyond_the_edge_are_no_error(box: tuple[float, float, float, float]) -> None:
    overlay.draw(np.zeros((180, 320, 3), np.uint8), [face(box)])


def test_labels_say_who_or_which_track() -> None:
    assert overlay.label(face((0, 0, 1, 1), name="Alice")) == "Alice 0.83"
    assert overlay.label(face((0, 0, 1, 1))) == "Zoë 0.83"
    assert overlay.label(face((0, 0, 1, 1), "unknown", None)) == "unknown #7"
