"""ByteTrack: which detection of this frame is which face of the frames before.

Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", 2022. Good detections are matched
first, to every face that is known; poor ones are not thrown away but offered to the faces that are still without a
partner, since a face that is half hidden scores badly exactly where it was expected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker import kalman
from tracker.assign import Indices, assign
from tracker.cost import misfit
from tracker.track import Phase, Track

Floats = NDArray[np.float64]
Matches = list[tuple[Track, int]]  # a track and the row of its detection

SMALLEST_PX = 1.0


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Thresholds on detector scores suit MTCNN, which hands over 0.7 and more."""

    high_score: float = 0.8  # detections from here on are matched first
    low_score: float = 0.5  # and from here on second, to tracks that are still without one
    new_score: float = 0.8  # what starts a track
    sure_score: float = 0.98  # what starts a track that is told at once; others wait for their second detection
    lost_frames: int = 30  # how long a face may be out of sight and keep its id
    slack: float = 0.75  # how far a face may be from where it was expected, in heights of the face,
    doubt: float = 3.0  # and how much farther, in standard deviations of the filter
    size_ratio: float = 1.5  # how many times larger or smaller a box in the expected place may be
    poor_reach: float = 0.5  # a detection below `high_score` must lie within this part of all that


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
        self._settings = settings
        self._next_id = first_id
        self._tracks: list[Track] = []
        self._is_first_frame = True

    @property
    def next_id(self) -> int:
        """The id that the next face will get: `first_id` for a tracker that goes on after this one."""
        return self._next_id

    def update(
        self, boxes_xyxy: NDArray[np.float32], scores: NDArray[np.float32], *, frames_elapsed: int = 1
    ) -> Update:
        """Take the detections of one frame: boxes (N, 4) in pixels, scores (N,).

        frames_elapsed  1, or more when frames of the camera were dropped since the last call
        """
        if boxes_xyxy.shape != (len(scores), 4):
            raise ValueError(f"boxes {boxes_xyxy.shape} for {len(scores)} scores")
        if frames_elapsed < 1:
            raise ValueError(f"{frames_elapsed} frames elapsed: time goes forward")
        boxes = boxes_xyxy.astype(np.float64)
        self._advance(frames_elapsed)
        matches, free = self._match(boxes, scores)
        self._correct(matches, boxes)
        for track in self._tracks:
            if track.since_seen > 0:
                track.missed(self._settings.lost_frames)
        matches += self._start(free, boxes)
        update = Update(self._tell(matches, scores), self._sweep())
        self._is_first_frame = False
        return update

    def _advance(self, frames: int) -> None:
        """Move every track to where its face should be by now."""
        if not self._tracks:
            return
        motions = np.stack([track.motion for track in self._tracks])
        for track, motion in zip(self._tracks, kalman.predict(motions, frames), strict=True):
            track.predicted(motion, frames)

    def _match(self, boxes: Floats, scores: NDArray[np.float32]) -> tuple[Matches, Indices]:
        """Pair tracks with detections; also the good detections that nobody claimed and that may start a track."""
        use = self._settings
        usable = _are_boxes(boxes) & (scores >= use.low_score)
        good = np.flatnonzero(usable & (scores >= use.high_score))
        poor = np.flatnonzero(usable & (scores < use.high_score))
        known = [t for t in self._tracks if t.phase is not Phase.TENTATIVE and t.since_seen <= use.lost_frames + 1]
        first, left, good = self._pair(known, good, boxes, 1.0)
        second, _, _ = self._pair([t for t in left if t.phase is Phase.CONFIRMED], poor, boxes, use.poor_reach)
        third, _, good = self._pair([t for t in self._tracks if t.phase is Phase.TENTATIVE], good, boxes, 1.0)
        return first + second + third, good[scores[good] >= use.new_score]

    def _pair(
        self, tracks: list[Track], rows: Indices, boxes: Floats, limit: float
    ) -> tuple[Matches, list[Track], Indices]:
        """Pairs of these tracks and these rows of the boxes, then the tracks and the rows that are left."""
        if not tracks or not len(rows):
            return [], tracks, rows
        use = self._settings
        motions = np.stack([track.motion for track in tracks])
        cost = misfit(motions, kalman.measurements(boxes[rows]), use.slack, use.doubt, use.size_ratio)
        pairs = assign(cost, limit)
        matches = [(tracks[t], int(rows[d])) for t, d in zip(pairs.rows, pairs.columns, strict=True)]
        return matches, [tracks[t] for t in pairs.free_rows], rows[pairs.free_columns]

    def _correct(self, matches: Matches, boxes: Floats) -> None:
        if not matches:
            return
        motions = np.stack([track.motion for track, _ in matches])
        measured = kalman.measurements(boxes[[row for _, row in matches]])
        for (track, _), motion in zip(matches, kalman.correct(motions, measured), strict=True):
            track.seen(motion)

    def _start(self, rows: Indices, boxes: Floats) -> Matches:
        motions = kalman.start(kalman.measurements(boxes[rows]))
        started = [(Track(motion), int(row)) for motion, row in zip(motions, rows, strict=True)]
        self._tracks += [track for track, _ in started]
        return started

    def _tell(self, matches: Matches, scores: NDArray[np.float32]) -> tuple[Tracked, ...]:
        """Confirm what has earned it, in the order of the detections, and list all that is confirmed."""
        told: list[Tracked] = []
        for track, row in sorted(matches, key=lambda match: match[1]):
            is_new = track.phase is Phase.TENTATIVE
            if is_new:
                if not (track.sightings > 1 or self._is_first_frame or scores[row] >= self._settings.sure_score):
                    continue
                track.confirm(self._next_id)
                self._next_id += 1
            box = kalman.boxes_xyxy(track.motion[None])[0].astype(np.float32)
            told.append(Tracked(track.id, row, box, is_new))
        return tuple(sorted(told, key=lambda face: face.track))

    def _sweep(self) -> tuple[int, ...]:
        ended = sorted(track.id for track in self._tracks if track.phase is Phase.REMOVED and track.id)
        self._tracks = [track for track in self._tracks if track.phase is not Phase.REMOVED]
        return tuple(ended)


def _are_boxes(boxes: Floats) -> NDArray[np.bool_]:
    """(N,) False for what has no area or no number: the aspect of such a box would spoil the filter."""
    with np.errstate(invalid="ignore"):
        has_area = np.all(boxes[:, 2:] - boxes[:, :2] >= SMALLEST_PX, axis=1)
    are_boxes: NDArray[np.bool_] = has_area & np.isfinite(boxes).all(axis=1)
    return are_boxes
