from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from testbench.synthetic_tracks import KINDS, Scene, SceneFrame, play
from tracker.following import Detected, Following, FollowSettings, Step
from tracker.recall import settings_for
from tracker.settings import TrackerSettings
from tracker.shots import ShotSettings

FPS = 25.0
SETTINGS = FollowSettings(tracker=TrackerSettings(memory_frames=250), recall=settings_for(0.478))
ADA, BOB, EVE = np.eye(3, dtype=np.float32)
POINTS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
People = Sequence[tuple[float, NDArray[np.float32]]]  # where somebody is, and the look


class Camera:
    """Faces at one level, 48 px wide and 60 high, each with a look."""

    def __init__(self, settings: FollowSettings = SETTINGS, first_id: int = 1) -> None:
        self.following = Following(settings, first_id)
        self.at = 0
        self.embedded = 0

    def see(self, *people: tuple[float, NDArray[np.float32]], quality: float = 0.8, elapsed: int = 1) -> Step:
        self.at += elapsed
        boxes = np.array([[x - 24, 70, x + 24, 130] for x, _ in people], np.float32).reshape(-1, 4)
        landmarks = boxes[:, None, :2] + POINTS * (boxes[:, 2:] - boxes[:, :2])[:, None]
        count = len(people)
        seen = Detected(boxes, np.full(count, 0.999, np.float32), landmarks, np.full(count, quality, np.float32))

        def embed(rows: list[int]) -> NDArray[np.float32]:
            self.embedded += len(rows)
            return np.stack([people[row][1] for row in rows])

        return self.following.step(seen, self.at, self.at / FPS, embed)


def _ids(step: Step) -> list[int]:
    return [face.track for face in step.faces]


def _play(frames: Sequence[SceneFrame], settings: FollowSettings = SETTINGS) -> list[Step]:
    following, at, steps = Following(settings), 0, []
    for frame in frames:
        at += frame.frames_elapsed
        seen = Detected(frame.boxes_xyxy, frame.scores, frame.landmarks, frame.quality)
        steps.append(following.step(seen, at, at / FPS, lambda rows, f=frame: f.embeddings[rows]))  # type: ignore[misc]
    return steps


def test_who_comes_back_has_the_old_id_from_the_first_frame_on() -> None:
    camera = Camera()
    for _ in range(10):
        assert _ids(camera.see((100, ADA))) == [1]
    assert [camera.see().ended for _ in range(60)] == [()] * 60
    back = camera.see((500, ADA))
    assert (_ids(back), back.revived, back.ended) == ([1], (), ()), "the new id was never told"
    np.testing.assert_array_equal(back.faces[0].box_xyxy, [476, 70, 524, 130])


def test_without_recall_a_face_that_was_away_for_long_is_new() -> None:
    camera = Camera(replace(SETTINGS, recall=None, tracker=TrackerSettings()))
    camera.see((100, ADA))
    ended = [camera.see().ended for _ in range(60)]
    assert (1,) in ended
    assert _ids(camera.see((500, ADA))) == [2]


def test_who_is_known_again_late_is_told_as_an_alias() -> None:
    camera = Camera()
    for _ in range(10):
        camera.see((100, ADA))
    for _ in range(40):
        camera.see()
    assert _ids(camera.see((500, ADA), quality=0.1)) == [2], "the first picture is too poor to say who it is"
    later = [camera.see((500, ADA)) for _ in range(4)]
    (told,) = [step for step in later if step.revived]
    assert (told.revived, told.ended, _ids(told)) == (((2, 1),), (2,), [1])
    assert _ids(later[-1]) == [1]


def test_the_alias_goes_on_where_the_new_id_was_drawn() -> None:
    camera = Camera()
    for _ in range(10):
        camera.see((100, ADA))
    camera.see(elapsed=60)
    camera.see((500, ADA), quality=0.1)
    for _ in range(4):
        (face,) = camera.see((500, ADA)).faces
        assert abs(face.box_xyxy[0] - 476) < 1


def test_a_face_that_became_another_gets_another_id() -> None:
    camera = Camera()
    for _ in range(10):
        camera.see((100, ADA))
    for _ in range(10):
        camera.see()
    told = [_ids(camera.see((100, EVE))) for _ in range(20)]
    assert told[0] == [1], "by its place it was the same"
    assert told[-1] == [2], "by its looks it is not"
    assert _ids(camera.see((100, EVE), (400, ADA))) == [1, 2], "and the first one can still come back"


