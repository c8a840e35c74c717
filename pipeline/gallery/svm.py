"""A support vector machine for a gallery: its parameter and the scale of its scores by cross-validation.

What a machine says has no scale of its own. So people are left out and shown to machines that were trained without
them: they are strangers whose number is known. A decision value is told as the cosine that is as rare among them, so
that a score means the same chance of a false name as a cosine does, and one threshold fits both matchers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.gallery.svm_solver import Floats, solve

FEWEST_PEOPLE = 5  # with fewer, too little is left to learn from when one is left out
MOST_WORK = 4_000_000  # pictures times people: more would take minutes, and leave nothing that a search cannot do
COSTS = (0.1, 0.3, 1.0)
_USUAL_COST = 0.3  # where nobody has two pictures nothing can be chosen
_CHOOSING_WORK = 200_000  # beyond, choosing among the costs would take longer than it is worth
_FOLDS = 5
_SHARES = (0.5, 0.1, 0.01, 0.001, 0.0001)
_PAIRS_NEEDED = 20  # beyond a quantile, for it to be one

Owners = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Machine:
    """centre     (D,) the mean of the gallery: what all faces of a space have in common says nothing of anybody
    weights    (P, D + 1) float32, the last column is the bias; people in the order of their numbers
    decisions  (Q,) rising: decision values of strangers,
    cosines    (Q,) and the cosines that are as rare
    cost       the parameter that was chosen
    """

    centre: Floats
    weights: Floats
    decisions: Floats
    cosines: Floats
    cost: float

    def scores(self, rows: Floats) -> Floats:
        """(N, P) for rows (N, D), on the scale of cosines."""
        values = _centred(rows, self.centre) @ self.weights[:, :-1].T + self.weights[:, -1]
        piece = np.clip(np.searchsorted(self.decisions, values) - 1, 0, len(self.decisions) - 2)
        slopes = np.diff(self.cosines) / np.diff(self.decisions)
        on_lines = self.cosines[piece] + slopes[piece] * (values - self.decisions[piece])
        scores: Floats = np.clip(on_lines, -1, 1).astype(np.float32)
        return scores


@dataclass(frozen=True, slots=True)
class _Trial:
    """What one parameter came to in the folds.

    strange      (M,) decision values of left-out people, for each other person
    likeness     (M,) the cosine of the same two
    own, wrong   (K,) of left-out pictures: the value for their own person, and the highest for another one
    """

    strange: Floats
    likeness: Floats
    own: Floats
    wrong: Floats


def train(rows: Floats, owners: Owners, people: int) -> Machine | None:
    """The machine for (N, D) rows and owners (N,), -1 for strangers; None where a machine cannot be trained."""
    if people < FEWEST_PEOPLE or len(rows) * people > MOST_WORK:
        return None
    may_choose = np.max(np.bincount(owners[owners >= 0])) > 1 and len(rows) * people <= _CHOOSING_WORK
    centre = rows.mean(axis=0)
    trials = {cost: _trial(rows, centre, owners, people, cost) for cost in (COSTS if may_choose else (_USUAL_COST,))}
    cost = max(trials, key=lambda one: (_found(trials[one]), -one))
    decisions, cosines = _scale(trials[cost])
    weights = solve(_centred(rows, centre), owners, people, cost=cost)
    return Machine(centre, weights, decisions, cosines, cost)


def _centred(rows: Floats, centre: Floats) -> Floats:
    """Directions from the centre, of unit length."""
    apart = rows - centre
    unit: Floats = apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return unit


def _trial(rows: Floats, centre: Floats, owners: Owners, people: int, cost: float) -> _Trial:
    learnt = _centred(rows, centre)
    strange, likeness, own, wrong = [], [], [], []
    for kept, left_people, left_pictures in _folds(owners, people):
        present = np.unique(owners[kept & (owners >= 0)])
        number = np.full(people + 1, -1, np.intp)  # the last one stands for strangers
        number[present] = np.arange(len(present))
        weights = solve(learnt[kept], number[owners[kept]], len(present), cost=cost)
        values = learnt @ weights[:, :-1].T + weights[:, -1]
        strange.append(values[left_people].ravel())
        likeness.append(_nearest(rows[left_people], rows[kept], number[owners[kept]], len(present)).ravel())
        mine = number[owners[left_pictures]]
        of_left, each = values[left_pictures], np.arange(len(mine))
        own.append(of_left[each, mine])
        of_left[each, mine] = -np.inf
        wrong.append(of_left.max(axis=1, initial=-np.inf))
    return _Trial(*(np.concatenate(parts).astype(np.float32) for parts in (strange, likeness, own, wrong)))


def _folds(owners: Owners, people: int) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]]:
    """Pictures to train with, pictures of left-out people, and left-out pictures of people who have others."""
    whose_fold = np.random.default_rng(0).permutation(people) % _FOLDS
    turn = np.zeros(len(owners), np.intp)  # which of their pictures it is, from 0
    for who in range(people):
        mine = np.flatnonzero(owners == who)
        turn[mine] = np.arange(len(mine))
    named = owners >= 0
    for fold in range(_FOLDS):
        left_people = named & (whose_fold[owners] == fold)
        # A person's first picture always stays; of the others each is left out once.
        left_pictures = named & ~left_people & (turn > 0) & ((turn + owners) % _FOLDS == fold)
        yield ~(left_people | left_pictures), left_people, left_pictures


def _nearest(probes: Floats, rows: Floats, owners: Owners, people: int) -> Floats:
    """(M, people) cosine to the nearest picture of each."""
    cosines = probes @ rows.T
    nearest = np.full((people, len(probes)), -1.0, np.float32)
    np.maximum.at(nearest, owners[owners >= 0], cosines.T[owners >= 0])
    by_probe: Floats = nearest.T
    return by_probe


def _found(trial: _Trial) -> float:
    """Share of the left-out pictures that are found while one of a thousand comparisons with strangers goes wrong."""
    if not len(trial.own):
        return 0.0
    least = np.quantile(trial.strange, 0.999)
    return float(np.mean((trial.own > least) & (trial.own > trial.wrong)))


def _scale(trial: _Trial) -> tuple[Floats, Floats]:
    """Decision values and cosines at the same shares of strangers, both strictly rising."""
    far = [share for share in _SHARES if share * len(trial.strange) >= _PAIRS_NEEDED] or list(_SHARES[:2])
    at = [1 - share for share in (far if len(far) > 1 else _SHARES[:2])]
    return _rising(np.quantile(trial.strange, at)), _rising(np.quantile(trial.likeness, at))


def _rising(values: NDArray[np.float64]) -> Floats:
    for each in range(1, len(values)):
        values[each] = max(values[each], values[each - 1] + 1e-4)
    return values.astype(np.float32)
