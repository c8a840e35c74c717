"""MTCNN: three networks, each looking closer at what the one before took for a face."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from engines.crops import Cutter
from engines.engine import Engine
from engines.faces import Faces
from engines.halvings import Halvings
from engines.nms import nms
from engines.pictures import check
from engines.sights import Sights

# Squares that R-Net has put right lie close together: O-Net need not see each of them. (Before R-Net has put them right
# hardly any two of them are that close.)
_SAME_SQUARE = 0.8
_SAME_FACE = 0.7
LEAST_SCORES = (0.6, 0.7, 0.7)


class Cascade:
    """Finds faces in pictures of any size; one thread at a time."""

    def __init__(self, sights: Sights, rnet: Engine, onet: Engine, least_odds: tuple[float, float]) -> None:
        """Outputs of R-Net and O-Net in this order: log odds, corrections to the box, and O-Net's landmarks.

        `least_odds` are the log odds that a face must have after each of the two.
        """
        self._sights = sights
        self._rnet, self._onet = rnet, onet
        self._rnet_cutter, self._onet_cutter = Cutter(rnet.input_shape[1]), Cutter(onet.input_shape[1])
        self._rnet_least, self._onet_least = least_odds
        self._halvings: list[Halvings] = []

    def detect(self, images_bgr: Sequence[NDArray[np.uint8]]) -> list[Faces]:
        with self._shown(images_bgr) as pictures:
            candidates = [squares(corrected(*self._sights.propose(picture))) for picture in pictures]
            return self._conclude(pictures, *self._refine(pictures, *_owned(candidates)))

    def refine(self, images_bgr: Sequence[NDArray[np.uint8]], boxes_xyxy: Sequence[NDArray[np.float32]]) -> list[Faces]:
        """O-Net alone: the boxes of the picture before are as good as what R-Net would give it."""
        with self._shown(images_bgr) as pictures:
            return self._conclude(pictures, *_owned([squares(boxes) for boxes in boxes_xyxy]))

    def close(self) -> None:
        self._sights.close()
        self._rnet.close()
        self._onet.close()

    @contextmanager
    def _shown(self, images_bgr: Sequence[NDArray[np.uint8]]) -> Iterator[Sequence[Halvings]]:
        check(images_bgr)
        self._halvings += [Halvings() for _ in range(len(images_bgr) - len(self._halvings))]
        pictures = self._halvings[: len(images_bgr)]
        for picture, image_bgr in zip(pictures, images_bgr, strict=True):
            picture.show(image_bgr)
        try:
            yield pictures
        finally:
            for picture in pictures:
                picture.forget()

    def _refine(
        self, pictures: Sequence[Halvings], boxes: NDArray[np.float32], owners: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """Those squares that R-Net, too, takes for faces, put right by it."""
        odds, offsets = run_all(self._rnet, self._rnet_cutter.cut(pictures, boxes, owners))
        found = np.flatnonzero(odds[:, 0] > self._rnet_least)
        boxes, owners = squares(corrected(boxes[found], offsets[found])), owners[found]
        stay = nms(boxes, odds[found, 0], _SAME_SQUARE, groups=owners)
        return boxes[stay], owners[stay]

    def _conclude(
        self, pictures: Sequence[Halvings], boxes: NDArray[np.float32], owners: NDArray[np.intp]
    ) -> list[Faces]:
        """The faces of each picture by O-Net's word."""
        odds, offsets, points = run_all(self._onet, self._onet_cutter.cut(pictures, boxes, owners))
        found = np.flatnonzero(odds[:, 0] > self._onet_least)
        boxes, owners, odds = boxes[found], owners[found], odds[found, 0]
        points = points[found].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = boxes[:, None, :2] + points * (boxes[:, 2:] - boxes[:, :2])[:, None]
        boxes = corrected(boxes, offsets[found])
        stay = nms(boxes, odds, _SAME_FACE, "min", groups=owners)
        scores = 1 / (1 + np.exp(-odds))
        faces = []
        for owner, picture in enumerate(pictures):
            mine = stay[owners[stay] == owner]
            faces.append(Faces(picture.clipped(boxes[mine]), scores[mine], landmarks[mine]))
        return faces


def _owned(boxes_xyxy: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """The boxes of all pictures (N, 4), and which picture each belongs to (N,)."""
    owners = np.repeat(np.arange(len(boxes_xyxy)), [len(boxes) for boxes in boxes_xyxy])
    return np.concatenate([np.zeros((0, 4), np.float32), *boxes_xyxy]), owners


def log_odds(score: float) -> float:
    """What a network says in log odds when it means this score; 0 and 1 are as near as any network comes to them."""
    score = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(score / (1 - score))


def run_all(engine: Engine, pieces: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
    """Any number of pictures (N, S, S, 3) through an engine with a fixed batch.

    The last batch is filled up with what an earlier one left behind: no result depends on another picture.
    """
    batch = engine.input_shape[0]
    results = tuple(np.empty((len(pieces), *shape[1:]), np.float32) for shape in engine.output_shapes)
    for start in range(0, len(pieces), batch):
        chunk = pieces[start : start + batch]
        engine.input[: len(chunk)] = chunk
        for result, output in zip(results, engine.run(), strict=True):
            result[start : start + len(chunk)] = output[: len(chunk)]
    return results


def corrected(boxes_xyxy: NDArray[np.float32], offsets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each edge moved by its share of the box's width or height."""
    sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    moved: NDArray[np.float32] = boxes_xyxy + offsets * np.concatenate([sides, sides], axis=1)
    return moved


def squares(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Around the same centres, as wide and high as the longer side."""
    centres = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
    halves = np.max(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)
