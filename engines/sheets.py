"""Engines for pictures of any size: each picture lies on a black sheet, and few sizes of sheets do for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.engine import Engine

GRAIN_PX = 32  # the sides of a sheet are multiples of the coarsest grid's cells
_MAX_OTHERS = 4  # besides those for the usual size


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture comes onto a sheet: made smaller if need be, at the top left.

    size_wh   of the picture on the sheet
    scale_xy  pixels of the picture for one of the sheet
    """

    sheet_wh: tuple[int, int]
    size_wh: tuple[int, int]
    scale_xy: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sizing:
    """What decides about the size of a picture on its sheet.

    longest_px  the longer side of a picture on its sheet is at most this
    far_px      of a picture that is more than twice as long there is a second, smaller sheet of this length, for faces
                that are too large for the first one; None: there is not
    fixed_wh    the only sheet that the network takes; None: it takes any multiple of 32
    """

    longest_px: int
    far_px: int | None
    fixed_wh: tuple[int, int] | None = None

    def only(self, fixed_wh: tuple[int, int] | None) -> Sizing:
        """The same for a network that takes this one size."""
        return replace(self, fixed_wh=fixed_wh)

    def fits(self, picture_wh: tuple[int, int], *, tight: bool) -> tuple[Fit, ...]:
        """One fit, or two with the smaller one last.

        `tight`: on the smallest sheets that will do, otherwise on ones of few sizes. Which sheets they are depends on
        nothing else: what a network sees at the edge of a picture depends on the sheet, if only a little, and the same
        picture must always give the same faces.
        """
        longest = max(picture_wh)
        if self.fixed_wh is not None:
            across, down = (most / side for most, side in zip(self.fixed_wh, picture_wh, strict=True))
            return (self._fit(picture_wh, min(1.0, across, down), tight),)
        first = self._fit(picture_wh, min(1.0, self.longest_px / longest), tight)
        if self.far_px is None or max(first.size_wh) <= 2 * self.far_px:
            return (first,)
        return first, self._fit(picture_wh, self.far_px / longest, tight)

    def _fit(self, picture_wh: tuple[int, int], scale: float, tight: bool) -> Fit:
        width, height = picture_wh
        size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        across, down = (_whole(side, GRAIN_PX) if tight else _roomy(side) for side in size_wh)
        return Fit(self.fixed_wh or (across, down), size_wh, (width / size_wh[0], height / size_wh[1]))


class Sheets:
    """The engines that are open, each with the sheet that is its input."""

    def __init__(self, open_net: Callable[[tuple[int, int]], Engine]) -> None:
        """`open_net` gives the network for one sheet of (width, height)."""
        self._open_net = open_net
        self._engines: dict[tuple[int, int], Engine] = {}
        self._painted: dict[tuple[int, int], tuple[int, int]] = {}
        self._usual: frozenset[tuple[int, int]] = frozenset()

    def prepare(self, fits: Sequence[Fit]) -> None:
        """Open the engines for the usual size; they stay open."""
        self._usual = frozenset(fit.sheet_wh for fit in fits)
        for sheet_wh in self._usual:
            self._engine(sheet_wh)

    def run(self, image_bgr: NDArray[np.uint8], fit: Fit) -> tuple[NDArray[np.float32], ...]:
        """What the network says of this picture; views that hold until the next call."""
        engine = self._engine(fit.sheet_wh)
        sheet, (width, height) = engine.input[0], fit.size_wh
        if self._painted.get(fit.sheet_wh) != fit.size_wh:
            sheet[height:], sheet[:, width:] = 0, 0
            self._painted[fit.sheet_wh] = fit.size_wh
        if fit.scale_xy == (1, 1):
            sheet[:height, :width] = image_bgr
        else:
            cv2.resize(image_bgr, fit.size_wh, dst=sheet[:height, :width], interpolation=cv2.INTER_AREA)
        return engine.run()

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()
        self._painted.clear()

    def _engine(self, sheet_wh: tuple[int, int]) -> Engine:
        engine = self._engines.pop(sheet_wh, None)
        if engine is None:
            others = [wh for wh in self._engines if wh not in self._usual]
            if len(others) >= _MAX_OTHERS:
                self._engines.pop(others[0]).close()
                self._painted.pop(others[0], None)
            engine = self._open_net(sheet_wh)
        self._engines[sheet_wh] = engine  # the one that was used last comes last
        return engine


def _whole(side: int, step: int) -> int:
    return -(-side // step) * step


def _roomy(side: int) -> int:
    """Four to eight sizes from one power of two to the next."""
    return _whole(side, max(2 * GRAIN_PX, 1 << max(0, (side - 1).bit_length() - 3)))
