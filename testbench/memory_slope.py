"""How fast memory grows, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
_BLOCK_S = 120.0  # what memory does in one moment it does in the next: only so far apart are samples independent
_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Slope:
    """MB an hour; the true one lies between low and high with a probability of CONFIDENCE."""

    mb_per_hour: float
    low: float
    high: float


def slope_of(times_s: Sequence[float], memory_mb: Sequence[float], seed: int = 1) -> Slope:
    """Least squares; how sure it is by drawing whole blocks of what the line leaves over (moving-block bootstrap)."""
    times, memory = np.asarray(times_s, np.float64), np.asarray(memory_mb, np.float64)
    if len(times) < 8:
        raise ValueError(f"{len(times)} samples are too few for a slope")
    steepness, start = np.polyfit(times, memory, 1)
    line = start + steepness * times
    block = int(np.clip(_BLOCK_S / max(1e-9, float(np.median(np.diff(times)))), 1, len(times) // 4))
    drawn = _drawn(memory - line, block, np.random.default_rng(seed))
    centred = times - times.mean()
    spread = drawn @ centred / (centred @ centred)
    low, high = np.quantile(spread, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Slope(*(round(3600 * float(each), 3) for each in (steepness, steepness + low, steepness + high)))


def _drawn(left_over: NDArray[np.float64], block: int, chance: np.random.Generator) -> NDArray[np.float64]:
    """(_DRAWS, N): each row made of blocks of the original."""
    count = -(-len(left_over) // block)
    starts = chance.integers(0, len(left_over) - block + 1, (_DRAWS, count))
    rows: NDArray[np.float64] = left_over[(starts[:, :, None] + np.arange(block)).reshape(_DRAWS, -1)]
    return rows[:, : len(left_over)]
