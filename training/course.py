"""How a network is taught: everything that changes what comes out, in one record."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

LandmarkLoss = Literal["smooth_l1", "wing"]


@dataclass(frozen=True, slots=True)
class Course:
    """steps          batches in all
    batch          pieces in one, of all processes together
    shares         of the kinds in a batch: negatives, parts, positives, landmarks; kinds that are missing give way
    learning_rate  at its highest; it rises over the first `warm_up` of the steps and falls along a cosine to
                   `last_rate` of it
    weights        of the errors in class, box and landmarks
    hardest        share of a batch whose class counts: those that the network got most wrong
    focal          None, or the exponent that lessens what the network knows well already; then all of the batch counts
    landmark_loss  smooth_l1, or wing, which minds small errors more
    teacher        weight of the teacher's log odds beside the labels, where there are any
    average        how much of the averaged weights each step keeps; they are what is kept in the end
    checks         how often the network is tried on what it does not learn from
    half           16-bit arithmetic where the device has it
    observed       networks that round: share of the steps after which the ranges stay as they are
    """

    steps: int = 20_000
    batch: int = 512
    shares: tuple[float, float, float, float] = (0.5, 0.2, 0.3, 0.1)
    learning_rate: float = 2e-3
    last_rate: float = 0.01
    warm_up: float = 0.03
    weight_decay: float = 1e-4
    weights: tuple[float, float, float] = (1.0, 0.5, 0.5)
    hardest: float = 0.7
    focal: float | None = None
    landmark_loss: LandmarkLoss = "smooth_l1"
    teacher: float = 0.0
    average: float = 0.999
    checks: int = 10
    half: bool = True
    observed: float = 0.5
    seed: int = 1


def learning_rate(step: int, course: Course) -> float:
    """For each step the same number, whatever happened before."""
    rising = max(1, round(course.steps * course.warm_up))
    if step < rising:
        return course.learning_rate * (step + 1) / rising
    way = (step - rising) / max(1, course.steps - rising)
    low = course.last_rate
    return course.learning_rate * (low + (1 - low) * (1 + math.cos(math.pi * min(way, 1.0))) / 2)
