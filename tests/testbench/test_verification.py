from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import DataError
from engines.detector import Detector
from engines.embedder import Embedder
from testbench import verification
from testbench.lfw import read_pairs
from testbench.verification import accepting, best_threshold, cross_validated, tar_at_far

RED, WHITE, GREEN = (0, 0, 255), (255, 255, 255), (0, 255, 0)


def _array(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(values, np.float64)


def test_the_threshold_lies_between_the_kinds() -> None:
    assert best_threshold(_array(0.9, 0.2, 0.7, 0.4), np.array([True, False, True, False])) == pytest.approx(0.55)


def test_the_threshold_makes_the_fewest_mistakes() -> None:
    """One mistake at 0.35, two at 0.65, three elsewhere."""
    likeness = _array(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    same = np.array([False, False, False, True, True, False, True])
    assert best_threshold(likeness, same) == pytest.approx(0.35)


def test_a_threshold_cannot_part_equals() -> None:
    likeness, same = _array(0.5, 0.5, 0.5, 0.9), np.array([True, False, False, True])
    assert best_threshold(likeness, same) == pytest.approx(0.7)


def test_all_of_one_kind() -> None:
    assert best_threshold(_array(0.1, 0.2), np.array([True, True])) <= 0.1
    assert best_threshold(_array(0.1, 0.2), np.array([False, False])) > 0.2


def test_each_fold_is_judged_with_the_threshold_of_the_others() -> None:
    """The two folds lie apart: the threshold 0.55 of the first calls all of the second different, and 0.15 of the
    second all of the first the same."""
    likeness = _array(0.5, 0.6, 0.1, 0.2)
    same = np.array([False, True, False, True])
    accuracy, threshold = cross_validated(likeness, same, np.array([0, 0, 1, 1]))
    assert accuracy == 0.5
    assert threshold == pytest.approx((0.55 + 0.15) / 2)


def test_one_fold_cannot_be_cross_validated() -> None:
    with pytest.raises(DataError, match="cross-validated"):
        cross_validated(_array(0.1, 0.9), np.array([False, True]), np.zeros(2, np.intp))


def test_true_accepts_at_a_rate_of_false_ones() -> None:
    """Of ten wrong pairs one may be accepted: the threshold is the second most alike of them."""
    wrong = [0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8]
    right = [0.65, 0.71, 0.75, 0.9]
    likeness = _array(*wrong, *right)
    same = np.array([False] * 10 + [True] * 4)
    assert tar_at_far(likeness, same, 0.1) == 0.75
    assert tar_at_far(likeness, same, 0.0999) == 0.25  # not one may be accepted
    assert accepting(_array(*wrong), 0.3) == 0.6


def test_as_many_may_pass_as_the_rate_says_in_spite_of_rounding() -> None:
    wrong = np.linspace(0, 1, 1000, endpoint=False)
    for rate in (0.001, 0.003, 0.007, 0.01, 0.29):
        assert np.count_nonzero(wrong > accepting(wrong, rate)) == round(1000 * rate)


def test_measured_on_drawn_people(
    portrait: Callable[..., Path], tmp_path: Path, detector: Detector, embedder: Embedder
) -> None:
    for name, colour in (("Ada", RED), ("Bob", WHITE), ("Cleo", GREEN)):
        portrait(name, 1, colour)
        portrait(name, 2, colour, corner=(5, 10))
    portrait("Cleo", 3, GREEN, corner=None)  # shows nothing at all
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("2 2\nAda 1 2\nBob 1 2\nAda 1 Bob 1\nAda 2 Cleo 1\nCleo 1 2\nAda 2 1\nBob 1 Ada 2\nBob 2 Cleo 3\n")
    report = verification.measure(detector, embedder, read_pairs(pairs, tmp_path))
    assert report.accuracy == 1
    assert report.tar_at_far == {"1e-2": 1, "1e-3": 1}
    assert -0.6 < report.threshold < 1
    assert (report.pairs, report.pictures, report.undetected) == (8, 7, 1)
