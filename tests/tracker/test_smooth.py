from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tracker.smooth import Smoother

FPS = 25.0
BOX = np.array([100, 100, 180, 200], np.float32)


def _run(values: NDArray[np.float64], **options: NDArray[np.float32]) -> NDArray[np.float64]:
    """(T, V) smoothed as one track of a 25 fps camera."""
    smoother = Smoother()
    frames = [smoother.update([1], v[None].astype(np.float32), i / FPS, **options)[0] for i, v in enumerate(values)]
    return np.array(frames, np.float64)


def _tremble(values: NDArray[np.float64]) -> float:
    """How much a series jumps from frame to frame."""
    return float(np.diff(values, axis=0).std())


def test_a_still_face_trembles_much_less() -> None:
    noisy = BOX + np.random.default_rng(0).normal(0, 1, (250, 4))
    smooth = _run(noisy)[25:]
    assert _tremble(smooth) < 0.6 * _tremble(noisy[25:])
    assert (smooth - BOX).std() < 0.6 * (noisy[25:] - BOX).std()
    assert np.abs(smooth.mean(axis=0) - BOX).max() < 0.2


@pytest.mark.parametrize("speed_px_s", [50.0, 200.0, 500.0])
def test_a_moving_face_is_not_left_behind(speed_px_s: float) -> None:
    t = np.arange(50)[:, None] / FPS
    lag_px = (BOX + speed_px_s * t - _run(BOX + speed_px_s * t))[25:].max()
    assert lag_px < 4  # of a face of 100 px
    assert lag_px / speed_px_s < 0.04  # no more than a frame


def test_a_face_that_starts_to_move_is_followed_within_a_few_frames() -> None:
    t = np.maximum(np.arange(60) - 30, 0)[:, None] / FPS
    lag_px = (BOX + 200 * t - _run(BOX + 200 * t)).max(axis=1)
    assert lag_px.max() < 25
    assert lag_px[42:].max() < 6


def test_motion_counts_in_sizes_of_the_face() -> None:
    noise = np.random.default_rng(1).normal(0, 1, (200, 4))
    small = _run(BOX + noise, sizes_px=np.array([100], np.float32))
    large = _run(4 * (BOX + noise), sizes_px=np.array([400], np.float32))
    np.testing.assert_allclose(large, 4 * small, rtol=1e-5)


def test_the_first_sight_is_taken_as_it_is() -> None:
    np.testing.assert_array_equal(Smoother().update([5], BOX[None], 3.0)[0], BOX)


def test_tracks_do_not_touch_each_other() -> None:
    rng = np.random.default_rng(2)
    series = {track: rng.normal(100, 5, (30, 10)).astype(np.float32) for track in (3, 8)}
    together, alone = Smoother(), Smoother()
    for i in range(30):
        order = [3, 8] if i % 2 else [8, 3]
        both = together.update(order, np.stack([series[track][i] for track in order]), i / FPS)
        only = alone.update([8], series[8][i][None], i / FPS)
        np.testing.assert_array_equal(both[order.index(8)], only[0])


def test_a_forgotten_track_begins_anew() -> None:
    smoother = Smoother()
    smoother.update([1], BOX[None], 0.0)
    smoother.forget([1, 99])
    np.testing.assert_array_equal(smoother.update([1], BOX[None] + 50, 0.04)[0], BOX + 50)


@pytest.mark.parametrize("t_s", [1.0, 0.0])
def test_a_clip_that_starts_again_is_not_smoothed_with_its_end(t_s: float) -> None:
    smoother = Smoother()
    smoother.update([1], BOX[None], 0.96)
    smoother.update([1], BOX[None], 1.0)
    np.testing.assert_array_equal(smoother.update([1], BOX[None] + 50, t_s)[0], BOX + 50)
    assert np.isfinite(smoother.update([1], BOX[None] + 51, t_s + 0.04)).all()


def test_no_tracks_are_no_trouble() -> None:
    assert Smoother().update([], np.zeros((0, 4), np.float32), 0.0).shape == (0, 4)


def test_a_track_that_goes_on_under_another_id_is_smoothed_with_its_own_past() -> None:
    smoother, same = Smoother(), Smoother()
    for i in range(5):
        smoother.update([1, 2], np.stack([BOX, BOX + 300]), i / FPS)
        same.update([2], (BOX + 300)[None], i / FPS)
    smoother.rename(2, 1)
    after = BOX[None] + 310
    np.testing.assert_array_equal(smoother.update([1], after, 5 / FPS), same.update([2], after, 5 / FPS))


def test_an_unknown_track_takes_no_past_with_it() -> None:
    smoother = Smoother()
    smoother.update([1], BOX[None], 0.0)
    smoother.rename(9, 1)
    np.testing.assert_array_equal(smoother.update([1], BOX[None] + 50, 0.04)[0], BOX + 50)
