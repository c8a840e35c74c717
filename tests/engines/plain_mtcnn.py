"""MTCNN written down plainly, one candidate after the other, to compare the real one with."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class PlainMtcnn:
    """Separate pyramid levels, area averages, softmax, greedy suppression: nothing is packed, batched or halved."""

    def __init__(self, files: dict[str, Path], min_face_px: int, factor: float, thresholds: tuple[float, ...]) -> None:
        core = ov.Core()
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        self._nets = {part: core.compile_model(core.read_model(file), "CPU", settings) for part, file in files.items()}
        self._min_face_px, self._factor, self._thresholds = min_face_px, factor, thresholds

    def detect(self, image_bgr: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        """Boxes, scores and landmarks, best first."""
        candidates = []
        scale = 12 / self._min_face_px
        while min(image_bgr.shape[:2]) * scale >= 12:
            candidates += _suppress(self._look(image_bgr, scale), 0.5)
            scale *= self._factor
        seen = []
        for box, _ in candidates:
            score, offsets, _ = self._closer("rnet", 24, image_bgr, box)
            if score > self._thresholds[1]:
                seen.append((_square(_moved(box, offsets)), (score,)))
        found = []
        for box, _ in _suppress(seen, 0.8):
            score, offsets, points = self._closer("onet", 48, image_bgr, box)
            if score > self._thresholds[2]:
                place = box[:2] + points.reshape(2, 5).T * (box[2:] - box[:2])
                found.append((_moved(box, offsets), (score, place)))
        faces = _suppress(found, 0.7, of_smaller=True)
        height, width = image_bgr.shape[:2]
        boxes = np.array([np.clip(box, 0, (width, height) * 2) for box, _ in faces]).reshape(-1, 4)
        return boxes, np.array([f[1][0] for f in faces]), np.array([f[1][1] for f in faces]).reshape(-1, 5, 2)

    def level(
        self, image_bgr: NDArray[np.uint8], size_wh: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], tuple[float, float]]:
        """The picture in this size, and how many pixels of the picture are one of it."""
        height, width = image_bgr.shape[:2]
        level = np.asarray(cv2.resize(image_bgr, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
        return level, (width / size_wh[0], height / size_wh[1])

    def piece(self, image_bgr: NDArray[np.uint8], box: Floats, side: int) -> NDArray[np.uint8]:
        """What the box shows, to whole pixels."""
        left, top = math.floor(box[0]), math.floor(box[1])
        length = max(1, math.ceil(box[2] - box[0]))
        piece = np.zeros((length, length, 3), np.uint8)
        height, width = image_bgr.shape[:2]
        x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + length, width), min(top + length, height)
        if x2 > x1 and y2 > y1:
            piece[y1 - top : y2 - top, x1 - left : x2 - left] = image_bgr[y1:y2, x1:x2]
        return np.asarray(cv2.resize(piece, (side, side), interpolation=cv2.INTER_AREA), np.uint8)

    def _look(self, image_bgr: NDArray[np.uint8], scale: float) -> list[tuple[Floats, tuple[object, ...]]]:
        height, width = image_bgr.shape[:2]
        size = tuple(max(12, 2 * round(length * scale / 2)) for length in (width, height))
        level, scale_xy = self.level(image_bgr, size)
        offsets, scores = self._run("pnet", level)
        found = []
        for row, column in zip(*np.nonzero(scores[..., 1] > self._thresholds[0]), strict=True):
            corner = np.array([2 * column + 0.5, 2 * row + 0.5, 2 * column + 11.5, 2 * row + 11.5])
            window = corner * np.array(scale_xy * 2)
            box = _square(_moved(window, offsets[row, column]))
            found.append((box, (float(scores[row, column, 1]), window)))
        return found

    def _closer(self, part: str, side: int, image_bgr: NDArray[np.uint8], box: Floats) -> tuple[float, Floats, Floats]:
        outputs = self._run(part, self.piece(image_bgr, box, side))
        points = outputs[1] if part == "onet" else np.zeros(10)
        return float(outputs[-1][1]), outputs[0].astype(float), points.astype(float)

    def _run(self, part: str, picture: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Sorted: corrections, landmarks if there are any, scores."""
        outputs = self._nets[part]((picture[None, ..., ::-1].astype(np.float32) - 127.5) / 128)
        order = {4: 0, 10: 1, 2: 2}
        return sorted((values[0] for values in outputs.values()), key=lambda values: order[values.shape[-1]])


def _suppress(
    found: list[tuple[Floats, tuple[object, ...]]], threshold: float, of_smaller: bool = False
) -> list[tuple[Floats, tuple[object, ...]]]:
    """Where a window is given beside the score, windows are compared, not the boxes."""
    kept: list[tuple[Floats, tuple[object, ...]]] = []
    for box, rest in sorted(found, key=lambda f: -f[1][0]):
        window = rest[1] if len(rest) > 1 and np.shape(rest[1]) == (4,) else box
        for other, other_rest in kept:
            other_window = other_rest[1] if len(other_rest) > 1 and np.shape(other_rest[1]) == (4,) else other
            if _overlap(window, other_window, of_smaller) > threshold:
                break
        else:
            kept.append((box, rest))
    return kept


def _overlap(one: Floats, other: Floats, of_smaller: bool) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / (min(areas) if of_smaller else sum(areas) - common)


def _moved(box: Floats, offsets: Floats) -> Floats:
    width, height = box[2] - box[0], box[3] - box[1]
    return box + np.asarray(offsets, float) * np.array([width, height, width, height])


def _square(box: Floats) -> Floats:
    x, y, half = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, max(box[2] - box[0], box[3] - box[1]) / 2
    return np.array([x - half, y - half, x + half, y + half])
