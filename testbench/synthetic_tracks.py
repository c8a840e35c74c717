"""Faces that move, cross, turn away and are misdetected, with the truth known: what a tracker is measured on.

Rates follow what MTCNN does on real clips of walking people: half of the scores above 0.999, one in ten below 0.97,
boxes that wander by 2 to 5 % of their height, misses that last some frames, false boxes that stay in one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ASPECT = 0.8  # width over height of a face
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Scene:
    """Lengths in heights of the face, times in frames, unless the name says pixels."""

    faces: int = 6
    frames: int = 200
    seed: int = 0
    size_wh: tuple[int, int] = (1280, 720)
    heights_px: tuple[float, float] = (45.0, 130.0)
    speed: float = 0.05
    sway: float = 0.02  # how much the speed changes from frame to frame
    jitter: float = 0.02
    miss: float = 0.03  # share of frames in which a visible face is not found
    turn_away: float = 0.003  # chance in each frame that a face is turned away for 5 to 25 frames
    false_boxes: float = 0.1  # on average in a frame
    frames_elapsed: tuple[int, ...] = (1,)  # live cameras drop frames: one of these lies between two that are seen


@dataclass(frozen=True, slots=True)
class SceneFrame:
    """ids, truth_xyxy          (M,) and (M, 4): the faces that can be seen
    boxes_xyxy, scores, owners  (N, 4), (N,), (N,): what the detector says, and of whom; best first
    frames_elapsed              since the frame before
    """

    ids: NDArray[np.int64]
    truth_xyxy: NDArray[np.float32]
    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    owners: NDArray[np.int64]
    frames_elapsed: int


def play(scene: Scene) -> Iterator[SceneFrame]:
    """The frames of a scene; the same scene always gives the same frames."""
    rng = np.random.default_rng(scene.seed)
    crowd = _Crowd(scene, rng)
    detector = _Detector(scene, rng)
    frame = 0
    elapsed = 1
    while frame < scene.frames:
        for _ in range(elapsed):
            crowd.step()
            detector.step()
        boxes = crowd.boxes_xyxy()
        hidden = _covered(boxes, crowd.present)
        seen = np.flatnonzero(crowd.present & (crowd.away_frames == 0) & (hidden < 0.5))
        found, scores, owners = detector.look(boxes, seen, hidden)
        yield SceneFrame(seen, boxes[seen].astype(np.float32), found, scores, owners, elapsed)
        elapsed = int(rng.choice(scene.frames_elapsed))
        frame += elapsed


class _Crowd:
    """Where the heads really are."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        count = scene.faces
        self._scene, self._rng, self._frame = scene, rng, 0
        self._height_px = rng.uniform(*scene.heights_px, count)
        self._centre_px = rng.uniform(0.1, 0.9, (count, 2)) * scene.size_wh
        heading = rng.uniform(-np.pi, np.pi, count)
        pace = scene.speed * rng.lognormal(0, 0.5, count)
        self._cruise = np.stack([np.cos(heading), 0.3 * np.sin(heading)], axis=1) * pace[:, None]
        self._sway = np.zeros((count, 2))
        self._growth = rng.normal(0, 0.002, count)
        late = rng.random(count) < 0.3  # these come later, or leave before the end
        self._from = np.where(late, rng.integers(0, max(1, scene.frames // 2), count), 0)
        self._until = np.where(late, self._from + rng.integers(scene.frames // 4, scene.frames, count), scene.frames)
        self.away_frames = np.zeros(count, np.int64)
        self.present = np.zeros(count, np.bool_)

    def step(self) -> None:
        scene, rng, count = self._scene, self._rng, self._scene.faces
        self._frame += 1
        self.present = (self._frame > self._from) & (self._frame <= self._until)
        self._sway = 0.8 * self._sway + rng.normal(0, scene.sway, (count, 2))
        self._cruise[rng.random(count) < 0.01, 0] *= -1
        self._centre_px += (self._cruise + self._sway) * self._height_px[:, None]
        low, high = 0.05 * np.array(scene.size_wh), 0.95 * np.array(scene.size_wh)
        too_low, too_high = self._centre_px < low, self._centre_px > high
        self._cruise = np.where(too_low, np.abs(self._cruise), np.where(too_high, -np.abs(self._cruise), self._cruise))
        self._height_px *= 1 + self._growth
        outgrown = (self._height_px < scene.heights_px[0]) | (self._height_px > scene.heights_px[1])
        self._growth[outgrown] *= -1
        self._height_px = np.clip(self._height_px, *scene.heights_px)
        turns = rng.random(count) < scene.turn_away
        self.away_frames = np.where(turns, rng.integers(5, 26, count), np.maximum(self.away_frames - 1, 0))

    def boxes_xyxy(self) -> NDArray[np.float64]:
        half = np.stack([ASPECT * self._height_px, self._height_px], axis=1) / 2
        return np.concatenate([self._centre_px - half, self._centre_px + half], axis=1)


class _Detector:
    """What is made of it."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self._scene, self._rng = scene, rng
        self._blind = np.zeros(scene.faces, np.bool_)
        self._wander = np.zeros((scene.faces, 4))
        self._ghosts = np.zeros((0, 4))

    def step(self) -> None:
        scene, rng = self._scene, self._rng
        leave, enter = 1 / 3, scene.miss / (1 - scene.miss) / 3  # misses last three frames on average
        change = rng.random(scene.faces)
        self._blind = np.where(self._blind, change >= leave, change < enter)
        self._wander = 0.7 * self._wander + rng.normal(0, 0.7 * scene.jitter, (scene.faces, 4))
        self._ghosts = self._ghosts[rng.random(len(self._ghosts)) < 0.5]  # false boxes last two frames on average
        height = rng.uniform(*scene.heights_px, rng.poisson(scene.false_boxes / 2))
        corner = rng.uniform(0, 0.9, (len(height), 2)) * scene.size_wh
        born = np.concatenate([corner, corner + np.stack([ASPECT * height, height], axis=1)], axis=1)
        self._ghosts = np.concatenate([self._ghosts, born])

    def look(
        self, boxes_xyxy: NDArray[np.float64], seen: NDArray[np.int64], hidden: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        rng = self._rng
        owners = seen[~self._blind[seen]]
        heights = (boxes_xyxy[owners, 3] - boxes_xyxy[owners, 1])[:, None]
        unsure = rng.random(len(owners)) < 0.1
        scores = 1 - np.where(unsure, rng.uniform(0.02, 0.3, len(owners)), 0.02 * rng.random(len(owners)) ** 3)
        half_hidden = hidden[owners] > 0.15
        scores = np.where(half_hidden, rng.uniform(0.55, 0.95, len(owners)), scores)
        boxes = boxes_xyxy[owners] + self._wander[owners] * heights * np.where(half_hidden, 2.0, 1.0)[:, None]
        boxes = np.concatenate([boxes, self._ghosts])
        scores = np.concatenate([scores, rng.uniform(0.7, 0.97, len(self._ghosts))])
        owners = np.concatenate([owners, np.full(len(self._ghosts), NOBODY)])
        best_first = np.argsort(-scores, kind="stable")
        return boxes[best_first].astype(np.float32), scores[best_first].astype(np.float32), owners[best_first]


def _covered(boxes_xyxy: NDArray[np.float64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(M,) the share of each face behind the largest intruder; the larger face is the nearer one."""
    low = np.maximum(boxes_xyxy[:, None, :2], boxes_xyxy[None, :, :2])
    high = np.minimum(boxes_xyxy[:, None, 2:], boxes_xyxy[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    area = np.prod(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], axis=1)
    in_front = (area[None, :] > area[:, None]) & present[None, :]
    covered: NDArray[np.float64] = (shared * in_front).max(axis=1, initial=0) / area
    return covered
