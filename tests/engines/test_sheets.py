from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.sheets import Fit, Sheets, Sizing

Size = tuple[int, int]
SIZING = Sizing(longest_px=1920, far_px=640)


@pytest.mark.parametrize(
    ("picture_wh", "sheet_wh"),
    [((640, 360), (640, 384)), ((1280, 720), (1280, 736)), ((1, 1), (32, 32)), ((33, 64), (64, 64))],
)
def test_the_usual_picture_lies_on_the_smallest_sheet(picture_wh: Size, sheet_wh: Size) -> None:
    assert SIZING.fits(picture_wh, tight=True) == (Fit(sheet_wh, picture_wh, (1, 1)),)


def test_other_sizes_share_few_sheets_that_are_not_much_larger() -> None:
    sheets = set()
    for width in range(300, 1281, 7):
        for height in range(300, 1281, 7):
            (fit,) = SIZING.fits((width, height), tight=False)
            assert fit.size_wh == (width, height)
            assert all(
                side % 32 == 0 and side >= mine for side, mine in zip(fit.sheet_wh, (width, height), strict=True)
            )
            assert fit.sheet_wh[0] * fit.sheet_wh[1] <= 1.6 * (width + 32) * (height + 32)
            sheets.add(fit.sheet_wh)
    assert len(sheets) <= 11**2


def test_a_large_picture_is_made_smaller_and_seen_once_more_from_afar() -> None:
    first, far = SIZING.fits((12000, 6000), tight=False)
    assert first == Fit((2048, 1024), (1920, 960), (6.25, 6.25))
    assert far == Fit((640, 320), (640, 320), (18.75, 18.75))
    first, far = SIZING.fits((1920, 1080), tight=True)
    assert first == Fit((1920, 1088), (1920, 1080), (1, 1))
    assert far == Fit((640, 384), (640, 360), (3, 3))
    # So narrow that a side would vanish.
    assert [fit.size_wh for fit in SIZING.fits((50000, 2), tight=False)] == [(1920, 1), (640, 1)]


def test_a_network_of_one_size_has_one_sheet() -> None:
    sizing = SIZING.only((640, 480))
    assert sizing.fits((1280, 720), tight=True) == (Fit((640, 480), (640, 360), (2, 2)),)
    assert sizing.fits((320, 960), tight=False) == (Fit((640, 480), (160, 480), (2, 2)),)
    assert sizing.fits((100, 50), tight=False) == (Fit((640, 480), (100, 50), (1, 1)),)


class Mirror:
    """Gives what lies on its sheet."""

    output_names = ("all",)

    def __init__(self, sheet_wh: Size, closed: list[Size]) -> None:
        self.input_shape = (1, sheet_wh[1], sheet_wh[0], 3)
        self.output_shapes = (self.input_shape,)
        self.input = np.full(self.input_shape, 77, np.uint8)
        self._closed = closed

    def run(self, batch: NDArray[np.uint8] | None = None) -> tuple[NDArray[np.float32], ...]:
        return (self.input.astype(np.float32),)

    def close(self) -> None:
        self._closed.append((self.input_shape[2], self.input_shape[1]))


def test_around_the_picture_the_sheet_is_black_whatever_lay_there_before() -> None:
    sheets = Sheets(lambda wh: Mirror(wh, []))
    random = np.random.default_rng(2)
    for width, height in ((50, 40), (64, 64), (20, 60), (20, 60), (64, 1)):
        picture = random.integers(1, 256, (height, width, 3), np.uint8)
        (seen,) = sheets.run(picture, Fit((64, 64), (width, height), (1, 1)))
        expected = np.zeros((64, 64, 3))
        expected[:height, :width] = picture
        np.testing.assert_array_equal(seen[0], expected)


def test_the_engine_that_was_used_longest_ago_goes_but_never_a_usual_one() -> None:
    closed: list[Size] = []
    sheets = Sheets(lambda wh: Mirror(wh, closed))
    usual = SIZING.fits((1920, 1080), tight=True)
    sheets.prepare(usual)
    black = np.zeros((32, 32, 3), np.uint8)

    def show(side: int) -> None:
        sheets.run(black, Fit((side, side), (32, 32), (1, 1)))

    for side in (64, 128, 192, 256, 64):
        show(side)
    assert closed == []
    show(320)
    assert closed == [(128, 128)]
    show(128)
    assert closed == [(128, 128), (192, 192)]
    sheets.close()
    assert {fit.sheet_wh for fit in usual} < set(closed)
