"""What a network is told of its errors: in class, box and landmarks."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from training.course import Course
from training.nets import Said
from training.samples import NEGATIVE, PART, POSITIVE

_SMALL = 0.05  # of a side: errors below it count by their square
_WING_WIDTH, _WING_CURVE = 0.1, 0.02


def losses(
    said: Said, kinds: Tensor, offsets: Tensor, landmarks: Tensor, course: Course, teacher_odds: Tensor | None = None
) -> Tensor:
    """(3,) mean errors in class, box and landmarks, not yet weighted. `kinds` (N,), the others as in `Pieces`."""
    odds = said.odds.float().reshape(-1)
    return torch.stack(
        [
            _class(odds, kinds, course, teacher_odds),
            _box(said.offsets.float().reshape(-1, 4), offsets, kinds),
            _landmarks(said.landmarks.float().reshape(-1, 10), landmarks, course),
        ]
    )


def weighted(errors: Tensor, course: Course) -> Tensor:
    return (errors * errors.new_tensor(course.weights)).sum()


def wing(errors: Tensor) -> Tensor:
    """Steep for small errors, straight for large ones; the two halves meet."""
    small = errors.abs()
    joins = _WING_WIDTH - _WING_WIDTH * math.log1p(_WING_WIDTH / _WING_CURVE)
    return torch.where(small < _WING_WIDTH, _WING_WIDTH * torch.log1p(small / _WING_CURVE), small - joins)


def _class(odds: Tensor, kinds: Tensor, course: Course, teacher_odds: Tensor | None) -> Tensor:
    """Of negatives and positives; what is half a face is neither."""
    clear = (kinds == NEGATIVE) | (kinds == POSITIVE)
    truth = (kinds == POSITIVE).float()
    each = functional.binary_cross_entropy_with_logits(odds, truth, reduction="none")
    if course.focal is not None:
        wrong = torch.where(kinds == POSITIVE, torch.sigmoid(-odds), torch.sigmoid(odds))
        each = each * wrong**course.focal
    each = each * clear
    if course.focal is None and course.hardest < 1:
        each = each.topk(max(1, int(course.hardest * int(clear.sum())))).values
        error = each.mean()
    else:
        error = each.sum() / clear.sum().clamp(min=1)
    if teacher_odds is not None and course.teacher:
        soft = functional.binary_cross_entropy_with_logits(odds, torch.sigmoid(teacher_odds))
        error = (1 - course.teacher) * error + course.teacher * soft
    return error


def _box(said: Tensor, truth: Tensor, kinds: Tensor) -> Tensor:
    framed = ((kinds == PART) | (kinds == POSITIVE)).float()
    each = functional.smooth_l1_loss(said, truth, beta=_SMALL, reduction="none").sum(1)
    return (each * framed).sum() / framed.sum().clamp(min=1)


def _landmarks(said: Tensor, truth: Tensor, course: Course) -> Tensor:
    known = torch.isfinite(truth).all(1)
    errors = torch.where(known[:, None], said - truth, torch.zeros_like(said))
    each = wing(errors) if course.landmark_loss == "wing" else _smooth(errors)
    return each.sum() / known.sum().clamp(min=1)


def _smooth(errors: Tensor) -> Tensor:
    return functional.smooth_l1_loss(errors, torch.zeros_like(errors), beta=_SMALL, reduction="none")
