from __future__ import annotations

import numpy as np

from app.archive.gathering import BEST_SHOTS, Gathered, Gathering
from pipeline.gallery.gallery import Cutout
from tracker.following import Followed, Step

LANDMARKS = np.zeros((5, 2), np.float32)


def face(track: int, direction: int | None = 0, row: int = 0) -> Followed:
    embedding = None if direction is None else np.eye(4, dtype=np.float32)[direction]
    return Followed(track, row, np.array([track, 0, track + 10, 10], np.float32), LANDMARKS, embedding)


def step(*faces: Followed, ended: tuple[int, ...] = (), revived: tuple[tuple[int, int], ...] = ()) -> Step:
    return Step(faces, (), ended, revived)


class Frames:
    """Takes frames a second apart. Cut-outs tell the track and the second."""

    def __init__(self) -> None:
        self.gathering = Gathering()
        self.at_s = 0.0

    def take(self, one: Step, *quality: float) -> list[Gathered]:
        worth = np.array(quality or [0.5] * len(one.faces), np.float32)
        found = self.gathering.take(
            self.at_s, one, worth, lambda face: Cutout(f"{face.track}@{self.at_s:.0f}".encode(), LANDMARKS)
        )
        self.at_s += 1
        return found


def test_a_face_is_one_sighting_from_its_first_to_its_last_frame() -> None:
    frames = Frames()
    for _ in range(3):
        assert frames.take(step(face(7))) == []
    frames.take(step())
    (seen,) = frames.take(step(ended=(7,)))
    assert (seen.track, seen.first_s, seen.last_s, seen.frames) == (7, 0, 2, 3)
    assert frames.gathering.end() == []


def test_the_end_ends_all_faces_by_track() -> None:
    frames = Frames()
    frames.take(step(face(9), face(2, row=1)))
    assert [seen.track for seen in frames.gathering.end()] == [2, 9]


def test_the_clearest_looks_count_and_the_clearest_is_shown() -> None:
    frames = Frames()
    for quality in (0.4, 0.5, 0.9, 0.31, 0.6, 0.7, 0.8):
        frames.take(step(face(1)), quality)
    (seen,) = frames.gathering.end()
    assert [round(shot.quality, 2) for shot in seen.shots] == [0.9, 0.8, 0.7, 0.6, 0.5]
    assert len(seen.shots) == BEST_SHOTS
    assert seen.cutout.jpeg == b"1@2"
    assert seen.box_xyxy.tolist() == [1, 0, 11, 10]


def test_the_embedding_is_the_mean_by_quality() -> None:
    frames = Frames()
    frames.take(step(face(1, direction=0)), 0.8)
    frames.take(step(face(1, direction=1)), 0.6)
    (seen,) = frames.gathering.end()
    np.testing.assert_allclose(seen.embedding, [0.8, 0.6, 0, 0], atol=1e-6)
    assert seen.embedding.dtype == np.float32


def test_a_face_that_was_never_clear_leaves_no_trace() -> None:
    frames = Frames()
    frames.take(step(face(1), face(2, direction=None, row=1)), 0.29, 0.9)
    assert frames.gathering.end() == []


def test_a_face_that_comes_back_goes_on_as_one_sighting() -> None:
    frames = Frames()
    frames.take(step(face(1)), 0.5)
    frames.take(step())
    frames.take(step(face(5)), 0.9)
    frames.take(step(face(1), ended=(5,), revived=((5, 1),)), 0.4)
    (seen,) = frames.gathering.end()
    assert (seen.track, seen.first_s, seen.last_s, seen.frames) == (1, 0, 3, 3)
    assert [round(shot.quality, 1) for shot in seen.shots] == [0.9, 0.5, 0.4]
    assert seen.cutout.jpeg == b"5@2"


def test_two_faces_are_two_sightings() -> None:
    frames = Frames()
    frames.take(step(face(1, 0), face(2, 1, row=1)))
    frames.take(step(face(2, 1), ended=(1,)))
    assert [seen.track for seen in frames.gathering.end()] == [2]
