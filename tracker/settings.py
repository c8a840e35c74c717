"""What a tracker needs to know of the detector and of the way faces move."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Thresholds on detector scores suit MTCNN, which hands over 0.7 and more."""

    high_score: float = 0.8  # detections from here on are matched first
    low_score: float = 0.5  # and from here on second, to tracks that are still without one
    new_score: float = 0.8  # what starts a track
    sure_score: float = 0.98  # what starts a track that is told at once; others wait for their second detection
    lost_frames: int = 30  # how long a face may be out of sight and be found again by where it is
    memory_frames: int = (
        0  # and how long its id is kept for somebody who knows it again; less than lost_frames: no longer
    )
    slack: float = 0.75  # how far a face may be from where it was expected, in heights of the face,
    doubt: float = 3.0  # and how much farther, in standard deviations of the filter
    size_ratio: float = 1.5  # how many times larger or smaller a box in the expected place may be
    poor_reach: float = 0.5  # a detection below `high_score` must lie within this part of all that


DEFAULT = TrackerSettings()
