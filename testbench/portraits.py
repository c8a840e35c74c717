"""From photographs of one person each to embeddings, the way of the program: found, aligned, embedded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from checkpoints.errors import DataError
from engines.align import CropSpec, align
from engines.detector import Detector
from engines.embedder import Embedder
from engines.faces import Faces
from testbench.picture import picture

BATCH = 32
MIDDLE = 0.5  # of a portrait's shorter side: as much as a face takes in Labeled Faces in the Wild


@dataclass(frozen=True, slots=True)
class Portraits:
    """vectors      (N, D) of unit length
    undetected   pictures in which no face was found: their middle was taken for one
    ms_per_face  of embedding alone, in batches of `BATCH`: the median batch
    """

    vectors: NDArray[np.float32]
    undetected: int
    ms_per_face: float


def embed(paths: Sequence[Path], detector: Detector, embedder: Embedder) -> Portraits:
    vectors = np.empty((len(paths), embedder.dim), np.float32)
    undetected, took_ms = 0, []
    with tqdm(total=len(paths), desc="portraits", unit="", disable=None, leave=False) as bar:
        for start in range(0, len(paths), BATCH):
            images_bgr = [picture(path) for path in paths[start : start + BATCH]]
            found = detector.detect(images_bgr)
            undetected += sum(not len(faces) for faces in found)
            crops = _crops(images_bgr, found, embedder.crop)
            start_s = time.perf_counter()
            vectors[start : start + len(crops)] = embedder.embed(crops)
            took_ms.append(1000 * (time.perf_counter() - start_s) / len(crops))
            bar.update(len(crops))
    if undetected == len(paths):
        raise DataError(
            "No face was found in any of the pictures.",
            saw=f"{len(paths)} pictures, the first of them {paths[0] if paths else 'missing'}",
            fix="Are these portraits? A smaller --min-face finds smaller faces.",
        )
    # The last batch is smaller than the others, so it says something else, unless there is no other.
    return Portraits(vectors, undetected, float(np.median(took_ms[:-1] or took_ms)))


def person(faces: Faces, picture_wh: tuple[int, int]) -> int:
    """Which face a portrait is of: the one whose centre lies nearest the picture's, in sides of that face.

    So a large face a little beside the middle is preferred to a small one, real or not, that happens to lie in it.
    """
    centres = (faces.boxes_xyxy[:, :2] + faces.boxes_xyxy[:, 2:]) / 2
    sides = np.sqrt(np.prod(faces.boxes_xyxy[:, 2:] - faces.boxes_xyxy[:, :2], axis=1))
    apart = np.linalg.norm(centres - np.array(picture_wh) / 2, axis=1)
    return int(np.argmin(apart / np.maximum(sides, 1)))


def middle_landmarks(picture_wh: tuple[int, int], crop: CropSpec) -> NDArray[np.float32]:
    """(5, 2) with which the crop shows the middle of the picture, `MIDDLE` of its shorter side high."""
    centre, middle = np.array(picture_wh) / 2, crop.size_px / 2
    shares = (np.array(crop.template) - middle) / crop.size_px / (crop.stretch, 1)
    return np.asarray(centre + shares * (MIDDLE * min(picture_wh)), np.float32)


def _crops(images_bgr: Sequence[NDArray[np.uint8]], found: Sequence[Faces], crop: CropSpec) -> NDArray[np.uint8]:
    crops = np.empty((len(images_bgr), crop.size_px, crop.size_px, 3), np.uint8)
    for row, (image_bgr, faces) in enumerate(zip(images_bgr, found, strict=True)):
        picture_wh = image_bgr.shape[1], image_bgr.shape[0]
        landmarks = faces.landmarks[person(faces, picture_wh)] if len(faces) else middle_landmarks(picture_wh, crop)
        align(image_bgr, landmarks[None], crop, out=crops[row : row + 1])
    return crops
