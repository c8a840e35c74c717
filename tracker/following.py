"""The faces of one camera over time: who each one is among those of the frames before, drawn calmly.

All that tracking, choosing of shots, recall by looks and smoothing remember of a camera is here, so that the program
and its measurements follow faces in the very same way. The embedder is a function that is called with a few rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.recall import Recall, Recalled, RecallSettings, Shot
from tracker.settings import TrackerSettings
from tracker.shots import ShotPolicy, ShotSettings
from tracker.smooth import Smoother, SmoothSettings
from tracker.tracker import Expected, Tracked, Tracker

Embed = Callable[[list[int]], NDArray[np.float32]]  # rows of the detections → (R, D) vectors of unit length


@dataclass(frozen=True, slots=True)
class FollowSettings:
    """recall          None: faces are followed by their boxes only
    expect_frames   for how long a face that is out of sight is drawn where it should be
    """

    tracker: TrackerSettings = TrackerSettings()
    shots: ShotSettings = ShotSettings()
    smooth: SmoothSettings = SmoothSettings()
    recall: RecallSettings | None = None
    expect_frames: int = 6


@dataclass(frozen=True, slots=True)
class Detected:
    """N faces of one frame.

    boxes_xyxy  (N, 4) float32 pixels
    scores      (N,) float32
    landmarks   (N, 5, 2) float32 pixels
    quality     (N,) float32, 0…1
    """

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    quality: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Followed:
    """detection  row of the detections, None for a face that is out of sight
    box_xyxy   (4,) float32 pixels, smoothed
    landmarks  (5, 2) float32 pixels, smoothed
    embedding  (D,) float32 of unit length, where one was made of this face in this frame
    """

    track: int
    detection: int | None
    box_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    embedding: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Step:
    """faces     that were seen in this frame, by id
    expected  that were seen shortly before and are out of sight, by id
    ended     ids that will not come again
    revived   (id told before, older id that the same face goes on with); the first ones are also in `ended`
    """

    faces: tuple[Followed, ...]
    expected: tuple[Followed, ...]
    ended: tuple[int, ...]
    revived: tuple[tuple[int, int], ...]


class Following:
    def __init__(self, settings: FollowSettings = FollowSettings(), first_id: int = 1) -> None:
        self._settings = settings
        self._tracker = Tracker(settings.tracker, first_id)
        self._last_frame: int | None = None
        self._begin()

    def _begin(self) -> None:
        use = self._settings
        self._shots = ShotPolicy(use.shots)
        self._recall = None if use.recall is None else Recall(use.recall)
        self._smoother = Smoother(use.smooth)
        self._drawn: dict[int, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}  # last detected box and landmarks

    def step(
        self, seen: Detected, frame: int, t_s: float, embed: Embed, *, size_wh: tuple[int, int] | None = None
    ) -> Step:
        """Take the detections of a frame: its number, which counts dropped frames too, and its time in the stream.

        size_wh  of the picture: a face that should have left it is not expected any more
        """
        elapsed = 1 if self._last_frame is None else max(1, frame - self._last_frame)
        self._last_frame = frame
        update = self._tracker.update(seen.boxes_xyxy, seen.scores, frames_elapsed=elapsed)
        vectors, recalled = self._look(seen, update.tracked, frame, embed)
        ids = {t.detection: t.track for t in update.tracked}
        for renames in (recalled.parted, recalled.revived):
            changed = dict(renames)
            ids = {row: changed.get(track, track) for row, track in ids.items()}
        first_told = {t.track for t in update.tracked if t.is_new} | {new for _, new in recalled.parted}
        given_up = tuple((track, older) for track, older in recalled.revived if track not in first_told)
        ended = (*update.ended, *(track for track, _ in given_up))
        expected = [
            face
            for face in self._tracker.expected(self._settings.expect_frames)
            if size_wh is None or _is_inside(face.box_xyxy, size_wh)
        ]
        faces = self._draw(seen, ids, expected, t_s, vectors)
        self._forget(ended)
        return Step(faces[: len(ids)], faces[len(ids) :], ended, given_up)

    def end(self) -> tuple[int, ...]:
        """The camera shows something else from now on: the ids that have ended. Later faces get other ids."""
        self._begin()
        return self._tracker.end()

    def _look(
        self, seen: Detected, tracked: Sequence[Tracked], frame: int, embed: Embed
    ) -> tuple[dict[int, NDArray[np.float32]], Recalled]:
        """The vectors of those that are worth one, by their rows, and what they say of the tracks."""
        nothing = Recalled((), (), ())
        if self._recall is not None:
            self._shots.doubt(t.track for t in tracked if t.contested)
        qualities = [float(seen.quality[t.detection]) for t in tracked]
        wanted = self._shots.choose([t.track for t in tracked], qualities, frame)
        chosen = [t for t, wants in zip(tracked, wanted, strict=True) if wants]
        if not chosen:
            return {}, nothing
        vectors = dict(zip([t.detection for t in chosen], embed([t.detection for t in chosen]), strict=True))
        if self._recall is None:
            return vectors, nothing
        shots = [Shot(t.track, vectors[t.detection], float(seen.quality[t.detection])) for t in chosen]
        recalled = self._recall.judge(shots, self._tracker)
        self._shots.doubt(recalled.doubted, soon=True)
        quality_of = {shot.track: shot.quality for shot in shots}
        for track, new in recalled.parted:
            self._shots.part(track, new, quality_of[track], frame)
            self._smoother.rename(track, new)
        for track, older in recalled.revived:
            self._shots.join(track, older)
            self._smoother.rename(track, older)
        return vectors, recalled

    def _draw(
        self,
        seen: Detected,
        ids: dict[int, int],
        expected: Sequence[Expected],
        t_s: float,
        vectors: dict[int, NDArray[np.float32]],
    ) -> tuple[Followed, ...]:
        """First the faces that were seen, then those that were not; both by id."""
        rows = sorted(ids, key=lambda row: ids[row])
        now = [(ids[row], seen.boxes_xyxy[row], seen.landmarks[row]) for row in rows]
        for track, box, landmarks in now:
            self._drawn[track] = box, landmarks
        for face in expected:
            if face.track in self._drawn:
                box = face.box_xyxy
                now.append((face.track, box, _moved(self._drawn[face.track], box)))
        tracks = [track for track, _, _ in now]
        boxes = np.array([box for _, box, _ in now], np.float32).reshape(-1, 4)
        points = np.array([landmarks for _, _, landmarks in now], np.float32).reshape(-1, 10)
        calm = self._smoother.update(
            tracks, np.concatenate([boxes, points], axis=1), t_s, sizes_px=boxes[:, 3] - boxes[:, 1]
        )
        whence: list[int | None] = [*rows, *(None for _ in now[len(rows) :])]
        return tuple(
            Followed(track, row, values[:4], values[4:].reshape(5, 2), None if row is None else vectors.get(row))
            for track, row, values in zip(tracks, whence, calm, strict=True)
        )

    def _forget(self, ended: Sequence[int]) -> None:
        self._shots.forget(ended)
        self._smoother.forget(ended)
        if self._recall is not None:
            self._recall.forget(ended)
        for track in ended:
            self._drawn.pop(track, None)


def _is_inside(box_xyxy: NDArray[np.float32], size_wh: tuple[int, int]) -> bool:
    x, y = (box_xyxy[:2] + box_xyxy[2:]) / 2
    return bool(0 <= x <= size_wh[0] and 0 <= y <= size_wh[1])


def _moved(before: tuple[NDArray[np.float32], NDArray[np.float32]], box: NDArray[np.float32]) -> NDArray[np.float32]:
    """Landmarks (5, 2) that lie in this box as they did in the one before."""
    old, landmarks = before
    scale = (box[2:] - box[:2]) / (old[2:] - old[:2])
    moved: NDArray[np.float32] = box[:2] + (landmarks - old[:2]) * scale
    return moved
