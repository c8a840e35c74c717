"""P-Net on pictures of any size: one engine for each canvas size, few canvas sizes for many picture sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.canvas import Canvas, paint, plan
from engines.engine import Engine
from engines.halvings import Halvings
from engines.proposals import Proposals

_MAX_ENGINES = 4
_MAX_SIGHTS = 16
_ROUND_PX = 64  # so that the many sizes of a folder of photographs share few engines
_MAX_WASTE = 1.5

Found = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Sight:
    canvas: Canvas
    canvas_wh: tuple[int, int]
    proposals: Proposals


class Sights:
    """The first look at a picture, with what it needs for each picture size kept ready."""

    def __init__(
        self, open_pnet: Callable[[tuple[int, int]], Engine], min_face_px: int, factor: float, least_odds: float
    ) -> None:
        """`open_pnet` gives P-Net for a canvas of (width, height); its outputs: log odds, corrections to the box."""
        self._open_pnet = open_pnet
        self._pyramid = min_face_px, factor
        self._least_odds = least_odds
        self._engines: dict[tuple[int, int], Engine] = {}
        self._sights: dict[tuple[int, int], _Sight] = {}

    def prepare(self, picture_wh: tuple[int, int]) -> None:
        """Open the engine that fits pictures of this size best, which will be the usual one."""
        canvas_wh = plan(picture_wh, *self._pyramid).size_wh
        if canvas_wh != (0, 0):
            self._engines[canvas_wh] = self._open_pnet(canvas_wh)

    def propose(self, picture: Halvings) -> Found:
        """Windows (N, 4) that may hold a face, and P-Net's corrections to them (N, 4)."""
        sight = self._sights.get(picture.size_wh) or self._new_sight(picture.size_wh)
        if not sight.canvas.levels:
            return np.zeros((0, 4), np.float32), np.zeros((0, 4), np.float32)
        engine = self._engine(sight.canvas_wh)
        paint(picture, sight.canvas, engine.input[0])
        odds, offsets = engine.run()
        return sight.proposals.read(odds[0], offsets[0])

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()

    def _new_sight(self, picture_wh: tuple[int, int]) -> _Sight:
        canvas = plan(picture_wh, *self._pyramid)
        canvas_wh = self._roomy(canvas.size_wh) if canvas.levels else (0, 0)
        if len(self._sights) == _MAX_SIGHTS:
            del self._sights[next(iter(self._sights))]
        sight = self._sights[picture_wh] = _Sight(canvas, canvas_wh, Proposals(canvas, canvas_wh, self._least_odds))
        return sight

    def _roomy(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """The smallest canvas of the open engines that holds this one, or else a size for a new engine."""
        width, height = size_wh
        most = _MAX_WASTE * (width + _ROUND_PX) * (height + _ROUND_PX)
        roomy = [wh for wh in self._engines if wh[0] >= width and wh[1] >= height and wh[0] * wh[1] <= most]
        if roomy:
            return min(roomy, key=lambda wh: wh[0] * wh[1])
        return -(-width // _ROUND_PX) * _ROUND_PX, -(-height // _ROUND_PX) * _ROUND_PX

    def _engine(self, canvas_wh: tuple[int, int]) -> Engine:
        if canvas_wh not in self._engines:
            if len(self._engines) == _MAX_ENGINES:
                # The first one is for the size that was announced; of the others the oldest goes.
                self._engines.pop(list(self._engines)[1]).close()
            self._engines[canvas_wh] = self._open_pnet(canvas_wh)
        return self._engines[canvas_wh]
