from __future__ import annotations

import numpy as np
import pytest

from testbench.memory_slope import slope_of

TIMES = np.arange(0, 1500, 5.0)


def test_memory_that_grows_evenly_has_that_slope_for_sure() -> None:
    slope = slope_of(list(TIMES), list(200 + TIMES * 7 / 3600))
    assert (slope.mb_per_hour, slope.low, slope.high) == pytest.approx((7, 7, 7), abs=0.01)


def test_noise_widens_the_interval_and_the_truth_lies_in_it() -> None:
    chance = np.random.default_rng(4)
    inside = 0
    for _ in range(40):
        noise = np.convolve(chance.normal(0, 0.3, len(TIMES) + 9), np.ones(10) / 10, "valid")  # it remembers
        slope = slope_of(list(TIMES), list(200 + TIMES * 2 / 3600 + noise))
        assert slope.low < slope.mb_per_hour < slope.high
        inside += slope.low <= 2 <= slope.high
    assert inside >= 32


def test_a_few_samples_are_no_slope() -> None:
    with pytest.raises(ValueError, match="too few"):
        slope_of([1, 2, 3], [1, 2, 3])
