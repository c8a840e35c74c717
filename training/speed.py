"""How long each network of several cascades takes, one part after the other, the cascades in turns."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing

from engines.canvas import plan
from engines.models import OpenEngine
from engines.options import EngineOptions
from engines.turns import fill, median_ms
from training.shapes import PARTS, Part
from training.trio import BATCHES, Trio

PICTURE_WH = (640, 360)


def measure(
    trios: Sequence[Trio], open_engine: OpenEngine, config: EngineOptions, seconds: float
) -> dict[Part, dict[str, float]]:
    """Part → cascade → milliseconds of an inference: P-Net's canvas for PICTURE_WH, the others' usual batch."""
    canvas_wh = plan(PICTURE_WH, config.min_face_px, config.pyramid_factor).size_wh
    took: dict[Part, dict[str, float]] = {}
    for part in PARTS:
        size_wh = canvas_wh if part == "pnet" else None
        with ExitStack() as stack:
            engines = [
                stack.enter_context(closing(trio.engine(open_engine, part, batch=BATCHES[part], size_wh=size_wh)))
                for trio in trios
            ]
            for engine in engines:
                fill(engine)
            times = median_ms(engines, seconds)
        took[part] = {trio.name: ms for trio, (ms, _) in zip(trios, times, strict=True)}
    return took
