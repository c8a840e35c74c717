"""Photographs of painted rectangles, a detector that finds them and an embedder that knows them by their colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engines.align import CropSpec
from engines.faces import Faces

SIDE = 112
TEMPLATE = ((38.0, 52.0), (74.0, 52.0), (56.0, 72.0), (42.0, 92.0), (71.0, 92.0))


class PaintedDetector:
    """Finds each rectangle that is pure red, green or blue on a grey picture."""

    def detect(self, images_bgr: Sequence[NDArray[np.uint8]]) -> list[Faces]:
        return [self._detect(image) for image in images_bgr]

    def close(self) -> None: ...

    def _detect(self, image: NDArray[np.uint8]) -> Faces:
        boxes = []
        for channel in range(3):
            mask = (image[..., channel] > 200) & (np.delete(image, channel, axis=2).max(axis=2) < 60)
            if mask.any():
                y, x = np.nonzero(mask)
                boxes.append([x.min(), y.min(), x.max() + 1, y.max() + 1])
        boxes_xyxy = np.array(boxes, np.float32).reshape(-1, 4)
        size = boxes_xyxy[:, None, 2:] - boxes_xyxy[:, None, :2]
        landmarks = boxes_xyxy[:, None, :2] + np.array(TEMPLATE, np.float32) / SIDE * size
        return Faces(boxes_xyxy, np.ones(len(boxes), np.float32), landmarks.astype(np.float32))


class ColourEmbedder:
    crop = CropSpec(SIDE, TEMPLATE)

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        colours = crops_bgr[:, 20:90, 20:90].mean(axis=(1, 2))
        return (colours / np.linalg.norm(colours, axis=1, keepdims=True)).astype(np.float32)
