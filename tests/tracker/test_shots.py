from __future__ import annotations

import numpy as np

from tracker.shots import ShotPolicy, ShotSettings


def _shots(policy: ShotPolicy, qualities: list[float], track: int = 1) -> list[int]:
    """The frames in which one track is embedded."""
    return [frame for frame, quality in enumerate(qualities) if policy.choose([track], [quality], frame)[0]]


def test_a_new_face_is_embedded_three_times_then_checked() -> None:
    assert _shots(ShotPolicy(), [0.5] * 190) == [0, 2, 4, 64, 124, 184]


def test_a_better_view_is_taken_and_a_little_better_one_is_not() -> None:
    assert _shots(ShotPolicy(), [0.5] * 10 + [0.54] * 10 + [0.55] * 10) == [0, 2, 4, 20]


def test_better_is_than_the_best_not_than_the_last() -> None:
    assert _shots(ShotPolicy(), [0.8, 0.8, 0.8, 0.8, 0.1] + [0.5] * 40) == [0, 2, 4]


def test_a_quality_of_nothing_is_never_better() -> None:
    assert _shots(ShotPolicy(), [0.0] * 60) == [0, 2, 4]


def test_an_approaching_face_is_not_embedded_in_every_frame() -> None:
    frames = _shots(ShotPolicy(), [float(q) for q in np.linspace(0.1, 1.0, 100)])
    assert np.diff(frames).min() >= 2
    assert len(frames) < 30


def test_no_more_than_the_limit_and_everybody_has_a_turn() -> None:
    policy, tracks = ShotPolicy(), list(range(20))
    turns = [policy.choose(tracks, [0.5] * 20, frame) for frame in range(3)]
    assert [int(turn.sum()) for turn in turns] == [8, 8, 8]
    first = np.sum(turns, axis=0)
    assert first.min() >= 1, "nobody has a second shot before all have their first"


def test_new_faces_come_before_better_and_checked_ones() -> None:
    policy = ShotPolicy(ShotSettings(max_per_frame=2))
    _shots(policy, [0.5] * 5, track=1)
    _shots(policy, [0.5] * 5, track=2)
    chosen = policy.choose([1, 2, 3], [0.5, 0.9, 0.1], 70)  # a check, a better view, a new face
    assert chosen.tolist() == [False, True, True]
    assert policy.choose([1], [0.5], 71).tolist() == [True], "who stood back is asked again"


def test_the_cost_of_a_crowd_is_flat() -> None:
    policy = ShotPolicy()
    taken = [int(policy.choose(range(30), [0.5] * 30, frame).sum()) for frame in range(600)]
    assert max(taken) == 8
    assert sum(taken[60:]) <= 30 * (540 // 60 + 1)


def test_asking_changes_nothing() -> None:
    policy = ShotPolicy()
    assert policy.wants(1, 0.5, 0)
    assert policy.wants(1, 0.5, 0)
    policy.choose([1], [0.5], 0)
    assert not policy.wants(1, 0.5, 1)
    assert policy.wants(1, 0.5, 2)


def test_a_forgotten_track_is_new() -> None:
    policy = ShotPolicy()
    _shots(policy, [0.5] * 10)
    assert not policy.wants(1, 0.5, 10)
    policy.forget([1, 77])
    assert policy.wants(1, 0.5, 10)


def test_nobody_is_there() -> None:
    assert ShotPolicy().choose([], [], 0).shape == (0,)


def test_a_track_whose_shots_say_little_is_looked_at_sooner() -> None:
    assert _shots(ShotPolicy(), [0.2] * 100) == [0, 2, 4, 19, 34, 49]


def test_a_doubt_of_place_waits_a_little_and_one_of_looks_does_not() -> None:
    for soon, then in ((False, 4 + ShotSettings().doubt_frames), (True, 6)):
        policy = ShotPolicy()
        _shots(policy, [0.5] * 5)
        policy.doubt([1], soon=soon)
        assert [frame for frame in range(5, 40) if policy.choose([1], [0.5], frame)[0]] == [then], "and once"


def test_a_lesser_doubt_does_not_delay_a_greater_one() -> None:
    policy = ShotPolicy()
    _shots(policy, [0.5] * 5)
    policy.doubt([1], soon=True)
    policy.doubt([1])
    assert policy.wants(1, 0.5, 6)


def test_a_face_that_turned_out_to_be_another_is_new_and_has_one_shot() -> None:
    policy = ShotPolicy()
    _shots(policy, [0.5] * 65)
    policy.part(1, 2, 0.5, 64)
    assert _shots_from(policy, 2, 65) == [66, 68]


def test_a_face_that_is_known_again_has_the_shots_of_both() -> None:
    policy = ShotPolicy()
    _shots(policy, [0.5] * 5, track=1)
    policy.choose([2], [0.5], 30)
    policy.join(2, 1)
    assert _shots_from(policy, 1, 31) == [90]
    assert policy.wants(2, 0.5, 31), "nothing is left of the other"


def _shots_from(policy: ShotPolicy, track: int, first: int) -> list[int]:
    return [frame for frame in range(first, first + 60) if policy.choose([track], [0.5], frame)[0]]
