"""ByteTrack: which detection of this frame is which face of the frames before.

Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", 2022. Good detections are matched
first, to every face that is known; poor ones are not thrown away but offered to the faces that are still without a
partner, since a face that is half hidden scores badly exactly where it was expected.

The tracker sees boxes only. Who knows more about the faces (see following.py) tells it when a new track is an old face
(`revive`) and when the face of a track has become another (`part`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker import kalman
from tracker.assign import Indices
from tracker.match import Match, match
from tracker.settings import DEFAULT, TrackerSettings
from tracker.track import Phase, Track

Floats = NDArray[np.float64]

BRIEFLY_FRAMES = 4  # a face that was out of sight for less is hardly somebody else


@dataclass(frozen=True, slots=True)
class Tracked:
    """One face that was seen in this frame.

    track      the id, unique within one Tracker
    detection  row of the detections of this frame
    box_xyxy   (4,) float32, pixels: the filter's estimate for this frame
    is_new     this id is told for the first time
    contested  another face or another detection was within reach, or the face was out of sight: it may be somebody else
    """

    track: int
    detection: int
    box_xyxy: NDArray[np.float32]
    is_new: bool
    contested: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """A face that is out of sight, and the box (4,) float32 in which it should be."""

    track: int
    box_xyxy: NDArray[np.float32]
    since_seen: int


@dataclass(frozen=True, slots=True)
class Update:
    """tracked  faces of this frame, by id
    ended    ids that will never come again, by id
    """

    tracked: tuple[Tracked, ...]
    ended: tuple[int, ...]


class Tracker:
    """The faces of one camera. The same detections always give the same ids."""

    def __init__(self, settings: TrackerSettings = DEFAULT, first_id: int = 1) -> None:
        self._settings = settings
        self._next_id = first_id
        self._tracks: list[Track] = []
        self._motions: Floats = np.zeros((0, 5, 4))  # of the tracks, in their order
        self._away: dict[int, int] = {}  # ids that only somebody who knows the face can bring back, frames since seen
        self._is_first_frame = True

    @property
    def next_id(self) -> int:
        """The id that the next face will get: `first_id` for a tracker that goes on after this one."""
        return self._next_id

    @property
    def absent(self) -> tuple[int, ...]:
        """Ids of faces that are out of sight and may come back."""
        return tuple(sorted([t.id for t in self._tracks if t.phase is Phase.LOST] + list(self._away)))

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
        matches, free = match(self._tracks, self._motions, boxes, scores, self._settings)
        matches = self._correct(matches, boxes)
        for track in self._tracks:
            if track.since_seen > 0:
                track.missed(self._settings.lost_frames)
        matches += self._start(free, boxes)
        update = Update(self._tell(matches, scores), self._sweep())
        self._is_first_frame = False
        return update

    def expected(self, within_frames: int) -> tuple[Expected, ...]:
        """Faces that were seen that short a time ago and are out of sight, by id."""
        at = [
            i
            for i, t in enumerate(self._tracks)
            if t.phase is Phase.LOST and t.since_seen <= within_frames < t.sightings
        ]
        boxes = kalman.boxes_xyxy(self._motions[at]).astype(np.float32)
        faces = [
            Expected(self._tracks[i].id, box, self._tracks[i].since_seen) for i, box in zip(at, boxes, strict=True)
        ]
        return tuple(sorted(faces, key=lambda face: face.track))

    def revive(self, track: int, absent: int) -> None:
        """The face that is followed as `track` is the one that was out of sight: it gets the older id back."""
        if self._away.pop(absent, None) is None:
            before = self._at(absent)
            if self._tracks[before].phase is not Phase.LOST:
                raise ValueError(f"track {absent} is not out of sight")
            self._keep([at for at in range(len(self._tracks)) if at != before])
        self._tracks[self._at(track)].id = absent

    def part(self, track: int) -> int:
        """The face that is followed as `track` is another one: it gets a new id, and the old one is out of sight."""
        at, new_id = self._at(track), self._next_id
        self._next_id += 1
        self._tracks[at].id = new_id
        self._away[track] = 0
        return new_id

    def end(self) -> tuple[int, ...]:
        """Nobody of these is coming back: their ids. Later faces get other ones."""
        ended = sorted([track.id for track in self._tracks if track.id] + list(self._away))
        self._keep([])
        self._away.clear()
        self._is_first_frame = True
        return tuple(ended)

    def _at(self, track_id: int) -> int:
        return next(at for at, track in enumerate(self._tracks) if track.id == track_id)

    def _advance(self, frames: int) -> None:
        """Move every track to where its face should be by now."""
        if self._tracks:
            self._motions = kalman.predict(self._motions, frames)
        for track in self._tracks:
            track.aged(frames)
        self._away = {track: since_seen + frames for track, since_seen in self._away.items()}

    def _correct(self, matches: list[Match], boxes: Floats) -> list[Match]:
        """The same matches; those of faces that were out of sight are contested."""
        if not matches:
            return []
        at = [m.at for m in matches]
        measured = kalman.measurements(boxes[[m.row for m in matches]])
        self._motions[at] = kalman.correct(self._motions[at], measured)
        told = []
        for pair in matches:
            track = self._tracks[pair.at]
            told.append(pair._replace(contested=pair.contested or track.since_seen >= BRIEFLY_FRAMES))
            track.seen()
        return told

    def _start(self, rows: Indices, boxes: Floats) -> list[Match]:
        if not len(rows):
            return []
        first = len(self._tracks)
        self._motions = np.concatenate([self._motions, kalman.start(kalman.measurements(boxes[rows]))])
        self._tracks += [Track() for _ in rows]
        return [Match(first + i, int(row), contested=False) for i, row in enumerate(rows)]

    def _tell(self, matches: list[Match], scores: NDArray[np.float32]) -> tuple[Tracked, ...]:
        """Confirm what has earned it, in the order of the detections, and list all that is confirmed."""
        boxes = kalman.boxes_xyxy(self._motions).astype(np.float32)
        told: list[Tracked] = []
        for at, row, contested in sorted(matches, key=lambda pair: pair.row):
            track = self._tracks[at]
            is_new = track.phase is Phase.TENTATIVE
            if is_new:
                if not (track.sightings > 1 or self._is_first_frame or scores[row] >= self._settings.sure_score):
                    continue
                track.confirm(self._next_id)
                self._next_id += 1
            told.append(Tracked(track.id, row, boxes[at], is_new, contested))
        return tuple(sorted(told, key=lambda face: face.track))

    def _sweep(self) -> tuple[int, ...]:
        """Take out what is over; the ids that nobody can bring back any more."""
        use = self._settings
        for track in self._tracks:
            if track.phase is Phase.REMOVED and track.id:
                self._away[track.id] = track.since_seen
        ended = sorted(
            track for track, since_seen in self._away.items() if since_seen > max(use.memory_frames, use.lost_frames)
        )
        for track_id in ended:
            del self._away[track_id]
        if any(track.phase is Phase.REMOVED for track in self._tracks):
            self._keep([at for at, track in enumerate(self._tracks) if track.phase is not Phase.REMOVED])
        return tuple(ended)

    def _keep(self, kept: list[int]) -> None:
        self._tracks = [self._tracks[at] for at in kept]
        self._motions = self._motions[kept]
