from __future__ import annotations

import numpy as np
import pytest

from checkpoints.errors import DataError
from training.net_score import Answers, retention, score
from training.samples import NEGATIVE, PART, POSITIVE, Pieces


def _pieces(*kinds: int) -> Pieces:
    count = len(kinds)
    landmarks = np.full((count, 10), np.nan, np.float32)
    landmarks[np.array(kinds) == POSITIVE] = 0.5
    return Pieces(
        np.zeros((count, 12, 12, 3), np.uint8),
        np.array(kinds, np.uint8),
        np.full((count, 4), 0.2, np.float32),
        landmarks,
    )


def _answers(*odds: float, landmarks: bool = False) -> Answers:
    count = len(odds)
    points = np.tile(np.float32([0.5 + 0.3] * 5 + [0.5 - 0.4] * 5), (count, 1)) if landmarks else None
    return Answers(np.array(odds, np.float32), np.full((count, 4), 0.1, np.float32), points)


def test_figures_by_hand() -> None:
    pieces = _pieces(NEGATIVE, NEGATIVE, NEGATIVE, POSITIVE, PART)
    found = score(_answers(-2, -1, 1, 3, -9, landmarks=True), pieces)
    assert found.accuracy == pytest.approx(3 / 4)
    assert found.balanced == pytest.approx((2 / 3 + 1) / 2)
    surprises = [np.log1p(np.exp(-2)), np.log1p(np.exp(-1)), np.log1p(np.exp(1)), np.log1p(np.exp(-3))]
    assert found.loss == pytest.approx(np.mean(surprises))
    assert found.box_error == pytest.approx(0.1)
    assert found.landmark_error == pytest.approx(0.5)


def test_parts_are_neither_faces_nor_none_and_negatives_have_no_box() -> None:
    pieces = _pieces(NEGATIVE, POSITIVE, PART)
    pieces.offsets[0] = 100
    pieces.offsets[2] = 0.4
    found = score(_answers(-1, 1, -50), pieces)
    assert found.accuracy == 1
    assert found.box_error == pytest.approx((0.1 + 0.3) / 2)
    assert found.landmark_error is None


def test_retention_is_a_share_of_the_other_accuracy() -> None:
    right, half = (score(_answers(odds, 1), _pieces(NEGATIVE, POSITIVE)) for odds in (-1, 1))
    assert retention(half, right) == pytest.approx(50)


@pytest.mark.parametrize("kinds", [(POSITIVE, PART), (NEGATIVE, PART)])
def test_both_kinds_must_be_there(kinds: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="with faces and on pieces without"):
        score(_answers(1, 1), _pieces(*kinds))
