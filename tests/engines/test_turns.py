from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from engines import turns
from engines.turns import TURNS, fill, median_ms


class Counted:
    """An engine that takes so many seconds of a clock that only it moves, and writes down whose turn it was."""

    input_shape = (2, 4, 4, 3)
    output_names = ()
    output_shapes = ()

    def __init__(self, name: str, takes_s: float, pass_time: Callable[[float], None], order: list[str]) -> None:
        self.input = np.zeros(self.input_shape, np.uint8)
        self._name, self._takes_s, self._pass_time, self._order = name, takes_s, pass_time, order

    def run(self, batch: NDArray[np.uint8] | None = None) -> tuple[NDArray[np.float32], ...]:
        self._order.append(self._name)
        self._pass_time(self._takes_s)
        return ()

    def close(self) -> None: ...


def test_engines_take_turns_and_the_first_inference_of_a_turn_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, order, ended = 0.0, list[str](), list[int]()

    def pass_time(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    monkeypatch.setattr(turns.time, "perf_counter", lambda: now_s)
    quick, slow = Counted("quick", 0.25, pass_time, order), Counted("slow", 2.0, pass_time, order)
    times = median_ms([quick, slow], TURNS * 1.0, lambda: ended.append(1))
    assert times == [(250, 4 * TURNS), (2000, TURNS)]
    assert order == (["quick"] * 5 + ["slow"] * 2) * TURNS
    assert len(ended) == 2 * TURNS


def test_no_engines() -> None:
    assert median_ms([], 1.0) == []


def test_engines_of_one_shape_see_the_same() -> None:
    one, other = Counted("one", 0, lambda _: None, []), Counted("other", 0, lambda _: None, [])
    fill(one)
    fill(other)
    np.testing.assert_array_equal(one.input, other.input)
    assert one.input.std() > 50
