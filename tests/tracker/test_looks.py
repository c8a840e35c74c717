from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tracker.looks import Looks


def _unit(*numbers: float) -> NDArray[np.float32]:
    vector = np.array(numbers, np.float32)
    return vector / np.float32(np.linalg.norm(vector))


EAST, NORTH = _unit(1, 0), _unit(0, 1)


def test_a_look_is_like_itself_and_unlike_others() -> None:
    looks = Looks()
    looks.add(1, EAST, 0.5)
    looks.add(2, NORTH, 0.9)
    np.testing.assert_allclose(looks.likeness(EAST, [1, 2]), [1, 0], atol=1e-6)


def test_of_a_track_without_shots_nothing_is_known() -> None:
    assert Looks().likeness(EAST, [5]).tolist() == [-1]
    assert Looks().shots(5) == 0


def test_clear_and_recent_shots_weigh_more() -> None:
    clear_north, late_north = Looks(), Looks()
    clear_north.add(1, NORTH, 0.9)
    clear_north.add(1, EAST, 0.3)
    late_north.add(1, EAST, 0.6)
    late_north.add(1, NORTH, 0.6)
    for looks in (clear_north, late_north):
        assert looks.likeness(NORTH, [1])[0] > looks.likeness(EAST, [1])[0]


def test_joined_tracks_are_as_one_that_had_all_shots() -> None:
    joined, one = Looks(), Looks()
    for at, (vector, quality) in enumerate([(EAST, 0.9), (_unit(1, 1), 0.4), (NORTH, 0.7)]):
        one.add(1, vector, quality)
        joined.add(1 if at < 1 else 2, vector, quality)
    joined.join(2, 1)
    assert 2 not in joined
    assert joined.shots(1) == 3
    probe = _unit(1, 3)
    assert joined.likeness(probe, [1])[0] == pytest.approx(one.likeness(probe, [1])[0], abs=1e-6)


def test_joining_with_nothing() -> None:
    looks = Looks()
    looks.join(3, 4)
    assert looks.tracks() == ()
    looks.add(3, EAST, 1.0)
    looks.join(3, 4)
    assert looks.tracks() == (4,)


def test_what_has_ended_is_forgotten() -> None:
    looks = Looks()
    looks.add(1, EAST, 0.5)
    looks.forget([1, 99])
    assert 1 not in looks
