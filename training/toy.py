"""A few small pictures to try the whole way on: the program's own portrait, and backgrounds that are drawn.

What is learnt from them is one face. They show that every step works, not how well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.portrait import LANDMARKS, portrait
from training import label_writer, whole_file
from training.labels import Labelled, Marks

PEOPLE, BACKGROUNDS = 24, 24
_FACE_XYXY = (181.0, 62.0, 269.0, 172.0)
_SIDE_PX = 250
_CORNER_XY = (100, 20)


def make(folder: Path) -> tuple[Path, Path]:
    """Two folders with labels: of people, and of backgrounds."""
    for name, pictures in (("people", _people()), ("backgrounds", _backgrounds())):
        images = folder / name / "images"
        labelled = []
        for number, (image_bgr, marks) in enumerate(pictures):
            path = images / str(number) / "picture.png"
            _, packed = cv2.imencode(".png", image_bgr)
            whole_file.write(path, packed.tobytes())
            labelled.append(Labelled.of(path, (image_bgr.shape[1], image_bgr.shape[0]), marks))
        label_writer.write(folder / name, images, labelled, "toy")
    return folder / "people", folder / "backgrounds"


def _people() -> Iterator[tuple[NDArray[np.uint8], Marks]]:
    x, y = _CORNER_XY
    face = portrait()[y : y + _SIDE_PX, x : x + _SIDE_PX]
    box = np.array([_FACE_XYXY], np.float32) - np.array([x, y, x, y], np.float32)
    points = (LANDMARKS - np.array([x, y], np.float32))[None]
    for number in range(PEOPLE):
        random = np.random.default_rng([1, number])
        tint = face * random.uniform(0.7, 1.2, 3) + random.uniform(-20, 20)
        yield np.clip(tint, 0, 255).astype(np.uint8), Marks(box, points, np.zeros(1, bool))


def _backgrounds() -> Iterator[tuple[NDArray[np.uint8], Marks]]:
    nobody = Marks(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, bool))
    for number in range(BACKGROUNDS):
        random = np.random.default_rng([2, number])
        coarse = random.integers(0, 256, (*random.integers(3, 20, 2), 3), np.uint8)
        image = cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC)
        for _ in range(int(random.integers(0, 30))):
            middle, radius = random.integers(0, 320, 2).tolist(), int(random.integers(3, 60))
            cv2.circle(image, middle, radius, random.integers(0, 256, 3).tolist(), int(random.choice([-1, 2, 5])))
        yield np.asarray(image, np.uint8), nobody
