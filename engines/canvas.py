"""The pyramid of a picture laid out on one canvas, so that P-Net sees all levels in one inference.

P-Net's window is 12 pixels and moves by 2. As long as every level has an even size and lies at an even place, each
window that lies inside a level sees exactly what it would see of that level alone; windows that reach over an edge are
left out when the maps are read.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.halvings import MAX_HALVINGS, Halvings

WINDOW_PX = 12
STRIDE_PX = 2
_WIDTHS_TRIED = 48


@dataclass(frozen=True, slots=True)
class Level:
    """One size of the picture and where it lies on the canvas; all even pixels.

    halvings   how often the picture is halved before it is sampled for this level: until less than two of its pixels
               fall on one, so that sampling between four of them misses none
    scale_xy   pixels of the picture for one of the level
    """

    size_wh: tuple[int, int]
    offset_xy: tuple[int, int]
    halvings: int
    scale_xy: tuple[float, float]

    def view(self, canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
        (width, height), (x, y) = self.size_wh, self.offset_xy
        return canvas[y : y + height, x : x + width]


@dataclass(frozen=True, slots=True)
class Canvas:
    """size_wh   of the canvas
    levels    largest first
    """

    size_wh: tuple[int, int]
    levels: tuple[Level, ...]


def level_sizes(picture_wh: tuple[int, int], min_face_px: int, factor: float) -> list[tuple[int, int]]:
    """Sizes of the levels, largest first; none for a picture that is smaller than the smallest face."""
    sizes = []
    scale = WINDOW_PX / min_face_px
    while min(picture_wh) * scale >= WINDOW_PX:
        sizes.append((_even(picture_wh[0] * scale), _even(picture_wh[1] * scale)))
        scale *= factor
    return sizes


@functools.lru_cache(maxsize=64)
def plan(picture_wh: tuple[int, int], min_face_px: int, factor: float) -> Canvas:
    """The smallest canvas found for all levels of a picture of this size."""
    sizes = level_sizes(picture_wh, min_face_px, factor)
    if not sizes:
        return Canvas((0, 0), ())
    least = sizes[0][0]
    area = sum(width * height for width, height in sizes)
    most = max(least, _even(1.5 * math.sqrt(area)), sizes[0][0] + sizes[1][0] if len(sizes) > 1 else least)
    step = max(2, (most - least) // _WIDTHS_TRIED // 2 * 2)
    placings = (_placed(sizes, width) for width in range(least, most + 1, step))
    size_wh, offsets = min(placings, key=lambda placing: (placing[0][0] * placing[0][1], placing[0]))
    return Canvas(size_wh, tuple(_level(picture_wh, size, offset) for size, offset in zip(sizes, offsets, strict=True)))


def paint(picture: Halvings, canvas: Canvas, out: NDArray[np.uint8]) -> None:
    """Draw all levels of a picture into `out`, of the canvas's size or larger; the rest of it stays as it is."""
    for level in canvas.levels:
        cv2.resize(picture[level.halvings], level.size_wh, dst=level.view(out), interpolation=cv2.INTER_LINEAR)


def _even(length: float) -> int:
    return max(WINDOW_PX, 2 * round(length / 2))


def _level(picture_wh: tuple[int, int], size_wh: tuple[int, int], offset_xy: tuple[int, int]) -> Level:
    halvings = 0
    while halvings < MAX_HALVINGS and all(p >> (halvings + 1) >= s for p, s in zip(picture_wh, size_wh, strict=True)):
        halvings += 1
    # Halving leaves out an odd last row or column, so the level shows a little less than the picture.
    shown = (length >> halvings << halvings for length in picture_wh)
    across, down = (all_of_it / size for all_of_it, size in zip(shown, size_wh, strict=True))
    return Level(size_wh, offset_xy, halvings, (across, down))


def _placed(sizes: list[tuple[int, int]], canvas_width: int) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    """Size of the canvas and offsets: each level in turn as high up as it fits, then as far left."""
    taken: list[_Box] = []
    for width, height in sizes:
        lefts = sorted({0, *(box.right for box in taken)})
        top, left = min((_top(taken, left, width, height), left) for left in lefts if left + width <= canvas_width)
        taken.append(_Box(left, top, left + width, top + height))
    size_wh = max(box.right for box in taken), max(box.bottom for box in taken)
    return size_wh, [(box.left, box.top) for box in taken]


def _top(taken: list[_Box], left: int, width: int, height: int) -> int:
    """The highest place for a level whose left edge is given."""
    column = [box for box in taken if box.left < left + width and left < box.right]
    tops = sorted({0, *(box.bottom for box in column)})
    return next(top for top in tops if all(box.bottom <= top or top + height <= box.top for box in column))


class _Box(NamedTuple):
    left: int
    top: int
    right: int
    bottom: int
