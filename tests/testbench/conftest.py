"""Drawn portraits: a square in its person's colour on black, and a detector and an embedder that know no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.align import CropSpec
from engines.embedder import Embedder
from engines.faces import Faces

Picture = NDArray[np.uint8]
CROP = CropSpec(16, ((4, 5), (12, 5), (8, 8), (5, 12), (11, 12)))


class SquareFinder:
    """Every square brighter than black is a face; its landmarks lie so that the crop shows exactly the square."""

    closed = False

    def detect(self, images_bgr: Sequence[Picture]) -> list[Faces]:
        return [self._squares(image_bgr) for image_bgr in images_bgr]

    def refine(self, images_bgr: Sequence[Picture], boxes_xyxy: Sequence[NDArray[np.float32]]) -> list[Faces]:
        return self.detect(images_bgr)

    def close(self) -> None:
        self.closed = True

    def _squares(self, image_bgr: Picture) -> Faces:
        bright = (image_bgr.max(axis=2) > 60).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(bright)
        places = np.array([[x, y, x + w, y + h] for x, y, w, h, _ in stats[1:]], np.float32).reshape(-1, 4)
        sides = (places[:, 2:] - places[:, :2])[:, None]
        landmarks = places[:, None, :2] + np.array(CROP.template, np.float32) / CROP.size_px * sides
        scores = np.linspace(0.99, 0.9, len(places), dtype=np.float32)
        return Faces(places, scores, landmarks.astype(np.float32))


class ColourEngine:
    """The mean colour of a crop, from its middle value of 128."""

    output_names = ("colour",)

    def __init__(self, batch: int) -> None:
        self.input_shape = (batch, CROP.size_px, CROP.size_px, 3)
        self.output_shapes = ((batch, 3),)
        self.input: Picture = np.zeros(self.input_shape, np.uint8)

    def run(self, batch: Picture | None = None) -> tuple[NDArray[np.float32], ...]:
        if batch is not None:
            self.input[...] = batch
        return (self.input.mean(axis=(1, 2), dtype=np.float32) - 128,)

    def close(self) -> None: ...


@pytest.fixture
def detector() -> SquareFinder:
    return SquareFinder()


@pytest.fixture
def embedder() -> Embedder:
    return Embedder([ColourEngine(1), ColourEngine(4)], space="colour", crop=CROP, match_threshold=0.9)


@pytest.fixture
def portrait(tmp_path: Path) -> Callable[..., Path]:
    """Writes NAME/NAME_0001.jpg: a square of this colour, 40 px wide, in the middle or at `corner`, on 100×80 black."""

    def draw(
        name: str, number: int, colour_bgr: Sequence[int], corner: tuple[int, int] | None = (30, 20), side: int = 40
    ) -> Path:
        image_bgr = np.zeros((80, 100, 3), np.uint8)
        if corner is not None:
            x, y = corner
            image_bgr[y : y + side, x : x + side] = colour_bgr
        path = tmp_path / name / f"{name}_{number:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), image_bgr, [cv2.IMWRITE_JPEG_QUALITY, 100])
        return path

    return draw
