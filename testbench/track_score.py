"""How well tracks follow the truth.

IDF1 as in Ristani et al. 2016; MOTA and id switches as in Bernardin and Stiefelhagen 2008.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.assign import assign
from tracker.cost import iou

SAME_PLACE_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Scored:
    """One frame: the faces that could be seen, (M,) ids and (M, 4) boxes, and the tracks told, (K,) and (K, 4)."""

    truth_ids: NDArray[np.int64]
    truth_xyxy: NDArray[np.float32]
    track_ids: NDArray[np.int64]
    tracks_xyxy: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TrackScore:
    idf1: float
    mota: float
    id_switches: int
    missed: int
    false: int


def score(frames: Iterable[Scored]) -> TrackScore:
    together: dict[tuple[int, int], int] = {}  # frames in which a face and a track were in one place
    last_track: dict[int, int] = {}  # of a face
    truths = told = missed = false = switches = 0
    for frame in frames:
        overlap = iou(frame.truth_xyxy.astype(np.float64), frame.tracks_xyxy.astype(np.float64))
        for t, k in zip(*np.nonzero(overlap >= SAME_PLACE_IOU), strict=True):
            pair = int(frame.truth_ids[t]), int(frame.track_ids[k])
            together[pair] = together.get(pair, 0) + 1
        pairs = _frame_pairs(frame, overlap, last_track)
        switches += sum(last_track.get(truth, track) != track for truth, track in pairs)
        last_track.update(pairs)
        truths, told = truths + len(frame.truth_ids), told + len(frame.track_ids)
        missed, false = missed + len(frame.truth_ids) - len(pairs), false + len(frame.track_ids) - len(pairs)
    return TrackScore(
        idf1=2 * _frames_in_agreement(together) / max(1, truths + told),
        mota=1 - (missed + false + switches) / max(1, truths),
        id_switches=switches,
        missed=missed,
        false=false,
    )


def _frame_pairs(frame: Scored, overlap: NDArray[np.float64], last_track: dict[int, int]) -> list[tuple[int, int]]:
    """Faces and tracks of one frame: who was paired stays so while it fits, the others as they overlap most."""
    stay = np.array([[last_track.get(int(t)) == int(k) for k in frame.track_ids] for t in frame.truth_ids], np.bool_)
    bonus = np.where(stay.reshape(overlap.shape) & (overlap >= SAME_PLACE_IOU), 1000.0, 0.0)
    cost = np.where(overlap >= SAME_PLACE_IOU, 1 - overlap, 2.0) - bonus
    found = assign(cost, 1.0)
    return [(int(frame.truth_ids[t]), int(frame.track_ids[k])) for t, k in zip(found.rows, found.columns, strict=True)]


def _frames_in_agreement(together: dict[tuple[int, int], int]) -> int:
    """Frames on which faces and tracks agree when each face is given the one track that suits the whole clip best."""
    faces, tracks = sorted({face for face, _ in together}), sorted({track for _, track in together})
    frames = np.zeros((len(faces), len(tracks)))
    for (face, track), count in together.items():
        frames[faces.index(face), tracks.index(track)] = count
    found = assign(-frames, 0.0)
    return int(frames[found.rows, found.columns].sum())
