"""Do two pictures show one person? As Labeled Faces in the Wild asks it: cross-validated over the folds of its list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError
from engines.detector import Detector
from engines.embedder import Embedder
from testbench.lfw import Pairs
from testbench.portraits import embed

FALSE_ACCEPTS = {"1e-2": 0.01, "1e-3": 0.001}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """accuracy    mean over the folds, each judged with the threshold that is best for all the others
    tar_at_far  share of the pairs of one person accepted while this share of the pairs of two is, too
    threshold   mean of those that the folds were judged with
    """

    accuracy: float
    tar_at_far: Mapping[str, float]
    threshold: float
    ms_per_face: float
    undetected: int
    pairs: int
    pictures: int


def measure(detector: Detector, embedder: Embedder, pairs: Pairs) -> VerificationReport:
    paths = sorted({path for pair in pairs.paths for path in pair})
    portraits = embed(paths, detector, embedder)
    row = {path: index for index, path in enumerate(paths)}
    one, other = (portraits.vectors[[row[pair[side]] for pair in pairs.paths]] for side in (0, 1))
    likeness = np.sum(one.astype(np.float64) * other, axis=1)
    accuracy, threshold = cross_validated(likeness, pairs.same, pairs.folds)
    return VerificationReport(
        accuracy=accuracy,
        tar_at_far={name: tar_at_far(likeness, pairs.same, rate) for name, rate in FALSE_ACCEPTS.items()},
        threshold=threshold,
        ms_per_face=portraits.ms_per_face,
        undetected=portraits.undetected,
        pairs=len(pairs.paths),
        pictures=len(paths),
    )


def cross_validated(likeness: Floats, same: NDArray[np.bool_], folds: NDArray[np.intp]) -> tuple[float, float]:
    """Accuracy and threshold, both means over the folds."""
    accuracies, thresholds = [], []
    for fold in np.unique(folds):
        here = folds == fold
        if here.all():
            raise DataError(
                "The pairs cannot be cross-validated.", saw="one fold only", fix="Give at least two pairs of each kind."
            )
        threshold = best_threshold(likeness[~here], same[~here])
        accuracies.append(np.mean((likeness[here] >= threshold) == same[here]))
        thresholds.append(threshold)
    return float(np.mean(accuracies)), float(np.mean(thresholds))


def best_threshold(likeness: Floats, same: NDArray[np.bool_]) -> float:
    """From which likeness on to say "the same" to be right most often; of several, the middle one."""
    order = np.argsort(likeness, kind="stable")
    ranked, kinds = likeness[order], same[order]
    # A cut at n calls the first n pairs different: right are the different ones before it and the same ones behind.
    right = np.append(0, np.cumsum(~kinds)) + np.append(np.cumsum(kinds[::-1])[::-1], 0)
    between = np.flatnonzero(np.concatenate([[True], np.diff(ranked) > 0, [True]]))
    best = between[right[between] == right[between].max()]
    cut = int(best[len(best) // 2])
    edges = np.concatenate([ranked[:1], (ranked[1:] + ranked[:-1]) / 2, [np.nextafter(ranked[-1], np.inf)]])
    return float(edges[cut])


def tar_at_far(likeness: Floats, same: NDArray[np.bool_], far: float) -> float:
    """Share of the pairs of one person that are more alike than all but `far` of the pairs of two."""
    return float(np.mean(likeness[same] > accepting(likeness[~same], far)))


def accepting(wrong: Floats, rate: float) -> float:
    """The lowest threshold that no more than `rate` of these are above."""
    above = int(rate * len(wrong) + 1e-9)
    return float(np.sort(wrong)[::-1][above]) if above < len(wrong) else -np.inf
