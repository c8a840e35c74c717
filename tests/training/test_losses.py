from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from training.course import Course  # noqa: E402
from training.losses import losses, weighted, wing  # noqa: E402
from training.nets import Said  # noqa: E402
from training.samples import LANDMARK, NEGATIVE, PART, POSITIVE  # noqa: E402

KINDS = torch.tensor([NEGATIVE, PART, POSITIVE, LANDMARK])
ALL = Course(hardest=1.0)


def said(odds: float = 0.0, offsets: float = 0.0, landmarks: float = 0.0) -> Said:
    return Said(torch.full((4, 1), odds), torch.full((4, 4), offsets), torch.full((4, 10), landmarks))


def errors(of: Said, course: Course = ALL, **given: object) -> list[float]:
    truth = {"offsets": torch.zeros(4, 4), "landmarks": torch.zeros(4, 10)} | given
    return [float(each) for each in losses(of, KINDS, truth["offsets"], truth["landmarks"], course)]


def test_class_is_of_negatives_and_positives_alone() -> None:
    assert errors(said())[0] == pytest.approx(math.log(2))
    odds = said()
    odds.odds[1] = odds.odds[3] = 50.0
    assert errors(odds)[0] == pytest.approx(math.log(2))
    odds.odds[2] = 50.0
    assert errors(odds)[0] == pytest.approx(math.log(2) / 2)


def test_the_hardest_count() -> None:
    odds = said()
    odds.odds[0], odds.odds[2] = 3.0, 3.0
    assert errors(odds, Course(hardest=0.5))[0] == pytest.approx(math.log1p(math.exp(3)))


def test_focal_loss_lessens_what_is_known() -> None:
    odds = said()
    odds.odds[0], odds.odds[2] = -2.0, 2.0
    plain, focal = errors(odds)[0], errors(odds, Course(focal=2.0))[0]
    assert focal == pytest.approx(plain / (1 + math.exp(2)) ** 2)


def test_box_is_of_parts_and_positives_alone() -> None:
    offsets = torch.zeros(4, 4)
    offsets[0] = offsets[3] = 9.0
    assert errors(said(), offsets=offsets)[1] == 0
    offsets[1] = 1.0
    assert errors(said(), offsets=offsets)[1] == pytest.approx(4 * (1 - 0.025) / 2)


def test_landmarks_that_nobody_knows_cost_nothing_and_break_nothing() -> None:
    landmarks = torch.full((4, 10), float("nan"))
    of = said()
    for each in of:
        each.requires_grad_()
    loss = weighted(losses(of, KINDS, torch.zeros(4, 4), landmarks, ALL), ALL)
    loss.backward()
    assert errors(said(), landmarks=landmarks)[2] == 0
    assert torch.isfinite(of.landmarks.grad).all()


def test_wing_is_steep_at_nought_and_has_no_gap() -> None:
    around = wing(torch.tensor([0.0, 0.001, 0.0999999, 0.1, 0.2]))
    assert around[0] == 0
    assert around[1] > 0.0045
    assert around[2] == pytest.approx(float(around[3]), abs=1e-5)
    assert around[4] - around[3] == pytest.approx(0.1, abs=1e-5)


def test_the_teacher_has_a_say() -> None:
    sure = torch.tensor([20.0, 20.0, 20.0, 20.0])
    course = Course(hardest=1.0, teacher=0.5)
    low, high = (
        float(losses(said(odds), KINDS, torch.zeros(4, 4), torch.zeros(4, 10), course, sure)[0]) for odds in (-2.0, 2.0)
    )
    assert high < low
