"""How often a stranger is given a name, and a known person none: from a table of measured likenesses and a size.

A stranger who walks by a gallery of N pictures has N chances of being like somebody. With p the share of strangers
that are so like one picture, one of N is met by 1 − (1 − p)^N of them. Pictures of one person are alike, so k of them
are fewer than k chances. The votes also want the first name to be clear of the second, which strangers seldom manage
in a large gallery; both follow from the same distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from checkpoints.impostors import Impostors, Looks, Quantiles

Floats = NDArray[np.float64]
_STANDARD = NormalDist()
_GRID = np.linspace(-1.0, 1.0, 4001)  # cosines; finer than any two embeddings of one face are alike


class Likeness:
    """A distribution of cosines through measured quantiles: normal deviates go straight from one to the next.

    Beyond the last one the line goes on; a tail so drawn is a little too heavy, which errs to the safe side.
    """

    def __init__(self, quantiles: Quantiles, *, shares_above: bool, shift: float = 0.0) -> None:
        self._cosines = np.array([cosine for _, cosine in quantiles]) + shift
        signs = -1 if shares_above else 1
        self._deviates = np.array([signs * _STANDARD.inv_cdf(share) for share, _ in quantiles])

    def above(self, cosines: Floats) -> Floats:
        """The share that has a higher cosine than each of these."""
        deviates = _on_lines(cosines, self._cosines, self._deviates)
        return np.array([0.5 * math.erfc(deviate / math.sqrt(2)) for deviate in deviates.flat]).reshape(deviates.shape)

    def cosine_of(self, share_above: float) -> float:
        deviate = np.array([-_STANDARD.inv_cdf(share_above)])
        return float(_on_lines(deviate, self._deviates, self._cosines)[0])


@dataclass(frozen=True, slots=True)
class Chances:
    """For one gallery.

    strangers  of the cosine of one stranger to one picture
    genuine    of the cosine of a known person to the best picture of their own; None: not known
    trials     how many independent pictures the gallery is worth
    per_person how many of them are one person's
    margin     by how much the first name must beat the second; 0: it need not
    """

    strangers: Likeness
    genuine: Likeness | None
    trials: float
    per_person: float
    margin: float

    def false_names(self) -> Floats:
        """For each threshold of `thresholds()` the share of strangers that are given a name."""
        one = self.strangers.above(_GRID)
        if self.margin <= 0 or self.trials <= self.per_person:
            return _met(one, self.trials)
        # Somebody's best picture is met just here, and nobody else's within the margin.
        people = self.trials / self.per_person
        person = _met(one, self.per_person)
        others = _met(self._one_below(), self.trials - self.per_person)
        met_here = people * -np.diff(person, append=0.0) * (1 - others)
        named: Floats = np.minimum(np.cumsum(met_here[::-1])[::-1], 1.0)
        return named

    def misses(self) -> Floats | None:
        """For each threshold the share of known people's tracks that do not get their name; None: not known."""
        if self.genuine is None:
            return None
        own = -np.diff(self.genuine.above(_GRID), prepend=1.0)
        beaten = _met(self._one_below(), max(self.trials - self.per_person, 0.0))
        named = np.cumsum((own * (1 - beaten))[::-1])[::-1]
        missed: Floats = 1 - np.clip(named, 0.0, 1.0)
        return missed

    def _one_below(self) -> Floats:
        """The share of strangers to whom one other picture comes nearer than the margin allows."""
        return self.strangers.above(_GRID - max(self.margin, 0.0))


def _met(one: Floats, trials: float) -> Floats:
    """The share of strangers who are met by one of so many pictures, when `one` meets so many of them."""
    met: Floats = -np.expm1(trials * np.log1p(-np.minimum(one, 1 - 1e-12)))
    return met


def thresholds() -> Floats:
    return _GRID


def chances(
    table: Impostors, people: int, pictures: int, *, shots: int = 1, margin: float = 0.0, shift: float = 0.0
) -> Chances:
    """`shift`: how much more alike the strangers of this place are than those that were measured."""
    looks = table.of_shots(shots)
    each = max(pictures / max(people, 1), 1.0)
    per_person = each**table.picture_gain
    return Chances(
        strangers=Likeness(looks.strangers, shares_above=True, shift=shift),
        genuine=Likeness(_genuine(looks, each), shares_above=False) if looks.genuine else None,
        trials=max(people, 1) ** table.crowd_gain * per_person,
        per_person=per_person,
        margin=margin,
    )


def _genuine(looks: Looks, pictures: float) -> Quantiles:
    """Between one and three pictures by their logarithm; more than three are as good as three."""
    part = min(math.log(pictures) / math.log(3), 1.0)
    three = dict(looks.genuine_three)
    both = ((share, one, three[share]) for share, one in looks.genuine if share in three)
    return tuple((share, one + part * (best - one)) for share, one, best in both)


def _on_lines(at: Floats, xs: Floats, ys: Floats) -> Floats:
    """Straight lines from point to point; the first and the last go on."""
    piece = np.clip(np.searchsorted(xs, at) - 1, 0, len(xs) - 2)
    slopes = np.diff(ys) / np.diff(xs)
    on_lines: Floats = ys[piece] + slopes[piece] * (at - xs[piece])
    return on_lines
