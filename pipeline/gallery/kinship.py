"""How alike the different people of one gallery are: whether strangers of this place are more alike than elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from checkpoints.impostors import Impostors, Looks, Quantiles
from pipeline.gallery.chance import Likeness
from pipeline.gallery.gallery import Gallery

SAMPLE = 1000  # pictures: half a million pairs, whatever the size of the gallery
ENOUGH_PEOPLE = 20  # to say anything,
ALONE_PEOPLE = 100  # and to do without a table
# As far out as there are pairs enough: the far ones say most, but a person enrolled by two names must not show.
_COMPARED_AT = (0.001, 0.01, 0.05)
_PAIRS_BEYOND = 40
_HALF_TRUSTED_PEOPLE = 100
_SHARES = (0.9, 0.5, 0.1, 0.01, 0.001)
_PAIRS_NEEDED = 20  # beyond a quantile, for it to be one
_GENUINE_SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
_GENUINE_PAIRS = 100

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Kinship:
    """people   how many were looked at
    between  cosines of pictures of different people, rising
    within   cosines of pictures of one person, rising
    """

    people: int
    between: Floats
    within: Floats

    def shift(self, elsewhere: Likeness) -> float:
        """How much higher cosines are here than where the table was measured; few people say little."""
        if self.people < ENOUGH_PEOPLE:
            return 0.0
        far = [share for share in _COMPARED_AT if share * len(self.between) >= _PAIRS_BEYOND]
        share = far[0] if far else _COMPARED_AT[-1]
        here = float(np.quantile(self.between, 1 - share))
        return (here - elsewhere.cosine_of(share)) * self.people / (self.people + _HALF_TRUSTED_PEOPLE)

    def table(self) -> Impostors | None:
        """What stands in for a model's table; None with too few people. Genuine cosines only where there are enough."""
        if self.people < ALONE_PEOPLE:
            return None
        far = [share for share in _SHARES if share * len(self.between) >= _PAIRS_NEEDED]
        strangers = _strictly_rising([(share, float(np.quantile(self.between, 1 - share))) for share in far])
        own: Quantiles = ()
        if len(self.within) >= _GENUINE_PAIRS:
            own = _strictly_rising([(share, float(np.quantile(self.within, share))) for share in _GENUINE_SHARES])
        return Impostors(self.people, far[-1], 1.0, 1.0, (Looks(1, strangers, own, own),))


def kinship(gallery: Gallery) -> Kinship:
    """Of at most `SAMPLE` pictures; their order is that of random ids, so the first ones are a fair choice."""
    sample = list(islice((kept for kept in gallery.kept() if kept.name is not None), SAMPLE))
    if not sample:
        nothing = np.zeros(0, np.float32)
        return Kinship(0, nothing, nothing)
    _, owners = np.unique([str(kept.name) for kept in sample], return_inverse=True)
    vectors = np.stack([kept.picture.embedding for kept in sample])
    row, column = np.triu_indices(len(sample), 1)
    cosines = (vectors @ vectors.T)[row, column]
    same = owners[row] == owners[column]
    return Kinship(int(owners.max()) + 1, np.sort(cosines[~same]), np.sort(cosines[same]))


def _strictly_rising(quantiles: list[tuple[float, float]]) -> Quantiles:
    """Pictures that are all the same give the same cosine at every share: lines need two different ones."""
    kept: list[tuple[float, float]] = []
    for share, cosine in quantiles:
        least = kept[-1][1] + 1e-4 if kept else -1.0
        kept.append((share, max(cosine, least)))
    return tuple(kept)
