"""What the faces of one camera look like: for each track the mean of its shots, the recent and the clear ones first.

A look is a vector of unit length, of which nothing is known here but that those of one person point the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FADING = 0.8  # what a shot weighs against the shot after it: light and pose change


@dataclass(slots=True)
class _Look:
    """total  (D,) the weighted sum of the shots
    shots  how many there were
    """

    total: NDArray[np.float32]
    shots: int


class Looks:
    def __init__(self) -> None:
        self._looks: dict[int, _Look] = {}

    def __contains__(self, track: int) -> bool:
        return track in self._looks

    def tracks(self) -> tuple[int, ...]:
        return tuple(self._looks)

    def shots(self, track: int) -> int:
        return self._looks[track].shots if track in self._looks else 0

    def add(self, track: int, vector: NDArray[np.float32], quality: float) -> None:
        before = self._looks.get(track)
        if before is None:
            self._looks[track] = _Look(quality * vector, 1)
        else:
            before.total = FADING * before.total + quality * vector
            before.shots += 1

    def likeness(self, vector: NDArray[np.float32], tracks: Sequence[int]) -> NDArray[np.float64]:
        """(T,) cosines of a shot to each of these tracks; -1 for one that nothing is known of."""
        cosines = np.full(len(tracks), -1.0)
        for at, track in enumerate(tracks):
            look = self._looks.get(track)
            if look is not None:
                cosines[at] = vector @ look.total / max(float(np.sqrt(look.total @ look.total)), 1e-12)
        return cosines

    def join(self, track: int, into: int) -> None:
        """All shots of `track` were of the face of `into`."""
        newer, older = self._looks.pop(track, None), self._looks.get(into)
        if newer is None:
            return
        if older is None:
            self._looks[into] = newer
        else:
            older.total = FADING**newer.shots * older.total + newer.total
            older.shots += newer.shots

    def forget(self, tracks: Iterable[int]) -> None:
        """These tracks have ended."""
        for track in tracks:
            self._looks.pop(track, None)
