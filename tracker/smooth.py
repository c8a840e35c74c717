"""The One-Euro filter: calm when a face is still, quick when it moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


class Smoother:
    """Smooths what is drawn: boxes (V = 4), landmarks (V = 10), one instance for each kind of value."""

    def update(
        self,
        tracks: Sequence[int],
        values: NDArray[np.float32],
        t_s: float,
        *,
        sizes_px: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """The smoothed (K, V) of these K tracks at time t_s; sizes_px (K,) are the heights of the faces."""
        raise NotImplementedError

    def forget(self, tracks: Iterable[int]) -> None:
        raise NotImplementedError
