"""A constant-velocity Kalman filter for boxes, many tracks at once.

The box is (cx, cy, aspect, height). No noise joins one of these four to another, so the usual 8×8 covariance is four
2×2 blocks, and the filter is a few element-wise lines instead of matrix inversions; the numbers are the same.

`motions` (K, 5, 4) holds K tracks; its rows are named below, its columns are cx, cy, aspect, height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

POSITION, VELOCITY, VARIANCE, COVARIANCE, VELOCITY_VARIANCE = range(5)
HEIGHT = 3  # column
SMALLEST_PX = 1.0


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviations; lengths in heights of the face, times in frames.

    Fitted by likelihood to 18 heads that MTCNN found in six clips at 25 to 30 fps, then rounded. A box of MTCNN
    wanders more than it trembles, so `drift` is the larger part and the filter stays close to what it sees; what is
    drawn is calmed in smooth.py.
    """

    measured: float = 0.01  # how far a detected centre, and height, lies from the true one
    measured_aspect: float = 0.0175
    drift: float = 0.025  # what a position moves beside its velocity
    drift_aspect: float = 0.01
    push: float = 0.014  # how much the velocity changes: heads stop, turn and nod
    push_size: float = 0.0002
    first_speed: float = 0.15  # of a face seen once: more than was fitted, since a walker is found again only so
    first_size_speed: float = 0.005


NOISE = Noise()


def measurements(boxes_xyxy: Floats) -> Floats:
    """(N, 4) boxes as the filter wants them: cx, cy, aspect, height; none may be empty."""
    low, high = boxes_xyxy[:, :2], boxes_xyxy[:, 2:]
    measured = np.empty_like(boxes_xyxy)
    measured[:, :2] = (low + high) / 2
    measured[:, 2:] = high - low
    measured[:, 2] /= measured[:, HEIGHT]
    return measured


def boxes_xyxy(motions: Floats) -> Floats:
    """(K, 4) where the faces are."""
    centres, aspect, height = motions[:, POSITION, :2], motions[:, POSITION, 2], motions[:, POSITION, HEIGHT]
    half = np.column_stack([aspect * height, height]) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def start(measured: Floats, noise: Noise = NOISE) -> Floats:
    """Motions of faces seen for the first time; measured (K, 4)."""
    motions = np.zeros((len(measured), 5, 4))
    motions[:, POSITION] = measured
    motions[:, VARIANCE] = _spread(measured, noise.measured, noise.measured_aspect, noise.measured)
    motions[:, VELOCITY_VARIANCE] = _spread(measured, noise.first_speed, 1e-5, noise.first_size_speed)
    return motions


def predict(motions: Floats, frames: int, noise: Noise = NOISE) -> Floats:
    """The motions so many frames later, in one step: what `frames` single steps of this height's noise give."""
    position, velocity, variance, covariance, velocity_variance = motions.transpose(1, 0, 2)
    drift = _spread(position, noise.drift, noise.drift_aspect, noise.drift)
    push = _spread(position, noise.push, 1e-5, noise.push_size)
    n = frames
    pairs, squares = n * (n - 1) / 2, (n - 1) * n * (2 * n - 1) / 6
    later = np.empty_like(motions)
    later[:, POSITION] = position + n * velocity
    later[:, POSITION, HEIGHT] = np.maximum(later[:, POSITION, HEIGHT], SMALLEST_PX)
    later[:, VELOCITY] = velocity
    later[:, VARIANCE] = variance + 2 * n * covariance + n * n * velocity_variance + n * drift + squares * push
    later[:, COVARIANCE] = covariance + n * velocity_variance + pairs * push
    later[:, VELOCITY_VARIANCE] = velocity_variance + n * push
    return later


def correct(motions: Floats, measured: Floats, noise: Noise = NOISE) -> Floats:
    """The motions after seeing `measured` (K, 4)."""
    position, velocity, variance, covariance, velocity_variance = motions.transpose(1, 0, 2)
    total = variance + _spread(position, noise.measured, noise.measured_aspect, noise.measured)
    gain, velocity_gain = variance / total, covariance / total
    surprise = measured - position
    seen = np.empty_like(motions)
    seen[:, POSITION] = position + gain * surprise
    seen[:, POSITION, HEIGHT] = np.maximum(seen[:, POSITION, HEIGHT], SMALLEST_PX)
    seen[:, VELOCITY] = velocity + velocity_gain * surprise
    seen[:, VARIANCE] = (1 - gain) * variance
    seen[:, COVARIANCE] = (1 - gain) * covariance
    seen[:, VELOCITY_VARIANCE] = velocity_variance - velocity_gain * covariance
    return seen


def _spread(position: Floats, centre: float, aspect: float, height: float) -> Floats:
    """(K, 4) variances, in pixels where the value is."""
    variances: Floats = np.array((centre, centre, aspect, height)) ** 2 * _squares(position)
    return variances


def _squares(position: Floats) -> Floats:
    """(K, 4) of what the standard deviations count in: heights of the face, but for the aspect."""
    squares = np.empty_like(position)
    squares[:] = position[:, HEIGHT, None] ** 2
    squares[:, 2] = 1
    return squares
