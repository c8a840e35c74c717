from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.canvas import level_sizes, paint, plan
from engines.engine import Engine
from engines.halvings import Halvings
from engines.load import opener
from engines.models import detector_model
from engines.options import EngineOptions, Precision
from engines.proposals import map_length

SIZES = [(1280, 720), (640, 360), (719, 1281), (250, 250), (97, 41), (40, 40), (1200, 50)]


def test_levels_shrink_to_the_window_and_start_at_the_smallest_face() -> None:
    sizes = level_sizes((1280, 720), 40, 0.709)
    assert sizes[0] == (384, 216)
    assert min(sizes[-1]) in (12, 14, 16)
    assert [length % 2 for size in sizes for length in size] == [0] * 2 * len(sizes)


@pytest.mark.parametrize("picture_wh", [(39, 39), (500, 11), (1, 1)])
def test_a_picture_smaller_than_the_smallest_face_has_no_level(picture_wh: tuple[int, int]) -> None:
    assert plan(picture_wh, 40, 0.709).levels == ()


@pytest.mark.parametrize("picture_wh", SIZES)
@pytest.mark.parametrize("min_face_px", [20, 40])
def test_levels_lie_on_even_places_beside_each_other(picture_wh: tuple[int, int], min_face_px: int) -> None:
    canvas = plan(picture_wh, min_face_px, 0.709)
    boxes = [(*level.offset_xy, *np.add(level.offset_xy, level.size_wh).tolist()) for level in canvas.levels]
    assert all(side % 2 == 0 for box in boxes for side in box)
    assert (max(box[2] for box in boxes), max(box[3] for box in boxes)) == canvas.size_wh
    for one, other in combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_little_of_the_canvas_is_empty() -> None:
    canvas = plan((1280, 720), 40, 0.709)
    used = sum(level.size_wh[0] * level.size_wh[1] for level in canvas.levels)
    assert used > 0.9 * canvas.size_wh[0] * canvas.size_wh[1]


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("picture_wh", [(320, 180), (251, 199)])
def test_pnet_sees_each_level_as_if_it_were_alone(
    picture_wh: tuple[int, int],
    precision: Precision,
    options: EngineOptions,
    model: Callable[[str], str],
    astronaut: NDArray[np.uint8],
) -> None:
    """To the last bit."""
    width, height = picture_wh
    shown = EngineOptions(model("mtcnn_reference"), precision=precision, models=options.models, cache=options.cache)
    pnet, open_engine = detector_model(shown), opener(shown)

    def opened(size_wh: tuple[int, int]) -> Engine:
        return open_engine(pnet.spec(shown, "pnet", ("scores", "boxes"), size_wh=size_wh, log_odds=("scores",)))

    canvas = plan(picture_wh, 20, 0.709)
    picture = Halvings()
    picture.show(astronaut[:height, 100 : 100 + width])
    whole = opened(canvas.size_wh)
    whole.input[:] = np.random.default_rng(1).integers(0, 256, whole.input_shape, np.uint8)
    paint(picture, canvas, whole.input[0])
    odds, offsets = whole.run()
    assert len(canvas.levels) > 4
    for level in canvas.levels:
        alone = opened(level.size_wh)
        alone_odds, alone_offsets = alone.run(level.view(whole.input[0])[None])
        left, top = np.array(level.offset_xy) // 2
        cells = np.s_[:, top : top + map_length(level.size_wh[1]), left : left + map_length(level.size_wh[0])]
        np.testing.assert_array_equal(odds[cells], alone_odds)
        np.testing.assert_array_equal(offsets[cells], alone_offsets)
        alone.close()
    whole.close()


def test_a_level_shows_the_whole_picture_evenly() -> None:
    """A ramp from left to right and one from top to bottom come out as ramps on every level, where they belong."""
    width, height = 513, 300
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    ramps = np.stack([across, down, np.zeros_like(across)], axis=-1).astype(np.uint8)
    picture, canvas = Halvings(), plan((width, height), 20, 0.709)
    picture.show(ramps)
    out = np.zeros((canvas.size_wh[1], canvas.size_wh[0], 3), np.uint8)
    paint(picture, canvas, out)
    for level in canvas.levels:
        columns = (np.arange(level.size_wh[0]) + 0.5) * level.scale_xy[0] - 0.5
        rows = (np.arange(level.size_wh[1]) + 0.5) * level.scale_xy[1] - 0.5
        seen = level.view(out).astype(float)
        np.testing.assert_allclose(seen[..., 0], np.tile(columns * 255 / (width - 1), (len(rows), 1)), atol=2)
        np.testing.assert_allclose(seen[..., 1].T, np.tile(rows * 255 / (height - 1), (len(columns), 1)), atol=2)
