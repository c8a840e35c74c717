"""Scenes composed of pictures with one large face each: faces of all sizes, many at once, before other backgrounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from training.labels import Labelled
from training.scene import Scene, as_it_is
from training.tiles import TileRules, tile
from training.wear import coarse, worn

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
    """Faces that are cut off by the edge are there and are none: they are to be ignored; those outside are gone."""
    height, width = scene.image_bgr.shape[:2]
    clipped = np.clip(scene.boxes_xyxy, 0, np.array([width, height] * 2, np.float32))
    left = _area(clipped) / np.maximum(_area(scene.boxes_xyxy), 1e-6)
    stay = left > 0.05
    ignored = scene.ignored | (left < 0.8)
    return Scene(scene.image_bgr, scene.boxes_xyxy[stay], scene.landmarks[stay], ignored[stay])


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
    """The tiles on the base, wherever none lies yet; those for which no place is found are left out."""
    height, width = base.image_bgr.shape[:2]
    image = base.image_bgr.copy()
    taken: list[tuple[int, int, int, int]] = []
    laid: list[Scene] = []
    for one in tiles:
        high, wide = one.image_bgr.shape[:2]
        if high > height or wide > width:
            continue
        for _ in range(12):
            x, y = int(random.integers(0, width - wide + 1)), int(random.integers(0, height - high + 1))
            here = (x, y, x + wide, y + high)
            if not any(_touch(here, there) for there in taken):
                image[y : y + high, x : x + wide] = one.image_bgr
                taken.append(here)
                laid.append(_shifted(_inside(one), x, y))
                break
    return _with_faces(image, [_uncovered(base, taken), *laid])


def _touch(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _uncovered(base: Scene, taken: Sequence[tuple[int, int, int, int]]) -> Scene:
    """Faces of the base that a tile lies on are gone or cut: what is left of them is to be ignored."""
    covered = [any(_touch(tuple(box.astype(int)), there) for there in taken) for box in base.boxes_xyxy]
    ignored = base.ignored | np.array(covered, bool).reshape(base.ignored.shape)
    return Scene(base.image_bgr, base.boxes_xyxy, base.landmarks, ignored)
