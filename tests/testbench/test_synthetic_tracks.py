from __future__ import annotations

from dataclasses import astuple, replace
from itertools import pairwise

import numpy as np

from testbench.synthetic_tracks import KINDS, NOBODY, Scene, play

SCENE = Scene(faces=8, frames=200, seed=3)


def test_the_same_scene_plays_the_same_again() -> None:
    for one, other in zip(play(SCENE), play(SCENE), strict=True):
        for a, b in zip(astuple(one), astuple(other), strict=True):
            np.testing.assert_array_equal(a, b)


def test_another_seed_is_another_scene() -> None:
    assert not np.array_equal(next(play(SCENE)).boxes_xyxy, next(play(replace(SCENE, seed=4))).boxes_xyxy)


def test_detections_lie_near_their_owners_and_come_best_first() -> None:
    for frame in play(SCENE):
        assert (np.diff(frame.scores) <= 0).all()
        for box, owner in zip(frame.boxes_xyxy, frame.owners, strict=True):
            if owner != NOBODY:
                truth = frame.truth_xyxy[frame.ids.tolist().index(owner)]
                assert np.abs(box - truth).max() < 0.35 * (truth[3] - truth[1])


def test_the_rates_are_those_of_the_scene() -> None:
    frames = [frame for seed in range(10) for frame in play(replace(SCENE, seed=seed, false_boxes=0.5, miss=0.1))]
    faces = sum(len(frame.ids) for frame in frames)
    found = sum(int((frame.owners != NOBODY).sum()) for frame in frames)
    ghosts = sum(int((frame.owners == NOBODY).sum()) for frame in frames)
    assert 0.87 < found / faces < 0.93
    assert 0.4 < ghosts / len(frames) < 0.6


def test_dropped_frames_are_told() -> None:
    frames = list(play(replace(SCENE, frames_elapsed=(2, 3))))
    assert {frame.frames_elapsed for frame in frames[1:]} == {2, 3}
    assert sum(frame.frames_elapsed for frame in frames) <= SCENE.frames


def test_looks_are_as_like_each_other_as_those_of_a_real_embedder() -> None:
    """SFace on real clips: 0.79 between looks at one face 15 frames apart, 0.1 between two people."""
    same, others = [], []
    for seed in range(5):
        frames = list(play(replace(SCENE, seed=seed)))
        for one, other in zip(frames, frames[15:], strict=False):
            clear = np.minimum.outer(one.quality, other.quality) > 0.3
            cosines = one.embeddings @ other.embeddings.T
            mine = one.owners[:, None] == other.owners[None]
            same += cosines[mine & clear].tolist()
            others += cosines[~mine & clear].tolist()
    assert 0.74 < np.median(same) < 0.84
    assert 0.05 < np.median(others) < 0.15
    assert 0.09 < np.std(others) < 0.14


def test_half_hidden_faces_and_false_boxes_are_poor() -> None:
    frames = list(play(replace(SCENE, false_boxes=0.5)))
    false = np.concatenate([frame.quality[frame.owners == NOBODY] for frame in frames])
    real = np.concatenate([frame.quality[frame.owners != NOBODY] for frame in frames])
    assert false.max() < 0.45
    assert np.median(real) > 0.6


def test_who_leaves_through_a_door_is_gone_and_may_come_back() -> None:
    frames = list(play(replace(KINDS["entries and exits"], frames=1500)))
    when: dict[int, list[int]] = {}
    for at, frame in enumerate(frames):
        for person in frame.all_ids:
            when.setdefault(int(person), []).append(at)
    gaps = [int(gap) for seen in when.values() for gap in np.diff(seen) if gap > 1]
    assert len(when) > 20
    assert len(gaps) > 5
    assert min(gaps) >= 10
    assert all(len(set(frame.all_ids)) == len(frame.all_ids) for frame in frames)


def test_people_in_a_corridor_pass_at_one_level() -> None:
    frames = list(play(KINDS["crossings"]))
    middles = np.concatenate([(f.truth_xyxy[:, 1] + f.truth_xyxy[:, 3]) / 2 for f in frames])
    assert np.std(middles) < 120  # 170 when they are anywhere


def test_a_shaken_camera_moves_all_faces_together() -> None:
    def steps(scene: Scene) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        frames = list(play(scene))
        return np.array(
            [
                np.median(after.all_xyxy[:, 0] - before.all_xyxy[:, 0])
                for before, after in pairwise(frames)
                if np.array_equal(before.all_ids, after.all_ids)
            ]
        )

    still = replace(KINDS["shaken camera"], speed=0.0, sway=0.0)
    assert 7 < steps(still).std() < 14
    assert steps(replace(still, shake_px=0.0)).std() < 0.1


def test_those_who_are_seen_are_among_those_who_are_there() -> None:
    for frame in play(KINDS["occlusions"]):
        assert set(frame.ids) <= set(frame.all_ids)
        assert len(frame.all_ids) == len(frame.all_xyxy)
