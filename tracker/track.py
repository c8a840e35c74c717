"""One face over time.

tentative ── seen again ──► confirmed ◄── seen again ── lost
    │                           └────── not seen ──────► │
    └── not seen ──► removed ◄── not seen for too long ──┘
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray


class Phase(Enum):
    TENTATIVE = "tentative"  # seen once by an unsure detection, has no id and is told to nobody
    CONFIRMED = "confirmed"
    LOST = "lost"
    REMOVED = "removed"


@dataclass(slots=True, eq=False)
class Track:
    """motion        (5, 4) float64, one row of the filter's `motions`
    id            0 while tentative
    sightings     how often it was seen
    since_seen    frames since it was last seen; 0 in the frame that it is seen in
    """

    motion: NDArray[np.float64]
    phase: Phase = Phase.TENTATIVE
    id: int = 0
    sightings: int = 1
    since_seen: int = 0

    def confirm(self, track_id: int) -> None:
        self.id = track_id
        self.phase = Phase.CONFIRMED

    def predicted(self, motion: NDArray[np.float64], frames: int) -> None:
        self.motion = motion
        self.since_seen += frames

    def seen(self, motion: NDArray[np.float64]) -> None:
        self.motion = motion
        self.sightings += 1
        self.since_seen = 0
        if self.phase is Phase.LOST:
            self.phase = Phase.CONFIRMED

    def missed(self, lost_frames: int) -> None:
        """The face was not in this frame; after more than `lost_frames` such frames the track is over."""
        if self.phase is Phase.TENTATIVE or self.since_seen > lost_frames:
            self.phase = Phase.REMOVED
        else:
            self.phase = Phase.LOST
