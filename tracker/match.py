"""Which detection of a frame belongs to which track: ByteTrack's rounds, good detections first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracker import kalman
from tracker.assign import Indices, assign
from tracker.cost import misfit
from tracker.settings import TrackerSettings
from tracker.track import Phase, Track

Floats = NDArray[np.float64]

SMALLEST_PX = 1.0


class Match(NamedTuple):
    """at  which track
    row  of the detections
    """

    at: int
    row: int
    contested: bool


def match(
    tracks: Sequence[Track], motions: Floats, boxes: Floats, scores: NDArray[np.float32], use: TrackerSettings
) -> tuple[list[Match], Indices]:
    """Pair tracks with detections; also the good detections that nobody claimed and that may start a track."""
    usable = _are_boxes(boxes) & (scores >= use.low_score)
    (good,) = np.nonzero(usable & (scores >= use.high_score))
    (poor,) = np.nonzero(usable & (scores < use.high_score))
    phases = [track.phase for track in tracks]
    known = [
        at
        for at, track in enumerate(tracks)
        if phases[at] is not Phase.TENTATIVE and track.since_seen <= use.lost_frames + 1
    ]

    def pair(among: list[int], rows: Indices, limit: float) -> tuple[list[Match], list[int], Indices]:
        """Pairs, then the tracks and the rows that are left."""
        if not among or not len(rows):
            return [], among, rows
        cost = misfit(motions[among], kalman.measurements(boxes[rows]), use.slack, use.doubt, use.size_ratio)
        pairs = assign(cost, limit)
        near = cost < limit
        choices = near.sum(axis=1)[pairs.rows] + near.sum(axis=0)[pairs.columns]
        matches = [
            Match(among[t], int(rows[d]), bool(many > 2))
            for t, d, many in zip(pairs.rows, pairs.columns, choices, strict=True)
        ]
        return matches, [among[t] for t in pairs.free_rows], rows[pairs.free_columns]

    first, left, good = pair(known, good, 1.0)
    second, _, _ = pair([at for at in left if phases[at] is Phase.CONFIRMED], poor, use.poor_reach)
    third, _, good = pair([at for at, phase in enumerate(phases) if phase is Phase.TENTATIVE], good, 1.0)
    return first + second + third, good[scores[good] >= use.new_score]


def _are_boxes(boxes: Floats) -> NDArray[np.bool_]:
    """(N,) False for what has no area or no number: the aspect of such a box would spoil the filter."""
    with np.errstate(invalid="ignore"):
        has_area = np.all(boxes[:, 2:] - boxes[:, :2] >= SMALLEST_PX, axis=1)
    are_boxes: NDArray[np.bool_] = has_area & np.isfinite(boxes).all(axis=1)
    return are_boxes
