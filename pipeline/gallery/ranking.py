"""From scored pictures to people: each person once, best first, the same order every time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.gallery.gallery import Match

# Kernels of different processors differ in the seventh digit; scores that people see and events that must be
# equal in two runs do not need it.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that is like the face asked for.

    name   None: a stranger's
    score  cosine
    """

    name: str | None
    score: float
    picture: str


Nearest = Callable[[NDArray[np.float32], int], list[list[Hit]]]


def ranked(hits: Iterable[Hit], limit: int) -> list[Match]:
    """The best `limit` people; equal scores go to strangers first, so that no name is given by luck, then by name."""
    best: dict[str | None, tuple[float, str]] = {}
    for hit in hits:
        scored = (-round(float(hit.score), _DIGITS), hit.picture)
        best[hit.name] = min(scored, best.get(hit.name, scored))
    order = sorted(best.items(), key=lambda item: (item[1][0], item[0] is not None, item[0] or ""))
    return [Match(name, -score + 0.0, picture) for name, (score, picture) in order[:limit]]


def nearest_people(rows: NDArray[np.float32], limit: int, nearest: Nearest) -> list[list[Match]]:
    """Ask for pictures until enough different people are among them: somebody may have hundreds.

    rows     (N, D); a row of zeros resembles nobody
    nearest  for each row so many of the nearest pictures, best first
    """
    found: list[list[Match]] = [[] for _ in rows]
    asked = [index for index, row in enumerate(rows) if row.any()]
    points = 4 * limit
    while asked:
        again = []
        for index, hits in zip(asked, nearest(rows[asked], points), strict=True):
            found[index] = ranked(hits, limit)
            if len(hits) == points and not _settled(found[index], limit, worst=hits[-1].score):
                again.append(index)
        asked, points = again, 8 * points
    return found


def _settled(matches: list[Match], limit: int, worst: float) -> bool:
    """Whether pictures that were not asked for cannot change the answer: all of them score at most `worst`."""
    return len(matches) == limit and round(worst, _DIGITS) < matches[-1].score
