from __future__ import annotations

import numpy as np
import pytest

from testbench.steadiness import Boxes, Drawn, steadiness

BOX = np.array([100.0, 100.0, 180.0, 200.0])


def _scene(truth: Boxes, detected: Boxes, drawn: Boxes) -> list[Drawn]:
    one = np.array([7])
    return [Drawn(one, t[None], d[None], o[None]) for t, d, o in zip(truth, detected, drawn, strict=True)]


def test_half_the_tremble_is_a_ratio_of_a_half() -> None:
    noise = np.random.default_rng(0).normal(0, 2, (100, 4))
    truth = np.tile(BOX, (100, 1))
    found = steadiness([_scene(truth, truth + noise, truth + noise / 2)])
    assert found.jitter_ratio == pytest.approx(0.5)
    assert (found.lag_frames, found.error_detected) == (0, pytest.approx(2 * found.error))


@pytest.mark.parametrize("lag", [0.0, 0.5, 3.0])
def test_a_drawn_box_that_follows_later_has_that_lag(lag: float) -> None:
    step = np.array([6.0, -2.0, 6.0, -2.0])
    truth = BOX + np.arange(100)[:, None] * step
    noise = np.random.default_rng(1).normal(0, 2, (100, 4))
    found = steadiness([_scene(truth, truth + noise, truth + noise - lag * step)])
    assert found.lag_frames == pytest.approx(lag)
    assert found.jitter_ratio == pytest.approx(1)


def test_only_faces_of_both_frames_are_counted() -> None:
    first = Drawn(np.array([1, 2]), np.stack([BOX, BOX]), np.stack([BOX + 1, BOX]), np.stack([BOX + 1, BOX + 500]))
    second = Drawn(np.array([3, 1]), np.stack([BOX, BOX]), np.stack([BOX, BOX - 1]), np.stack([BOX + 500, BOX]))
    assert steadiness([[first, second]]).jitter_ratio == pytest.approx(0.5)
