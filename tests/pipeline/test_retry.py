from __future__ import annotations

import pytest

from pipeline.retry import Retry

S = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> int:
        return int(self.now_s * S)

    def until_due(self, retry: Retry) -> float:
        """How long it takes."""
        began_s = self.now_s
        while not retry.take():
            self.now_s += 1
        assert not retry.take()
        return self.now_s - began_s


def test_what_fails_again_and_again_is_tried_ever_more_slowly_until_it_has_lasted() -> None:
    clock = Clock()
    retry = Retry(is_wished=True, clock_ns=clock)
    assert not retry.take()
    pauses_s = []
    for _ in range(6):
        retry.failed()
        pauses_s.append(clock.until_due(retry))
    assert pauses_s == pytest.approx([60, 120, 240, 480, 600, 600])
    clock.now_s += 601
    retry.failed()
    assert clock.until_due(retry) == 60


def test_a_run_that_has_an_end_tries_nothing_again() -> None:
    clock = Clock()
    retry = Retry(is_wished=False, clock_ns=clock)
    retry.failed()
    clock.now_s = 1e6
    assert not retry.take()
