"""A linear support vector machine for each class against the rest: dual coordinate descent, all classes side by side.

Hsieh, Chang, Lin, Keerthi and Sundararajan, "A Dual Coordinate Descent Method for Large-scale Linear SVM", 2008: the
squared hinge loss, whose dual has no upper bound. One coordinate is one picture in one class's problem; all classes
take their step for a picture at once, so that numpy has something to do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def solve(
    rows: Floats, owners: NDArray[np.intp], classes: int, *, cost: float, rounds: int = 20, seed: int = 0
) -> Floats:
    """(classes, D + 1) weights; the last column is the bias.

    rows    (N, D)
    owners  (N,) 0…classes-1, or less than 0 for pictures that are in no class and only speak against all
    cost    of a picture on the wrong side, times its weight: the pictures of a class and those of the rest weigh the
            same together, so somebody with twenty pictures does not push somebody with five aside
    """
    with_bias = np.hstack([rows, np.ones((len(rows), 1), np.float32)])
    signs = np.where(owners[:, None] == np.arange(classes), 1, -1).astype(np.float32)
    softness = 1 / (2 * cost * balanced(owners, classes))
    curvature = np.sum(with_bias * with_bias, axis=1)[:, None] + softness
    weights = np.zeros((classes, with_bias.shape[1]), np.float32)
    duals = np.zeros_like(signs)
    order = np.random.default_rng(seed)
    for _ in range(rounds):
        moved = 0.0
        for one in order.permutation(len(rows)):
            row, sign = with_bias[one], signs[one]
            slope = sign * (weights @ row) - 1 + softness[one] * duals[one]
            dual = np.maximum(duals[one] - slope / curvature[one], 0)
            step = dual - duals[one]
            duals[one] = dual
            changed = np.flatnonzero(step)
            weights[changed] += (step * sign)[changed, None] * row
            moved = max(moved, float(np.max(np.abs(step), initial=0.0)))
        if moved < 1e-3:
            break
    return weights


def balanced(owners: NDArray[np.intp], classes: int) -> Floats:
    """(N, classes) how much each picture counts in each class's problem: both sides together weigh N / 2."""
    total = len(owners)
    own = np.bincount(owners[owners >= 0], minlength=classes)
    is_own = owners[:, None] == np.arange(classes)
    weighed = np.where(is_own, total / (2 * np.maximum(own, 1)), total / (2 * np.maximum(total - own, 1)))
    return weighed.astype(np.float32)
