from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.halvings import Halvings
from engines.proposals import map_length
from engines.sights import Sights


class Blind:
    """P-Net's shape, but it never finds anything."""

    output_names = ("scores", "boxes")

    def __init__(self, canvas_wh: tuple[int, int], log: list[str]) -> None:
        width, height = canvas_wh
        self.input_shape = (1, height, width, 3)
        self.input = np.zeros(self.input_shape, np.uint8)
        cells = map_length(height), map_length(width)
        self.output_shapes = ((1, *cells, 1), (1, *cells, 4))
        self.painted = 0
        self._name, self._log = f"{width}x{height}", log
        log.append(f"open {self._name}")

    def run(self, batch: NDArray[np.uint8] | None = None) -> tuple[NDArray[np.float32], ...]:
        self.painted = int(np.count_nonzero(self.input))
        return tuple(np.full(shape, -9, np.float32) for shape in self.output_shapes)

    def close(self) -> None:
        self._log.append(f"close {self._name}")


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def sights(log: list[str]) -> Sights:
    return Sights(lambda canvas_wh: Blind(canvas_wh, log), 40, 0.709, 0.4)


def _look(sights: Sights, *sizes_wh: tuple[int, int]) -> None:
    for width, height in sizes_wh:
        picture = Halvings()
        picture.show(np.full((height, width, 3), 255, np.uint8))
        boxes, offsets = sights.propose(picture)
        assert boxes.shape == offsets.shape == (0, 4)


def test_the_announced_size_has_a_canvas_that_fits_exactly(sights: Sights, log: list[str]) -> None:
    sights.prepare((1280, 720))
    _look(sights, (1280, 720), (1280, 720))
    assert log == ["open 384x478"]


def test_similar_pictures_share_an_engine_and_small_ones_get_a_small_one(sights: Sights, log: list[str]) -> None:
    _look(sights, (640, 480), (630, 470), (500, 375), (120, 90))
    assert log[0].startswith("open ")
    assert len(log) in (2, 3)
    areas = [np.prod([int(side) for side in line.split()[1].split("x")]) for line in log]
    assert areas[0] > 4 * areas[-1]


def test_few_engines_stay_open_and_the_announced_one_always(sights: Sights, log: list[str]) -> None:
    sights.prepare((1280, 720))
    sizes = [(100, 100), (200, 300), (1000, 300), (300, 1000), (1600, 1200), (2000, 400), (400, 2000)]
    _look(sights, *sizes)
    closed = [line for line in log if line.startswith("close")]
    opened = [line for line in log if line.startswith("open")]
    assert len(opened) - len(closed) <= 4
    assert "close 384x478" not in log
    _look(sights, *sizes, (1280, 720))  # what was closed is opened again
    sights.close()
    assert len([line for line in log if line.startswith("open")]) == len(
        [line for line in log if line.startswith("close")]
    )


def test_a_thousand_sizes_of_photographs_do_not_pile_up(sights: Sights, log: list[str]) -> None:
    _look(sights, *((400 + 3 * i, 300 + 2 * i) for i in range(60)))
    assert len([line for line in log if line.startswith("open")]) < 10


def test_a_picture_without_a_level_needs_no_engine(sights: Sights, log: list[str]) -> None:
    sights.prepare((30, 30))
    _look(sights, (30, 30), (1, 1), (2000, 12))
    assert log == []
