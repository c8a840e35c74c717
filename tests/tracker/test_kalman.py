from __future__ import annotations

import numpy as np
import pytest

from tracker import kalman
from tracker.kalman import NOISE, Floats


def _textbook(measured: list[Floats], steps: list[int]) -> tuple[Floats, Floats]:
    """The same filter as the books have it: one face, 8×8 matrices, one frame at a time."""

    def variances(height: float, centre: float, aspect: float, size: float) -> Floats:
        return np.array([centre * height, centre * height, aspect, size * height]) ** 2

    step = np.eye(8) + np.diag(np.ones(4), 4)
    look = np.eye(4, 8)
    state = np.concatenate([measured[0], np.zeros(4)])
    doubt = np.diag(
        np.concatenate(
            [
                variances(state[3], NOISE.measured, NOISE.measured_aspect, NOISE.measured),
                variances(state[3], NOISE.first_speed, 1e-5, NOISE.first_size_speed),
            ]
        )
    )
    for seen, frames in zip(measured[1:], steps, strict=True):
        height = state[3]
        for _ in range(frames):
            push = np.diag(
                np.concatenate(
                    [
                        variances(height, NOISE.drift, NOISE.drift_aspect, NOISE.drift),
                        variances(height, NOISE.push, 1e-5, NOISE.push_size),
                    ]
                )
            )
            state, doubt = step @ state, step @ doubt @ step.T + push
        noise = np.diag(variances(state[3], NOISE.measured, NOISE.measured_aspect, NOISE.measured))
        gain = doubt @ look.T @ np.linalg.inv(look @ doubt @ look.T + noise)
        state = state + gain @ (seen - look @ state)
        doubt = (np.eye(8) - gain @ look) @ doubt
    return state, doubt


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_the_four_small_filters_are_the_textbook_one(frames: int) -> None:
    rng = np.random.default_rng(0)
    looks = [np.array([100 + 3 * i, 80 - i, 0.8, 60 + i]) + rng.normal(0, [1, 1, 0.01, 1]) for i in range(6)]
    motions = kalman.start(looks[0][None])
    for look in looks[1:]:
        motions = kalman.correct(kalman.predict(motions, frames), look[None])
    state, doubt = _textbook(looks, [frames] * 5)
    np.testing.assert_allclose(motions[0, :2].ravel(), state, rtol=1e-9)
    np.testing.assert_allclose(motions[0, kalman.VARIANCE], np.diag(doubt)[:4], rtol=1e-9)
    np.testing.assert_allclose(motions[0, kalman.COVARIANCE], np.diag(doubt, 4), rtol=1e-9)
    np.testing.assert_allclose(motions[0, kalman.VELOCITY_VARIANCE], np.diag(doubt)[4:], rtol=1e-9)


def test_many_tracks_at_once_are_as_each_alone() -> None:
    rng = np.random.default_rng(1)
    first, second = (rng.uniform([0, 0, 0.6, 40], [600, 300, 1.0, 120], (7, 4)) for _ in range(2))
    together = kalman.correct(kalman.predict(kalman.start(first), 2), second)
    alone = [
        kalman.correct(kalman.predict(kalman.start(a[None]), 2), b[None]) for a, b in zip(first, second, strict=True)
    ]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_the_velocity_of_a_steady_walker_is_found() -> None:
    motions = kalman.start(np.array([[0.0, 50.0, 0.8, 50.0]]))
    for i in range(1, 30):
        motions = kalman.correct(kalman.predict(motions, 1), np.array([[4.0 * i, 50.0, 0.8, 50.0]]))
    assert motions[0, kalman.VELOCITY, 0] == pytest.approx(4.0, abs=0.1)
    assert kalman.predict(motions, 10)[0, kalman.POSITION, 0] == pytest.approx(4.0 * 39, abs=2)


def test_a_shrinking_face_never_gets_a_height_of_nothing() -> None:
    motions = kalman.start(np.array([[0.0, 0.0, 0.8, 50.0]]))
    motions[0, kalman.VELOCITY, kalman.HEIGHT] = -10
    assert kalman.predict(motions, 30)[0, kalman.POSITION, kalman.HEIGHT] == kalman.SMALLEST_PX


def test_boxes_survive_the_way_there_and_back() -> None:
    boxes = np.array([[10.0, 20.0, 50.0, 70.0], [-5.0, 0.0, 3.0, 8.0]])
    np.testing.assert_allclose(kalman.boxes_xyxy(kalman.start(kalman.measurements(boxes))), boxes)


def test_no_faces_are_no_trouble() -> None:
    nobody = kalman.start(kalman.measurements(np.zeros((0, 4))))
    assert kalman.correct(kalman.predict(nobody, 1), np.zeros((0, 4))).shape == (0, 5, 4)
