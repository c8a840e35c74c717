from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np

from testbench.synthetic_tracks import NOBODY, Scene, play

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
