"""How calmly boxes are drawn, and how far behind: of what was detected and of what was drawn, against the truth.

Errors count in heights of the face. Jitter is how much the error changes from one frame to the next, as the root of the
mean square; lag is by how many of the face's own steps the drawn box is behind, beyond what the detected one is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """The faces of one frame: ids (K,) of people, and their boxes (K, 4) in truth, as detected and as drawn."""

    ids: NDArray[np.int64]
    truth_xyxy: Boxes
    detected_xyxy: Boxes
    drawn_xyxy: Boxes


@dataclass(frozen=True, slots=True)
class Steadiness:
    """jitter_ratio  of what is drawn to that of what is detected
    lag_frames    0 for faces that do not move
    error, error_detected  root mean square, in heights of the face
    """

    jitter_ratio: float
    lag_frames: float
    error: float
    error_detected: float


def steadiness(scenes: Iterable[Iterable[Drawn]]) -> Steadiness:
    """Only faces that were drawn in the frame before, too, are counted."""
    steps = [_steps(before, now) for scene in scenes for before, now in _in_pairs(scene)]
    moved, detected, detected_change, drawn, drawn_change = (
        np.concatenate(parts) for parts in zip(*steps, strict=True)
    )
    way = float(np.sum(moved * moved))
    behind = float(np.sum((detected - drawn) * moved))
    return Steadiness(
        jitter_ratio=_rms(drawn_change) / _rms(detected_change),
        lag_frames=behind / way if way > 0 else 0.0,
        error=_rms(drawn),
        error_detected=_rms(detected),
    )


def _in_pairs(scene: Iterable[Drawn]) -> Iterable[tuple[Drawn, Drawn]]:
    return pairwise(scene)


def _steps(before: Drawn, now: Drawn) -> tuple[Boxes, ...]:
    """(F, 4) each, of the faces of both frames: steps of the truth, errors now and their changes."""
    _, i, j = np.intersect1d(before.ids, now.ids, return_indices=True)
    heights = (now.truth_xyxy[j, 3] - now.truth_xyxy[j, 1])[:, None]
    detected, drawn = now.detected_xyxy[j] - now.truth_xyxy[j], now.drawn_xyxy[j] - now.truth_xyxy[j]
    detected_before = before.detected_xyxy[i] - before.truth_xyxy[i]
    drawn_before = before.drawn_xyxy[i] - before.truth_xyxy[i]
    moved = now.truth_xyxy[j] - before.truth_xyxy[i]
    all_px = (moved, detected, detected - detected_before, drawn, drawn - drawn_before)
    return tuple(values / heights for values in all_px)


def _rms(values: Boxes) -> float:
    return float(np.sqrt(np.mean(values * values)))
