"""When a face is worth an embedding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ShotSettings:
    first_shots: int = 3  # a new track is embedded this often, whatever the quality
    spacing_frames: int = 2  # between two shots of one track
    better: float = 1.10  # times the best quality so far: worth another shot
    check_frames: int = 60  # a track is looked at again after this long
    max_per_frame: int = 8


class ShotPolicy:
    """Chooses which tracks of a frame are embedded, so that many faces cost no more than a few."""

    def __init__(self, settings: ShotSettings = ShotSettings()) -> None:
        raise NotImplementedError

    def wants(self, track: int, quality: float, frame: int) -> bool:
        """Whether a shot of this track would be worth it; asks only, and knows nothing of the frame's limit."""
        raise NotImplementedError

    def choose(self, tracks: Sequence[int], qualities: Sequence[float], frame: int) -> NDArray[np.bool_]:
        """(K,) True for those of the K tracks that are embedded now, at most `max_per_frame`; remembers the choice."""
        raise NotImplementedError

    def forget(self, tracks: Iterable[int]) -> None:
        raise NotImplementedError
