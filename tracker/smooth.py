"""The One-Euro filter: calm when a face is still, quick when it moves (Casiez, Roussel and Vogel 2012).

A low-pass filter whose cutoff rises with speed. Speeds count in sizes of the face: the tremble of a detector grows with
the face, so a large face must move by more pixels before that is taken for motion. What a detector's tremble alone
looks like is not taken for motion at all (measured: docs/decisions/0009).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TYPICAL_FACE_PX = 100.0


@dataclass(frozen=True, slots=True)
class SmoothSettings:
    still_cutoff_hz: float = 0.9  # lower: calmer when still
    tremble: float = 0.06  # face sizes per second that a face at rest seems to move
    cutoff_per_speed_hz: float = 20.0  # added for each face size per second above that; higher: less lag when moving
    speed_cutoff_hz: float = 0.8  # how calmly the speed itself is judged


@dataclass(frozen=True, slots=True)
class _Before:
    """values    (V,) the last smoothed values
    measured  (V,) and what they were made of
    speeds    (V,) change per second
    """

    t_s: float
    values: Floats
    measured: Floats
    speeds: Floats


class Smoother:
    """Smooths what is drawn: boxes (V = 4), landmarks (V = 10), one instance for each kind of value."""

    def __init__(self, settings: SmoothSettings = SmoothSettings()) -> None:
        self._settings = settings
        self._before: dict[int, _Before] = {}

    def update(
        self,
        tracks: Sequence[int],
        values: NDArray[np.float32],
        t_s: float,
        *,
        sizes_px: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """The smoothed (K, V) of these K tracks at time t_s; sizes_px (K,) are the heights of the faces."""
        if not len(tracks):
            return values.astype(np.float32)
        use = self._settings
        sizes = np.full(len(tracks), TYPICAL_FACE_PX) if sizes_px is None else np.maximum(sizes_px, 1.0)
        now = values.astype(np.float64)
        before = [
            self._before.get(track, _Before(t_s, v, v, np.zeros_like(v))) for track, v in zip(tracks, now, strict=True)
        ]
        last = np.stack([state.values for state in before])
        last_measured = np.stack([state.measured for state in before])
        last_speeds = np.stack([state.speeds for state in before])
        elapsed_s = np.array([t_s - state.t_s for state in before])[:, None]
        # A face that is new, or a clock that went back (a clip that starts again), has no past to be smoothed with.
        elapsed_s = np.where(elapsed_s > 0, elapsed_s, np.inf)
        speeds = last_speeds + _share(use.speed_cutoff_hz, elapsed_s) * (
            (now - last_measured) / elapsed_s - last_speeds
        )
        moving = np.maximum(np.abs(speeds) / sizes[:, None] - use.tremble, 0)
        cutoff_hz = use.still_cutoff_hz + use.cutoff_per_speed_hz * moving
        smoothed = last + _share(cutoff_hz, elapsed_s) * (now - last)
        for track, value, measured, speed in zip(tracks, smoothed, now, speeds, strict=True):
            self._before[track] = _Before(t_s, value, measured, speed)
        return smoothed.astype(np.float32)

    def rename(self, track: int, into: int) -> None:
        """What was `track` goes on as `into`, whose own past is another place."""
        self._before.pop(into, None)
        if track in self._before:
            self._before[into] = self._before.pop(track)

    def forget(self, tracks: Iterable[int]) -> None:
        """These tracks have ended."""
        for track in tracks:
            self._before.pop(track, None)


def _share(cutoff_hz: Floats | float, elapsed_s: Floats) -> Floats:
    """How much of a change a low-pass filter lets through after this time, from 0 to 1."""
    share: Floats = 1 / (1 + 1 / (2 * np.pi * cutoff_hz * elapsed_s))
    return share
