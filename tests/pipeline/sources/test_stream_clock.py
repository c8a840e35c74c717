from __future__ import annotations

from itertools import pairwise

import pytest

from pipeline.sources.stream_clock import StreamClock

FPS = 25.0
MS = 10**6


def times_s(stamps_s: list[float | None], arrivals_s: list[float] | None = None) -> list[float]:
    clock = StreamClock()
    arrivals_s = arrivals_s or [index / FPS for index in range(len(stamps_s))]
    return [clock.at(stamp, round(at * 1e9)) for stamp, at in zip(stamps_s, arrivals_s, strict=True)]


def test_jitter_of_the_network_is_not_motion() -> None:
    even = [index / FPS for index in range(200)]
    late = [at + (0.2 if index % 7 == 3 else 0.0) for index, at in enumerate(even)]
    late = [max(late[: index + 1]) for index in range(len(late))]
    found = times_s(list(even), late)
    steps = [after - before for before, after in pairwise(found)]
    assert max(abs(step - 1 / FPS) for step in steps) < 0.01


@pytest.mark.parametrize("jump_s", [-10_000.0, -0.5, 10_000.0, 2.0])
def test_a_jump_of_the_cameras_clock_is_not_seen(jump_s: float) -> None:
    stamps = [index / FPS + (jump_s if index >= 50 else 0.0) for index in range(100)]
    found = times_s(list(stamps))
    steps = [after - before for before, after in pairwise(found)]
    assert min(steps) > 0
    assert max(steps) < 0.2
    assert found[-1] == pytest.approx(99 / FPS, abs=0.5)


@pytest.mark.parametrize("stamp", [7.0, None])
def test_a_clock_that_stands_still_is_replaced_by_the_machines(stamp: float | None) -> None:
    assert times_s([stamp] * 100) == pytest.approx([index / FPS for index in range(100)], abs=1e-6)


def test_a_camera_that_counts_too_slowly_is_followed() -> None:
    found = times_s([index / FPS * 0.9 for index in range(5000)])
    assert found[-1] == pytest.approx(4999 / FPS, abs=0.5)
    assert max(after - before for before, after in pairwise(found)) < 0.1
