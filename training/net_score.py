"""One network by itself, on pieces of pictures that it has not learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError
from engines.cascade import run_all
from engines.engine import Engine
from training.samples import NEGATIVE, PART, POSITIVE, Pieces

_CHUNK = 4096  # pieces: samples are mapped into memory and may be larger than it


@dataclass(frozen=True, slots=True)
class NetScore:
    """loss            mean cross entropy of face or no face, in nats
    accuracy        share of the positives and negatives that are told rightly at log odds 0
    balanced        mean of that share among the positives and of that among the negatives
    box_error       mean distance of an edge from the face's, in sides of the piece, for positives and parts
    landmark_error  mean distance of a point from the face's, in sides of the piece; None: the network names none
    """

    loss: float
    accuracy: float
    balanced: float
    box_error: float
    landmark_error: float | None


@dataclass(frozen=True, slots=True)
class Answers:
    """What a network says of N pieces: odds (N,), offsets (N, 4), landmarks (N, 10) or None."""

    odds: NDArray[np.float32]
    offsets: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None


def ask(engine: Engine, pictures: NDArray[np.uint8]) -> Answers:
    """`pictures` (N, S, S, 3) may be mapped; the engine's outputs are log odds, boxes, and perhaps landmarks."""
    said = [run_all(engine, np.asarray(pictures[at : at + _CHUNK])) for at in range(0, len(pictures), _CHUNK)]
    odds, offsets, *landmarks = (np.concatenate(parts) for parts in zip(*said, strict=True))
    points = landmarks[0].reshape(-1, 10) if landmarks else None
    return Answers(odds.reshape(-1), offsets.reshape(-1, 4), points)


def score(answers: Answers, pieces: Pieces) -> NetScore:
    kinds = np.asarray(pieces.kinds)
    faces, others = kinds == POSITIVE, kinds == NEGATIVE
    if not faces.any() or not others.any():
        raise DataError(
            "A network is measured on pieces with faces and on pieces without.",
            saw=f"{np.count_nonzero(faces)} with, {np.count_nonzero(others)} without",
        )
    odds = answers.odds.astype(np.float64)
    surprise = np.logaddexp(0, np.where(faces, -odds, odds))[faces | others]
    found, left = odds[faces] > 0, odds[others] <= 0
    framed = faces | (kinds == PART)
    return NetScore(
        loss=float(np.mean(surprise)),
        accuracy=float(np.mean(np.concatenate([found, left]))),
        balanced=float(np.mean(found) + np.mean(left)) / 2,
        box_error=float(np.mean(np.abs(answers.offsets[framed] - np.asarray(pieces.offsets)[framed]))),
        landmark_error=_landmark_error(answers.landmarks, np.asarray(pieces.landmarks)),
    )


def retention(mine: NetScore, against: NetScore) -> float:
    """Per cent of the other one's accuracy."""
    return 100 * mine.accuracy / against.accuracy


def _landmark_error(said: NDArray[np.float32] | None, truth: NDArray[np.float32]) -> float | None:
    known = np.isfinite(truth).all(axis=1)
    if said is None or not known.any():
        return None
    apart = (said[known] - truth[known]).reshape(-1, 2, 5)
    return float(np.mean(np.hypot(apart[:, 0], apart[:, 1])))
