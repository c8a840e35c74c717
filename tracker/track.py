"""One face over time.

tentative ── seen again ──► confirmed ◄── seen again ── lost
    │                           └────── not seen ──────► │
    └── not seen ──► removed ◄── not seen for too long ──┘
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    TENTATIVE = "tentative"  # seen once by an unsure detection, has no id and is told to nobody
    CONFIRMED = "confirmed"
    LOST = "lost"
    REMOVED = "removed"


@dataclass(slots=True, eq=False)
class Track:
    """id            0 while tentative
    sightings     how often it was seen
    since_seen    frames since it was last seen; 0 in the frame that it is seen in
    """

    phase: Phase = Phase.TENTATIVE
    id: int = 0
    sightings: int = 1
    since_seen: int = 0

    def confirm(self, track_id: int) -> None:
        self.id = track_id
        self.phase = Phase.CONFIRMED

    def aged(self, frames: int) -> None:
        self.since_seen += frames

    def seen(self) -> None:
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
