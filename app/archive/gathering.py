"""From the faces of each frame to sightings: how long each face was there, and its clearest looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.gallery.gallery import Cutout
from tracker.following import Followed, Step

BEST_SHOTS = 5
MIN_QUALITY = 0.3  # what is less clear resembles anybody

CutOut = Callable[[Followed], Cutout]


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    at_s: float
    quality: float
    embedding: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """shots     the clearest looks, the clearest first
    cutout    of the first of them
    box_xyxy  (4,) float32 pixels, where it was
    """

    track: int
    first_s: float
    last_s: float
    frames: int
    shots: tuple[Shot, ...]
    cutout: Cutout
    box_xyxy: NDArray[np.float32]

    @property
    def embedding(self) -> NDArray[np.float32]:
        """(D,) of unit length: the mean of the looks, the clearer ones weighing more."""
        total = np.sum([shot.quality * shot.embedding.astype(np.float64) for shot in self.shots], axis=0)
        unit: NDArray[np.float32] = (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)
        return unit


@dataclass(slots=True)
class _Open:
    """best  the clearest look: what was cut out, and where"""

    first_s: float
    last_s: float
    frames: int = 0
    shots: list[Shot] = field(default_factory=list)
    best: tuple[Cutout, NDArray[np.float32]] | None = None

    def keep(self, shots: list[Shot]) -> None:
        self.shots = sorted([*self.shots, *shots], key=lambda one: (-one.quality, one.at_s))[:BEST_SHOTS]


class Gathering:
    """Faces that nobody could be told by (never clear enough) leave no trace."""

    def __init__(self) -> None:
        self._open: dict[int, _Open] = {}

    def take(self, at_s: float, step: Step, quality: NDArray[np.float32], cut_out: CutOut) -> list[Gathered]:
        """The faces of a frame, with the quality of each detection; returns those that have ended, by track."""
        for newer, older in step.revived:
            self._join(newer, older)
        for face in step.faces:
            seen = self._open.setdefault(face.track, _Open(at_s, at_s))
            seen.last_s, seen.frames = at_s, seen.frames + 1
            if face.embedding is not None and face.detection is not None:
                self._look(seen, at_s, face, float(quality[face.detection]), cut_out)
        return self._ended(sorted(step.ended))

    def end(self) -> list[Gathered]:
        return self._ended(sorted(self._open))

    @staticmethod
    def _look(seen: _Open, at_s: float, face: Followed, quality: float, cut_out: CutOut) -> None:
        if quality < MIN_QUALITY or face.embedding is None:
            return
        if not seen.shots or quality > seen.shots[0].quality:
            seen.best = cut_out(face), np.array(face.box_xyxy)
        seen.keep([Shot(at_s, quality, np.array(face.embedding))])

    def _join(self, newer: int, older: int) -> None:
        """The face of `older` was followed as `newer` for a while."""
        late = self._open.pop(newer, None)
        if late is None:
            return
        early = self._open.setdefault(older, _Open(late.first_s, late.last_s))
        if late.shots and (not early.shots or late.shots[0].quality > early.shots[0].quality):
            early.best = late.best
        early.first_s, early.last_s = min(early.first_s, late.first_s), max(early.last_s, late.last_s)
        early.frames += late.frames
        early.keep(late.shots)

    def _ended(self, tracks: list[int]) -> list[Gathered]:
        found = []
        for track in tracks:
            seen = self._open.pop(track, None)
            if seen is not None and seen.best is not None:
                span = seen.first_s, seen.last_s, seen.frames
                found.append(Gathered(track, *span, tuple(seen.shots), *seen.best))
        return found
