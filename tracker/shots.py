"""When a face is worth an embedding.

Embedding every face of every frame makes the cost grow with the crowd. A face hardly changes from frame to frame, so it
is embedded when it is new, when it is seen better than ever, and now and then to notice a mistaken identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ShotSettings:
    first_shots: int = 3  # a new track is embedded this often, whatever the quality
    spacing_frames: int = 2  # between two shots of one track
    better: float = 1.10  # times the best quality so far: worth another shot
    check_frames: int = 60  # a track is looked at again after this long
    max_per_frame: int = 8


class Reason(IntEnum):
    """Why a track is embedded; the smaller comes first when there are too many."""

    NEW = 0
    BETTER = 1
    CHECK = 2


@dataclass(frozen=True, slots=True)
class _Taken:
    count: int
    best_quality: float
    last_frame: int


class ShotPolicy:
    """Chooses which tracks of a frame are embedded, so that many faces cost little more than a few."""

    def __init__(self, settings: ShotSettings = ShotSettings()) -> None:
        self._settings = settings
        self._taken: dict[int, _Taken] = {}

    def wants(self, track: int, quality: float, frame: int) -> bool:
        """Whether a shot of this track would be worth it; asks only, and knows nothing of the frame's limit."""
        return self._reason(track, quality, frame) is not None

    def choose(self, tracks: Sequence[int], qualities: Sequence[float], frame: int) -> NDArray[np.bool_]:
        """(K,) True for those of the K tracks that are embedded now, at most `max_per_frame`; remembers the choice.

        A track that has to stand back is asked again in the next frame.
        """
        waiting: list[tuple[Reason, int, int, int, int]] = []
        for row, (track, quality) in enumerate(zip(tracks, qualities, strict=True)):
            reason = self._reason(track, quality, frame)
            if reason is not None:
                taken = self._taken.get(track, _Taken(0, 0.0, 0))
                waiting.append((reason, taken.count if reason is Reason.NEW else 0, taken.last_frame, track, row))
        chosen = np.zeros(len(tracks), np.bool_)
        for *_, row in sorted(waiting)[: self._settings.max_per_frame]:
            chosen[row] = True
            self._remember(tracks[row], qualities[row], frame)
        return chosen

    def forget(self, tracks: Iterable[int]) -> None:
        """These tracks have ended."""
        for track in tracks:
            self._taken.pop(track, None)

    def _reason(self, track: int, quality: float, frame: int) -> Reason | None:
        use, taken = self._settings, self._taken.get(track)
        if taken is None:
            return Reason.NEW
        if frame - taken.last_frame < use.spacing_frames:
            return None
        if taken.count < use.first_shots:
            return Reason.NEW
        if quality > 0 and quality >= use.better * taken.best_quality:
            return Reason.BETTER
        return Reason.CHECK if frame - taken.last_frame >= use.check_frames else None

    def _remember(self, track: int, quality: float, frame: int) -> None:
        taken = self._taken.get(track, _Taken(0, 0.0, frame))
        self._taken[track] = _Taken(taken.count + 1, max(taken.best_quality, float(quality)), frame)