def test_a_new_look_is_with_the_face_that_it_was_made_of() -> None:
    for step in _play(list(play(Scene(faces=8, seed=4)))):
        for face in step.faces:
            assert face.detection is not None
        assert all(face.embedding is None and face.detection is None for face in step.expected)


def test_a_face_out_of_sight_is_expected_for_six_frames() -> None:
    camera = Camera()
    for i in range(20):
        camera.see((100 + 4 * i, ADA))
    steps = [camera.see() for _ in range(12)]
    assert [len(step.expected) for step in steps] == [1] * 6 + [0] * 6
    assert all(step.faces == () for step in steps)
    for i, step in enumerate(steps[:6]):
        (face,) = step.expected
        assert abs((face.box_xyxy[0] + face.box_xyxy[2]) / 2 - (100 + 4 * (20 + i))) < 12, "it walks on"
        assert ((face.landmarks > face.box_xyxy[:2]) & (face.landmarks < face.box_xyxy[2:])).all()
        assert face.track == 1


def test_a_face_that_has_walked_out_of_the_picture_is_not_expected() -> None:
    following, (ada,) = Following(SETTINGS), [ADA]
    steps = []
    for i in range(24):
        boxes = np.array([[576 + 4 * i - 24, 70, 576 + 4 * i + 24, 130]], np.float32)[: 1 if i < 15 else 0]
        scores, points = np.full(len(boxes), 0.999, np.float32), np.zeros((len(boxes), 5, 2), np.float32)
        seen = Detected(boxes, scores, points, scores)
        steps.append(following.step(seen, i, i / FPS, lambda rows: ada[None], size_wh=(640, 360)))
    assert [len(step.expected) for step in steps[15:]] == [1, 1] + [0] * 7


def test_a_face_that_was_hardly_seen_is_not_expected() -> None:
    camera = Camera()
    camera.see((100, ADA))
    assert camera.see().expected == ()


def test_the_end_of_an_epoch_ends_all_tracks_and_no_id_comes_again() -> None:
    camera = Camera(first_id=10)
    for _ in range(10):
        camera.see((100, ADA), (300, BOB))
    for _ in range(60):
        camera.see((100, ADA))
    assert camera.following.end() == (10, 11), "also those that are away"
    assert _ids(camera.see((100, ADA), (300, BOB))) == [12, 13]
    assert camera.following.end() == (12, 13)
    assert camera.following.end() == ()


def test_dropped_frames_age_the_tracks() -> None:
    camera = Camera(replace(SETTINGS, recall=None, tracker=TrackerSettings()))
    camera.see((100, ADA))
    step = camera.see((100, ADA), elapsed=40)
    assert (_ids(step), step.ended) == ([2], (1,))


def test_embeddings_are_made_seldom() -> None:
    camera = Camera()
    for _ in range(200):
        camera.see((100, ADA), (400, BOB))
    assert 6 < camera.embedded <= 2 * (3 + 200 // 60)


def test_faces_that_pass_each_other_are_looked_at_again() -> None:
    camera = Camera(replace(SETTINGS, shots=ShotSettings(check_frames=1000)))
    for i in range(60):
        camera.see((100 + 5 * i, ADA), (400 - 5 * i, BOB))
    assert 6 < camera.embedded < 16


@pytest.mark.parametrize("kind", ["occlusions", "entries and exits", "quick, dropped"])
def test_ids_are_told_rightly_whatever_happens(kind: str) -> None:
    told: set[int] = set()
    over: set[int] = set()
    for step in _play(list(play(replace(KINDS[kind], seed=3)))):
        ids = [face.track for face in (*step.faces, *step.expected)]
        assert len(set(ids)) == len(ids)
        assert over.isdisjoint(ids), "an id that has ended does not come again"
        assert not over.intersection(step.ended), "it ends once"
        assert not set(step.ended).intersection(ids)
        for newer, older in step.revived:
            assert newer in told
            assert newer in step.ended
            assert older in ids
        rows = [face.detection for face in step.faces]
        assert len(set(rows)) == len(rows)
        told.update(ids)
        over.update(step.ended)


def test_the_same_frames_give_the_same_steps() -> None:
    frames = list(play(replace(KINDS["occlusions"], seed=9)))
    once, again = ([(_ids(step), step.ended, step.revived) for step in _play(frames)] for _ in range(2))
    assert once == again
