"""Faces that move, cross, turn away and are misdetected, with the truth known: what a tracker is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbench.synthetic_crowd import Crowd
from testbench.synthetic_detector import SyntheticDetector
from testbench.synthetic_scene import ASPECT, KINDS, NOBODY, Scene

__all__ = ["ASPECT", "KINDS", "NOBODY", "Scene", "SceneFrame", "play"]


@dataclass(frozen=True, slots=True)
class SceneFrame:
    """ids, truth_xyxy           (M,) and (M, 4): the faces that can be seen
    all_ids, all_xyxy            (P,) and (P, 4): of everybody who is there, seen or not
    boxes_xyxy, scores, owners   (N, 4), (N,), (N,): what the detector says, and of whom; best first
    landmarks                    (N, 5, 2) float32 pixels
    quality, embeddings          (N,), (N, D): what an embedder would make of each detection
    frames_elapsed               since the frame before
    """

    ids: NDArray[np.int64]
    truth_xyxy: NDArray[np.float32]
    all_ids: NDArray[np.int64]
    all_xyxy: NDArray[np.float32]
    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    quality: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    owners: NDArray[np.int64]
    frames_elapsed: int


def play(scene: Scene) -> Iterator[SceneFrame]:
    """The frames of a scene; the same scene always gives the same frames."""
    rng = np.random.default_rng(scene.seed)
    crowd = Crowd(scene, rng)
    detector = SyntheticDetector(scene, rng)
    frame = 0
    elapsed = 1
    while frame < scene.frames:
        for _ in range(elapsed):
            crowd.step()
            detector.step()
        boxes = crowd.boxes_xyxy()
        hidden = _covered(boxes, crowd.present)
        visible = crowd.present & (crowd.away_frames == 0) & (hidden < 0.5) & _inside(boxes, scene.size_wh)
        places = np.flatnonzero(visible)
        seen = detector.look(boxes, places, hidden, crowd.people)
        owners = np.where(seen.places == NOBODY, NOBODY, crowd.people[seen.places])
        yield SceneFrame(
            crowd.people[places].copy(),
            boxes[places].astype(np.float32),
            crowd.people[crowd.present],
            boxes[crowd.present].astype(np.float32),
            seen.boxes_xyxy,
            seen.scores,
            seen.landmarks,
            seen.quality,
            seen.embeddings,
            owners,
            elapsed,
        )
        elapsed = int(rng.choice(scene.frames_elapsed))
        frame += elapsed


def _inside(boxes_xyxy: NDArray[np.float64], size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """(M,) whether the middle of each face is in the picture: less than half a face is not found."""
    middle = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
    return np.asarray(((middle >= 0) & (middle <= np.array(size_wh))).all(axis=1), np.bool_)


def _covered(boxes_xyxy: NDArray[np.float64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(M,) the share of each face behind the largest intruder; the larger face is the nearer one."""
    low = np.maximum(boxes_xyxy[:, None, :2], boxes_xyxy[None, :, :2])
    high = np.minimum(boxes_xyxy[:, None, 2:], boxes_xyxy[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    area = np.prod(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], axis=1)
    in_front = (area[None, :] > area[:, None]) & present[None, :]
    covered: NDArray[np.float64] = (shared * in_front).max(axis=1, initial=0) / area
    return covered
