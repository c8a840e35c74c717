from __future__ import annotations

import numpy as np

from pipeline.messages import AlignedFaces, FrameRef
from testbench.crowd_truth import Truth, truth

ADA, BOB = np.eye(4, dtype=np.float32)[:2]


def _clip() -> Truth:
    """Ada walks to the right and is hidden in frames 8 to 14; Bob stands still and is missed in frame 5."""
    frames, embeddings = [], []
    for number in range(24):
        boxes, vectors = [], []
        if not 8 <= number < 15:
            boxes.append([100 + 8 * number, 50, 150 + 8 * number, 110])
            vectors.append(ADA)
        if number != 5:
            boxes.append([600, 50, 650, 110])
            vectors.append(BOB)
        count = len(boxes)
        ref = FrameRef("0", 0, number, number / 25, 0, 0, (1280, 720))
        crops = np.zeros((count, 8, 8, 3), np.uint8)
        ones = np.ones(count, np.float32)
        frames.append(
            AlignedFaces(ref, np.array(boxes, np.float32), ones, np.zeros((count, 5, 2), np.float32), crops, ones)
        )
        embeddings.append(np.stack(vectors))
    return truth(frames, embeddings)


def _box(x: float) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([x, 50, x + 50, 110], np.float32)


def test_pieces_of_one_person_are_joined_and_two_people_are_kept_apart() -> None:
    found = _clip()
    assert [(len(one.places), one.pieces) for one in found.people] == [(23, 2), (17, 2)]


def test_whose_face_a_box_is_on() -> None:
    found = _clip()
    assert found.who(3, _box(124)) == 1
    assert found.who(3, _box(600)) == 0
    assert found.who(3, _box(400)) is None
    assert found.who(5, _box(600)) == 0, "missed by the search, found on both sides of it"
    assert found.who(11, _box(188)) == 1, "hidden, on the way"
