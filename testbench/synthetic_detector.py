"""What a detector and an embedder make of a synthetic scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbench.synthetic_scene import ASPECT, NOBODY, Scene

DIM = 64  # with it strangers' cosines spread by 0.11, as those of SFace do
# Cosines of SFace between looks at one face of real clips, by the frames between them: 1: 0.94, 5: 0.87, 15: 0.79,
# 40: 0.70, 80: 0.60, some people's lower and some people's higher; of two people at once: 0.10 on average.
_COMMON, _FADING, _GRAIN = 0.10, 1 - 1 / 30, 0.05
_LASTING = 0.48, 0.76  # how much of a look is the same at any time
# Of the box: where eyes, nose and the corners of the mouth are.
_LANDMARKS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.34, 0.78], [0.66, 0.78]])


@dataclass(frozen=True, slots=True)
class Seen:
    """N detections, best first.

    boxes_xyxy  (N, 4) float32 pixels
    scores      (N,) float32
    landmarks   (N, 5, 2) float32 pixels
    quality     (N,) float32, 0…1
    embeddings  (N, DIM) float32 of unit length: what an embedder would give if it was asked
    places      (N,) of the scene, `NOBODY` for a false box
    """

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    quality: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    places: NDArray[np.int64]


class SyntheticDetector:
    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self._scene, self._rng = scene, rng
        self._blind = np.zeros(scene.faces, np.bool_)
        self._wander = np.zeros((scene.faces, 4))
        self._ghosts = np.zeros((0, 4))
        self._embedder = _Embedder(scene)

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
        self._embedder.step()

    def look(
        self,
        boxes_xyxy: NDArray[np.float64],
        seen: NDArray[np.int64],
        hidden: NDArray[np.float64],
        people: NDArray[np.int64],
    ) -> Seen:
        """boxes (M, 4), hidden (M,) and people (M,) of each place of the scene; seen: the places that show a face."""
        rng = self._rng
        places = seen[~self._blind[seen]]
        heights = (boxes_xyxy[places, 3] - boxes_xyxy[places, 1])[:, None]
        unsure = rng.random(len(places)) < 0.1
        scores = 1 - np.where(unsure, rng.uniform(0.02, 0.3, len(places)), 0.02 * rng.random(len(places)) ** 3)
        half_hidden = hidden[places] > 0.15
        scores = np.where(half_hidden, rng.uniform(0.55, 0.95, len(places)), scores)
        boxes = boxes_xyxy[places] + self._wander[places] * heights * np.where(half_hidden, 2.0, 1.0)[:, None]
        boxes = np.concatenate([boxes, self._ghosts])
        scores = np.concatenate([scores, rng.uniform(0.7, 0.97, len(self._ghosts))])
        places = np.concatenate([places, np.full(len(self._ghosts), NOBODY)])
        best_first = np.argsort(-scores, kind="stable")
        boxes, scores, places = boxes[best_first], scores[best_first], places[best_first]
        hidden_half = np.where(places == NOBODY, True, hidden[places] > 0.15)
        landmarks, quality, embeddings = self._embedder.look(boxes, places, hidden_half, scores, people)
        return Seen(
            boxes.astype(np.float32), scores.astype(np.float32), landmarks, quality, embeddings, places.astype(np.int64)
        )


class _Embedder:
    """A person has a direction; pose and light turn a look away from it for a while, a poor picture turns it anywhere.

    It has dice of its own, so that scenes do not depend on what is asked of it.
    """

    def __init__(self, scene: Scene) -> None:
        self._rng = np.random.default_rng((scene.seed, 1))
        self._common = self._directions(1)[0]
        self._people: dict[int, tuple[NDArray[np.float64], float]] = {}
        self._mood = self._directions(scene.faces)

    def step(self) -> None:
        fresh = self._directions(len(self._mood))
        self._mood = _FADING * self._mood + np.sqrt(1 - _FADING**2) * fresh

    def look(
        self,
        boxes_xyxy: NDArray[np.float64],
        places: NDArray[np.int64],
        is_poor: NDArray[np.bool_],
        scores: NDArray[np.float64],
        people: NDArray[np.int64],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Landmarks (N, 5, 2), qualities (N,) and embeddings (N, DIM)."""
        rng, count = self._rng, len(places)
        sizes = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
        landmarks = boxes_xyxy[:, None, :2] + _LANDMARKS * sizes[:, None]
        landmarks += rng.normal(0, 0.01, landmarks.shape) * sizes[:, None, 1:]
        big = np.cbrt(np.clip((np.sqrt(np.prod(sizes, axis=1)) - 16) / 48, 0, 1))
        quality = big * scores * rng.uniform(0.7, 1.0, count) * np.where(is_poor, 0.4, 1.0)
        grain = _GRAIN + 0.6 * (1 - quality) ** 2 * rng.random(count)
        looks = np.stack([self._look(int(place), people) for place in places]) if count else np.zeros((0, DIM))
        looks = np.sqrt(1 - grain)[:, None] * looks + np.sqrt(grain)[:, None] * self._directions(count)
        looks /= np.linalg.norm(looks, axis=1, keepdims=True)
        return landmarks.astype(np.float32), quality.astype(np.float32), looks.astype(np.float32)

    def _look(self, place: int, people: NDArray[np.int64]) -> NDArray[np.float64]:
        if place == NOBODY:
            return np.asarray(self._directions(1)[0])
        own, lasting = self._person(int(people[place]))
        look: NDArray[np.float64] = np.sqrt(lasting) * own + np.sqrt(1 - lasting) * self._mood[place]
        return look

    def _person(self, person: int) -> tuple[NDArray[np.float64], float]:
        if person not in self._people:
            lasting = float(self._rng.uniform(*_LASTING))
            shared = _COMMON / lasting
            own = np.sqrt(shared) * self._common + np.sqrt(1 - shared) * self._directions(1)[0]
            self._people[person] = own, lasting
        return self._people[person]

    def _directions(self, count: int) -> NDArray[np.float64]:
        """(count, DIM) vectors of about unit length."""
        return np.asarray(self._rng.normal(0, DIM**-0.5, (count, DIM)))
