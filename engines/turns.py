"""Timing engines against each other on a machine that is never quite quiet: in turns, so that noise hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from engines.engine import Engine

TURNS = 5


def fill(engine: Engine) -> None:
    """Something to look at: noise, the same for engines of the same shape."""
    engine.input[...] = np.random.default_rng(0).integers(0, 256, engine.input_shape, np.uint8)


def median_ms(
    engines: Sequence[Engine], seconds: float, after_turn: Callable[[], object] = lambda: None
) -> list[tuple[float, int]]:
    """Of each engine the median milliseconds of one inference and how many were timed, in about `seconds` each.

    Each turn of an engine begins with an inference that is not counted: it finds the caches as another one left them.
    """
    took_ms: list[list[float]] = [[] for _ in engines]
    for _ in range(TURNS):
        for engine, mine in zip(engines, took_ms, strict=True):
            engine.run()
            end_s = time.perf_counter() + seconds / TURNS
            while True:
                start_s = time.perf_counter()
                engine.run()
                now_s = time.perf_counter()
                mine.append(1000 * (now_s - start_s))
                if now_s >= end_s:
                    break
            after_turn()
    return [(float(np.median(mine)), len(mine)) for mine in took_ms]
