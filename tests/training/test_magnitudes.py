from __future__ import annotations

import numpy as np
import pytest

from training.magnitudes import Magnitudes


def seen(*parts: np.ndarray) -> Magnitudes:
    magnitudes = Magnitudes()
    for part in parts:
        magnitudes.add(part.astype(np.float32))
    return magnitudes


def test_the_largest_is_the_largest_whatever_its_sign_and_order() -> None:
    parts = [np.array([0.5, -1.0]), np.array([-7.25, 3.0]), np.array([[2.0], [0.0]])]
    assert seen(*parts).limit("max") == 7.25
    assert seen(*parts[::-1]).limit("max") == 7.25


def test_a_percentile_leaves_out_what_is_rare() -> None:
    values = np.append(np.full(99_995, 1.0), np.full(5, 50.0))
    assert seen(values).limit("percentile") == pytest.approx(1, abs=0.02)
    assert seen(values[::-1], np.full(100, 50.0)).limit("percentile") == 50


def test_the_least_error_clips_a_single_outlier_but_not_an_even_spread() -> None:
    even = np.linspace(-1, 1, 20_001)
    assert seen(even).limit("mse") == pytest.approx(1, abs=0.02)
    with_outlier = np.append(np.random.default_rng(1).normal(size=200_000), 40.0)
    assert 4 < seen(with_outlier).limit("mse") < 30


def test_growing_later_gives_the_same_as_knowing_from_the_start() -> None:
    small, large = np.linspace(0, 0.9, 5000), np.linspace(0, 30, 5000)
    late, early = seen(small, large), seen(large, small)
    assert late.limit("mse") == pytest.approx(early.limit("mse"), rel=0.02)
    assert late.limit("percentile") == pytest.approx(early.limit("percentile"), rel=0.01)


def test_a_tensor_of_zeros_may_have_any_range_but_none() -> None:
    assert seen(np.zeros(10), np.zeros(3)).limit("mse") > 0
    assert seen(np.zeros(10), np.ones(3)).limit("max") == 1


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="not numbers"):
        seen(np.array([1.0, wrong]))
