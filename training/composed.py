"""Scenes composed of pictures with one large face each: faces of all sizes, many at once, before other backgrounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from training.labels import Labelled
from training.overlap import inside
from training.scene import Scene, as_it_is
from training.tiles import TileRules, tile
from training.wear import coarse, worn

_SEEN, _GONE = 0.6, 0.95  # share of a face that must be seen to be learnt; that must be hidden to be forgotten
_TRIES = 12
_NO_FACES = (np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, bool))


@dataclass(frozen=True, slots=True)
class SceneRules:
    """size_wh   of a scene
    tiles     most pictures in one
    empty     share of the scenes without a face
    worn      whether they are made to look like pictures of bad cameras
    """

    size_wh: tuple[int, int] = (640, 480)
    tiles: int = 12
    empty: float = 0.25
    worn: bool = True
    tile: TileRules = field(default_factory=TileRules)


class Composed:
    """Scene number N depends on N and the seed alone."""

    def __init__(
        self, people: Sequence[Labelled], backgrounds: Sequence[Labelled], rules: SceneRules, seed: int
    ) -> None:
        self._people = people
        self._backgrounds = backgrounds
        self._rules, self._seed = rules, seed

    def scene(self, number: int) -> Scene:
        random = np.random.default_rng([self._seed, number])
        base = self._base(random)
        tiles = [] if random.random() < self._rules.empty else self._tiles(random)
        scene = _laid(base, tiles, random)
        if not self._rules.worn:
            return scene
        return Scene(worn(scene.image_bgr, random), scene.boxes_xyxy, scene.landmarks, scene.ignored)

    def _base(self, random: np.random.Generator) -> Scene:
        """A background that fills the scene, or several small ones side by side: as much to be mistaken for a face."""
        width, height = self._rules.size_wh
        image = np.zeros((height, width, 3), np.uint8)
        faces: list[Scene] = []
        across, down = ((1, 1), (1, 1), (2, 2), (3, 2))[int(random.integers(4))]
        for row in range(down):
            for column in range(across):
                x, y = column * width // across, row * height // down
                wh = (column + 1) * width // across - x, (row + 1) * height // down - y
                part = _filling(as_it_is(_one_of(self._backgrounds, random)), wh, random)
                image[y : y + wh[1], x : x + wh[0]] = part.image_bgr
                faces.append(_shifted(part, x, y))
        return _with_faces(image, faces)

    def _tiles(self, random: np.random.Generator) -> list[Scene]:
        made = []
        for _ in range(int(random.integers(1, self._rules.tiles + 1))):
            picture = as_it_is(_one_of(self._people, random))
            one = tile(picture, self._rules.tile, random, self._rules.size_wh)
            if one is not None and min(one.image_bgr.shape[:2]) >= 8:
                if self._rules.worn and random.random() < 0.25:
                    one = Scene(coarse(one.image_bgr, random), one.boxes_xyxy, one.landmarks, one.ignored)
                made.append(one)
        return sorted(made, key=lambda each: -each.image_bgr.size)


def _one_of(pictures: Sequence[Labelled], random: np.random.Generator) -> Labelled:
    return pictures[int(random.integers(len(pictures)))]


def _filling(scene: Scene, wh: tuple[int, int], random: np.random.Generator) -> Scene:
    """A piece of the picture that has the proportions of `wh`, at that size; mirrored or not."""
    height, width = scene.image_bgr.shape[:2]
    scale = max(wh[0] / width, wh[1] / height) * random.uniform(1, 1.6)
    shown = min(width, round(wh[0] / scale)), min(height, round(wh[1] / scale))
    x, y = (int(random.integers(0, whole - part + 1)) for whole, part in zip((width, height), shown, strict=True))
    piece = scene.image_bgr[y : y + shown[1], x : x + shown[0]]
    smaller = wh[0] < shown[0]
    image = cv2.resize(piece, wh, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    sx, sy = wh[0] / shown[0], wh[1] / shown[1]
    boxes = (scene.boxes_xyxy - np.array([x, y, x, y])) * np.array([sx, sy, sx, sy])
    landmarks = (scene.landmarks - np.array([x, y])) * np.array([sx, sy])
    return _inside(
        Scene(np.asarray(image, np.uint8), boxes.astype(np.float32), landmarks.astype(np.float32), scene.ignored)
    )


def _inside(scene: Scene) -> Scene:
    """Of a face that is cut off by the edge what is left of it counts, or, where that is little, is to be ignored."""
    height, width = scene.image_bgr.shape[:2]
    clipped = np.clip(scene.boxes_xyxy, 0, np.array([width, height] * 2, np.float32))
    left = _area(clipped) / np.maximum(_area(scene.boxes_xyxy), 1e-6)
    stay = left > 0.05
    ignored = scene.ignored | (left < _SEEN)
    return Scene(scene.image_bgr, clipped[stay], scene.landmarks[stay], ignored[stay])


def _area(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    sides: NDArray[np.float32] = np.maximum(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0)
    area: NDArray[np.float32] = sides[:, 0] * sides[:, 1]
    return area


def _shifted(scene: Scene, x: int, y: int) -> Scene:
    boxes = scene.boxes_xyxy + np.array([x, y, x, y], np.float32)
    return Scene(scene.image_bgr, boxes, scene.landmarks + np.array([x, y], np.float32), scene.ignored)


def _with_faces(image_bgr: NDArray[np.uint8], parts: Sequence[Scene]) -> Scene:
    boxes, landmarks, ignored = (
        np.concatenate([none, *(getattr(part, name) for part in parts)])
        for none, name in zip(_NO_FACES, ("boxes_xyxy", "landmarks", "ignored"), strict=True)
    )
    return Scene(image_bgr, boxes, landmarks, ignored)


def _laid(base: Scene, tiles: Sequence[Scene], random: np.random.Generator) -> Scene:
    """The tiles on the base, partly over each other and over the edge, as heads in a crowd.

    A tile for which no place is found where it leaves enough of the faces below it is left out.
    """
    scene = base
    for one in tiles:
        height, width = scene.image_bgr.shape[:2]
        high, wide = one.image_bgr.shape[:2]
        for _ in range(_TRIES):
            x = int(random.integers(-wide // 4, max(1 - wide // 4, width - 3 * wide // 4)))
            y = int(random.integers(-high // 4, max(1 - high // 4, height - 3 * high // 4)))
            hidden = _hidden(scene.boxes_xyxy, (x, y, x + wide, y + high))
            if not np.any((hidden > 1 - _SEEN) & (hidden < _GONE) & ~scene.ignored):
                scene = _covered(scene, hidden, _shifted(one, x, y), (x, y))
                break
    return scene


def _covered(scene: Scene, hidden: NDArray[np.float32], tile: Scene, corner_xy: tuple[int, int]) -> Scene:
    height, width = scene.image_bgr.shape[:2]
    (x, y), (high, wide) = corner_xy, tile.image_bgr.shape[:2]
    image = scene.image_bgr.copy()
    top, left, bottom, right = max(0, y), max(0, x), min(height, y + high), min(width, x + wide)
    image[top:bottom, left:right] = tile.image_bgr[top - y : bottom - y, left - x : right - x]
    ignored = scene.ignored | (hidden > 1 - _SEEN)
    stay = hidden < _GONE
    below = Scene(image, scene.boxes_xyxy[stay], scene.landmarks[stay], ignored[stay])
    above = _inside(Scene(image, tile.boxes_xyxy, tile.landmarks, tile.ignored))
    return _with_faces(image, [below, above])


def _hidden(boxes_xyxy: NDArray[np.float32], by: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """(N,) share of each box."""
    return inside(boxes_xyxy, np.array([by], np.float32))[:, 0]
