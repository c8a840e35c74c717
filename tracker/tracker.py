"""ByteTrack: which detection of this frame is which face of the frames before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Thresholds on detector scores suit MTCNN, which hands over 0.7 and more."""

    high_score: float = 0.85  # detections from here on are matched first
    low_score: float = 0.5  # and from here on second, to tracks that are still without one
    new_score: float = 0.85  # what starts a track
    sure_score: float = 0.98  # what starts a track that is told at once; others wait for their second detection
    lost_frames: int = 30  # how long a face may be out of sight and keep its id


@dataclass(frozen=True, slots=True)
class Tracked:
    """One face that was seen in this frame.

    track      the id, unique within one Tracker
    detection  row of the detections of this frame
    box_xyxy   (4,) float32, pixels: the filter's estimate for this frame
    is_new     this id is told for the first time
    """

    track: int
    detection: int
    box_xyxy: NDArray[np.float32]
    is_new: bool


@dataclass(frozen=True, slots=True)
class Update:
    """tracked  faces of this frame, by id
    ended    ids that will never come again, by id
    """

    tracked: tuple[Tracked, ...]
    ended: tuple[int, ...]


class Tracker:
    """The faces of one camera. The same detections always give the same ids."""

    def __init__(self, settings: TrackerSettings = TrackerSettings(), first_id: int = 1) -> None:
        raise NotImplementedError

    @property
    def next_id(self) -> int:
        """The id that the next face will get: `first_id` for a tracker that goes on after this one."""
        raise NotImplementedError

    def update(
        self, boxes_xyxy: NDArray[np.float32], scores: NDArray[np.float32], *, frames_elapsed: int = 1
    ) -> Update:
        """Take the detections of one frame: boxes (N, 4) in pixels, scores (N,).

        frames_elapsed  1, or more when frames of the camera were dropped since the last call
        """
        raise NotImplementedError
