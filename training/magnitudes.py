"""How often which magnitude occurs in a tensor, and from which magnitude on clipping does the least harm."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Method = Literal["percentile", "mse", "max"]
METHODS: tuple[Method, ...] = get_args(Method)

_BINS = 4096
_STEPS = 127  # of int8, on each side of 0
_PERCENTILE = 99.99
_CANDIDATES = 128


class Magnitudes:
    """A histogram of absolute values that widens when larger ones come: a bin then holds two of the old ones."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS, np.int64)
        self._limit = 0.0
        self._largest = 0.0

    def add(self, values: NDArray[np.float32]) -> None:
        magnitudes = np.abs(values).ravel()
        largest = float(magnitudes.max(initial=0))
        if not np.isfinite(largest):
            raise ValueError("a tensor holds values that are not numbers")
        self._largest = max(self._largest, largest)
        if self._limit == 0:
            self._limit = largest
        if self._limit == 0:  # nothing but zeros so far
            return
        while largest > self._limit:
            self._counts = np.append(self._counts.reshape(-1, 2).sum(axis=1), np.zeros(_BINS // 2, np.int64))
            self._limit *= 2
        bins = np.minimum((magnitudes * np.float32(_BINS / self._limit)).astype(np.int32), _BINS - 1)
        self._counts += np.bincount(bins, minlength=_BINS)

    def limit(self, method: Method) -> float:
        """The largest magnitude that int8 should hold."""
        if self._largest == 0:
            return 1.0  # a tensor of zeros: any range does
        if method == "max":
            return self._largest
        if method == "percentile":
            seen = np.cumsum(self._counts)
            return self._edge(int(np.searchsorted(seen, seen[-1] * _PERCENTILE / 100)) + 1)
        return self._least_error()

    def _edge(self, bins: int) -> float:
        return min(bins * self._limit / _BINS, self._largest)

    def _least_error(self) -> float:
        """The limit that makes the mean squared error of rounding and clipping smallest."""
        middles = (np.arange(_BINS) + 0.5) * self._limit / _BINS
        middles[0] = 0  # what a ReLU cut off stays what it is
        limits = self._largest * np.linspace(1, 0.15, _CANDIDATES)
        steps = (limits / _STEPS)[:, None]
        rounded = np.minimum(np.rint(middles / steps), _STEPS) * steps
        errors = ((rounded - middles) ** 2) @ self._counts
        return float(limits[np.argmin(errors)])
