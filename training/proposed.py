"""What the networks before let through: the very windows that the next network will see at run time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.cascade import corrected, log_odds, run_all, squares
from engines.crops import Cutter
from engines.halvings import Halvings
from engines.load import opener
from engines.options import EngineOptions
from training import trio
from training.shapes import PARTS, WINDOW_PX


class Proposer:
    """P-Net, or P-Net and R-Net, of checkpoints or ONNX files."""

    def __init__(self, before: Sequence[Path], scratch: Path, least_px: float, least_score: float) -> None:
        config = EngineOptions(precision="fp32", min_face_px=round(least_px), cache=scratch)
        networks = {
            part: trio.network(part, str(place), config, scratch) for part, place in zip(PARTS, before, strict=False)
        }
        open_engine = opener(config)
        cascade = trio.Trio("before", networks)
        self._sights = cascade.sights(open_engine, config, least_score)
        self._rnet = cascade.engine(open_engine, "rnet") if "rnet" in networks else None
        self._cutter = Cutter(24)
        self._least_odds = log_odds(least_score)
        self._picture = Halvings()

    def first_windows(self, image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, 4) where P-Net alone suspects a face, as wide as it looks and not put right."""
        self._picture.show(image_bgr)
        boxes, _ = self._sights.propose(self._picture)
        margin = (boxes[:, 2:] - boxes[:, :2]) / (2 * (WINDOW_PX["pnet"] - 1))
        return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)

    def propose(self, image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Squares (N, 4)."""
        self._picture.show(image_bgr)
        boxes = squares(corrected(*self._sights.propose(self._picture)))
        if self._rnet is None or not len(boxes):
            return boxes
        odds, offsets = run_all(self._rnet, self._cutter.cut([self._picture], boxes, np.zeros(len(boxes), np.intp)))
        found = odds[:, 0] > self._least_odds
        return squares(corrected(boxes[found], offsets[found]))

    def close(self) -> None:
        self._sights.close()
        if self._rnet is not None:
            self._rnet.close()
