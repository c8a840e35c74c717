"""From landmarks to the upright crop that an embedder was trained on; enrolment and live video share this one way."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.halvings import Halvings

# Below this spread (root of the summed squared distances from their centre) five landmarks say nothing about scale.
MIN_SPREAD_PX = 1.0


@dataclass(frozen=True, slots=True)
class CropSpec:
    """size_px   side of the square crop
    template  where the five landmarks belong in the crop, (x, y) in pixels, in the order of `Faces.landmarks`
    stretch   how much wider than in life a face is drawn
    """

    size_px: int
    template: tuple[tuple[float, float], ...]
    stretch: float = 1.0

    def __post_init__(self) -> None:
        if self.size_px < 1 or len(self.template) != 5 or not 0.1 <= self.stretch <= 10:
            text = f"a crop of {self.size_px} px with {len(self.template)} landmarks, stretched by {self.stretch}"
            raise ValueError(text)


def similarities(landmarks: NDArray[np.float32], spec: CropSpec) -> NDArray[np.float64]:
    """(N, 2, 3) matrices from picture to crop: the least-squares turn, scale and shift of each face, then the stretch.

    A point is taken as a complex number, so turn and scale are one factor and the fit is a quotient of two sums.
    Landmarks that coincide get the shift alone; landmarks that are not numbers get a matrix that shows nothing.
    """
    valid: NDArray[np.bool_] = np.asarray(np.isfinite(landmarks).all(axis=(1, 2)))
    known = np.where(valid[:, None, None], landmarks, 0).astype(np.float64)
    points = known[..., 0] + 1j * known[..., 1]  # (N, 5)
    target = np.array([complex(x / spec.stretch, y) for x, y in spec.template])
    centre = points.mean(axis=1)
    spread = points - centre[:, None]
    power = (spread.real**2 + spread.imag**2).sum(axis=1)
    fits = power >= MIN_SPREAD_PX**2
    factor = (spread.conj() * (target - target.mean())).sum(axis=1) / np.where(fits, power, 1)
    factor = np.where(fits, factor, 1)
    shift = np.where(valid, target.mean() - factor * centre, 1e6)
    rows = np.stack([factor.real, -factor.imag, shift.real, factor.imag, factor.real, shift.imag], axis=1)
    drawn: NDArray[np.float64] = rows.reshape(-1, 2, 3) * np.array([[spec.stretch], [1.0]])
    return drawn


def align(
    image_bgr: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    spec: CropSpec,
    out: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Crops (N, S, S, 3) of the faces whose landmarks (N, 5, 2) are given; black where the picture ends.

    `out` takes the crops when it is given; it must have exactly that shape.
    """
    side = spec.size_px
    shape = (len(landmarks), side, side, 3)
    if out is None:
        out = np.empty(shape, np.uint8)
    elif out.shape != shape:
        raise ValueError(f"out has shape {out.shape}, {shape} is needed")
    picture = Halvings()
    picture.show(image_bgr)
    for crop, matrix in zip(out, similarities(landmarks, spec), strict=True):
        times = _halvings(matrix, picture.most)
        turn = matrix[:, :2] * 2**times
        shift = matrix[:, 2:] + matrix[:, :2].sum(axis=1, keepdims=True) * (2**times - 1) / 2
        cv2.warpAffine(picture[times], np.hstack([turn, shift]), (side, side), dst=crop, flags=cv2.INTER_LINEAR)
    return out


def _halvings(matrix: NDArray[np.float64], most: int) -> int:
    """How often to halve the picture until less than two of its pixels fall on one of the crop: so none is skipped."""
    pixels = 1 / max(math.hypot(*matrix[0, :2]), math.hypot(*matrix[1, :2]), 1e-9)
    return min(most, max(0, int(math.log2(pixels))))
