from __future__ import annotations

import numpy as np
import pytest

from engines.canvas import plan
from engines.nms import nms
from engines.proposals import Proposals, map_length


@pytest.mark.parametrize("margin_px", [0, 64])
@pytest.mark.parametrize("seed", range(4))
def test_each_level_is_thinned_out_as_by_ordinary_suppression(seed: int, margin_px: int) -> None:
    picture_wh, least = (320, 200), 1.0
    canvas = plan(picture_wh, 30, 0.709)
    wide, high = canvas.size_wh[0] + margin_px, canvas.size_wh[1] + margin_px
    random = np.random.default_rng(seed)
    odds = random.normal(0, 1, (map_length(high), map_length(wide), 1)).astype(np.float32)
    offsets = random.normal(0, 1, (*odds.shape[:2], 4)).astype(np.float32)
    boxes, found = Proposals(canvas, (wide, high), least).read(odds, offsets)

    expected = set()
    for level in canvas.levels:
        windows, scores, theirs = [], [], []
        for row in range(map_length(level.size_wh[1])):
            for column in range(map_length(level.size_wh[0])):
                cell = level.offset_xy[1] // 2 + row, level.offset_xy[0] // 2 + column
                if odds[(*cell, 0)] > least:
                    x, y = 2 * column, 2 * row
                    windows.append([x, y, x + 12, y + 12])
                    scores.append(odds[(*cell, 0)])
                    theirs.append(offsets[cell])
        for stay in nms(np.array(windows, np.float32).reshape(-1, 4), np.array(scores, np.float32), 0.5):
            x1, y1, x2, y2 = windows[stay]
            sx, sy = level.scale_xy
            box = (x1 + 0.5) * sx, (y1 + 0.5) * sy, (x2 - 0.5) * sx, (y2 - 0.5) * sy
            expected.add((*np.round(box, 2).tolist(), *theirs[stay].tolist()))
    assert len(expected) > 50
    assert {
        (*b, *f) for b, f in zip(np.round(boxes.astype(float), 2).tolist(), found.tolist(), strict=True)
    } == expected


def test_equal_neighbours_leave_one_and_rows_do_not_touch_around_the_edge() -> None:
    canvas = plan((40, 80), 20, 0.4)
    rows, columns = (map_length(length) for length in (canvas.size_wh[1], canvas.size_wh[0]))
    odds = np.full((rows, columns, 1), -1, np.float32)
    level = canvas.levels[0]
    last = map_length(level.size_wh[0]) - 1
    odds[2, 0] = odds[2, 1] = 5  # neighbours
    odds[1, last] = 5  # the cell before (2, 0) in memory, but at the other side of the picture
    boxes, _ = Proposals(canvas, canvas.size_wh, 0.0).read(odds, np.zeros((rows, columns, 4), np.float32))
    assert len(boxes) == 2
    assert boxes[0, 0] > boxes[1, 0]


def test_nothing_found_is_no_error() -> None:
    canvas = plan((100, 100), 40, 0.709)
    shape = map_length(canvas.size_wh[1]), map_length(canvas.size_wh[0])
    proposals = Proposals(canvas, canvas.size_wh, 0.0)
    boxes, offsets = proposals.read(np.full((*shape, 1), -3, np.float32), np.zeros((*shape, 4), np.float32))
    assert boxes.shape == offsets.shape == (0, 4)
