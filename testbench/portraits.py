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
from engines.quality import quality
from testbench.picture import picture

BATCH = 32
MIDDLE = 0.5  # of a portrait's shorter side: as much as a face takes in Labeled Faces in the Wild


@dataclass(frozen=True, slots=True)
class Portraits:
    """vectors      (N, D) of unit length
    qualities    (N,) 0…1; 0 where no face was found: the middle of the picture was taken for one
    found        (N,) whether a face was found
    ms_per_face  of embedding alone, in batches of `BATCH`: the median batch
    """

    vectors: NDArray[np.float32]
    qualities: NDArray[np.float32]
    found: NDArray[np.bool_]
    ms_per_face: float

    @property
    def undetected(self) -> int:
        return int(np.count_nonzero(~self.found))


def embed(paths: Sequence[Path], detector: Detector, embedder: Embedder) -> Portraits:
    vectors = np.empty((len(paths), embedder.dim), np.float32)
    qualities = np.zeros(len(paths), np.float32)
    found = np.zeros(len(paths), np.bool_)
    took_ms = []
    with tqdm(total=len(paths), desc="portraits", unit="", disable=None, leave=False) as bar:
        for start in range(0, len(paths), BATCH):
            images_bgr = [picture(path) for path in paths[start : start + BATCH]]
            here = slice(start, start + len(images_bgr))
            faces = detector.detect(images_bgr)
            found[here] = [len(of_one) > 0 for of_one in faces]
            crops, qualities[here] = _crops(images_bgr, faces, embedder.crop)
            start_s = time.perf_counter()
            vectors[here] = embedder.embed(crops)
            took_ms.append(1000 * (time.perf_counter() - start_s) / len(crops))
            bar.update(len(crops))
    if not found.any():
        raise DataError(
            "No face was found in any of the pictures.",
            saw=f"{len(paths)} pictures, the first of them {paths[0] if paths else 'missing'}",
            fix="Are these portraits? A smaller --min-face finds smaller faces.",
        )
    # The last batch is smaller than the others, so it says something else, unless there is no other.
    return Portraits(vectors, qualities, found, float(np.median(took_ms[:-1] or took_ms)))


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


def _crops(
    images_bgr: Sequence[NDArray[np.uint8]], found: Sequence[Faces], crop: CropSpec
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(B, S, S, 3), and what each is worth (B,)."""
    crops = np.empty((len(images_bgr), crop.size_px, crop.size_px, 3), np.uint8)
    worth = np.zeros(len(images_bgr), np.float32)
    for row, (image_bgr, faces) in enumerate(zip(images_bgr, found, strict=True)):
        one = slice(row, row + 1)
        picture_wh = image_bgr.shape[1], image_bgr.shape[0]
        if not len(faces):
            align(image_bgr, middle_landmarks(picture_wh, crop)[None], crop, out=crops[one])
            continue
        whose = person(faces, picture_wh)
        it = slice(whose, whose + 1)
        align(image_bgr, faces.landmarks[it], crop, out=crops[one])
        worth[one] = quality(crops[one], faces.boxes_xyxy[it], faces.landmarks[it], faces.scores[it])
    return crops, worth
