from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tracker.recall import Recall, Recalled, Shot, settings_for
from tracker.settings import TrackerSettings
from tracker.tracker import Tracker, Update

NOTHING = Recalled((), (), ())
ADA, BOB, EVE = np.eye(3, dtype=np.float32)
LEFT, RIGHT = (100.0, 100.0), (400.0, 100.0)


class Room:
    """A tracker and its recall, with faces whose looks are known."""

    def __init__(self) -> None:
        self.tracker = Tracker(TrackerSettings(lost_frames=5, memory_frames=50))
        self.recall = Recall(settings_for(0.5))

    def see(self, *centres: tuple[float, float], elapsed: int = 1) -> Update:
        boxes = np.array([[x - 24, y - 30, x + 24, y + 30] for x, y in centres], np.float32).reshape(-1, 4)
        update = self.tracker.update(boxes, np.full(len(centres), 0.999, np.float32), frames_elapsed=elapsed)
        self.recall.forget(update.ended)
        return update

    def look(self, *shots: tuple[int, NDArray[np.float32]], quality: float = 0.8) -> Recalled:
        return self.recall.judge([Shot(track, vector, quality) for track, vector in shots], self.tracker)

    def ids(self) -> list[int]:
        return sorted(face.track for face in self.see(LEFT, RIGHT).tracked)


def test_a_face_that_comes_back_elsewhere_is_known_again() -> None:
    room = Room()
    room.see(LEFT)
    room.look((1, ADA))
    room.see(elapsed=10)
    assert [face.track for face in room.see(RIGHT).tracked] == [2]
    assert room.look((2, ADA)) == Recalled((), ((2, 1),), ())
    assert [face.track for face in room.see(RIGHT).tracked] == [1]


def test_another_face_is_a_new_one() -> None:
    room = Room()
    room.see(LEFT)
    room.look((1, ADA))
    room.see(elapsed=10)
    room.see(LEFT)
    assert room.look((2, BOB)) == NOTHING


def test_who_is_in_sight_is_not_seen_twice() -> None:
    room = Room()
    room.see(LEFT)
    room.look((1, ADA))
    room.see(LEFT, RIGHT)
    assert room.look((2, ADA)) == NOTHING, "one person is in one place"


def test_of_two_new_faces_the_more_alike_is_the_lost_one() -> None:
    room = Room()
    room.see((250.0, 300.0))
    room.look((1, ADA))
    room.see(elapsed=10)
    room.see(LEFT, RIGHT)
    half = (0.8 * ADA + 0.6 * BOB).astype(np.float32)
    assert room.look((2, half), (3, ADA)).revived == ((3, 1),)


def test_a_poor_picture_proves_nothing() -> None:
    room = Room()
    room.see(LEFT)
    room.look((1, ADA))
    room.see(elapsed=10)
    room.see(RIGHT)
    assert room.look((2, ADA), quality=0.2) == NOTHING
    assert room.look((2, ADA)).revived == ((2, 1),), "a clear one does, a little later"


def test_after_the_memory_is_over_nobody_is_known_again() -> None:
    room = Room()
    room.see(LEFT)
    room.look((1, ADA))
    room.see(elapsed=10)
    assert room.tracker.absent == (1,)
    assert room.see(elapsed=41).ended == (1,)
    room.see(RIGHT)
    assert room.look((2, ADA)) == NOTHING


def test_a_track_that_was_looked_at_often_is_somebody_of_its_own() -> None:
    room = Room()
    room.see(LEFT)
    for _ in range(4):
        room.look((1, BOB))
    room.see(LEFT, RIGHT)
    room.look((2, ADA))
    for _ in range(10):
        room.see(LEFT)
    alike = (0.6 * BOB + 0.8 * ADA).astype(np.float32)
    assert room.look((1, alike)) == NOTHING, "a grown track is no new one, whatever one look says"


def test_two_looks_that_are_unlike_the_track_part_it() -> None:
    room = Room()
    room.see(LEFT)
    room.look((1, ADA))
    room.see(LEFT)
    assert room.look((1, EVE)) == Recalled((), (), (1,)), "one look may be a grimace"
    assert room.look((1, EVE)) == Recalled(((1, 2),), (), ())
    assert [face.track for face in room.see(LEFT).tracked] == [2]
    assert room.tracker.absent == (1,)


def test_a_look_that_is_like_the_track_again_ends_the_doubt() -> None:
    room = Room()
    room.see(LEFT)
    for vector in (ADA, EVE, ADA, EVE):
        assert room.look((1, vector)).parted == ()


def test_two_tracks_that_were_exchanged_are_put_right() -> None:
    room = Room()
    room.see(LEFT, RIGHT)
    room.look((1, ADA), (2, BOB))
    swapped = room.look((1, BOB), (2, ADA))
    assert swapped.parted == ((1, 3), (2, 4))
    assert dict(swapped.revived) == {3: 2, 4: 1}
    assert {face.detection: face.track for face in room.see(LEFT, RIGHT).tracked} == {0: 2, 1: 1}


def test_an_exchange_is_put_right_even_when_one_face_is_looked_at_first() -> None:
    room = Room()
    room.see(LEFT, RIGHT)
    room.look((1, ADA), (2, BOB))
    first = room.look((1, BOB))
    assert (first.parted, first.revived, first.doubted) == (((1, 3),), (), (2,)), "track 2 is to be looked at soon"
    second = room.look((2, ADA))
    assert (second.parted, second.revived) == (((2, 4),), ((4, 1),))
    assert room.look((3, BOB)).revived == ((3, 2),)
    assert room.ids() == [1, 2]


def test_nothing_is_remembered_of_what_has_ended() -> None:
    room = Room()
    room.see(LEFT)
    room.look((1, ADA))
    room.recall.forget([1])
    room.see(elapsed=10)
    room.see(RIGHT)
    assert room.look((2, ADA)) == NOTHING
