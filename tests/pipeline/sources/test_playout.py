from __future__ import annotations

import pytest

from pipeline.sources.playout import Playout

S = 1_000_000_000


def dues(*pictures: tuple[float | None, float]) -> list[float]:
    """Of pictures with these stamps that come at these moments."""
    playout = Playout()
    return [playout.due_ns(stamp_s, int(at_s * S)) / S for stamp_s, at_s in pictures]


def test_a_burst_is_shown_as_its_stamps_say() -> None:
    assert dues(*((100 + n / 4, 7.0) for n in range(5))) == pytest.approx([7, 7.25, 7.5, 7.75, 8])


def test_what_comes_a_little_late_is_caught_up_with_and_more_moves_all_that_follows() -> None:
    assert dues((0, 0), (1, 1.5), (2, 2)) == pytest.approx([0, 1, 2])
    assert dues((0, 0), (1, 3), (2, 3)) == pytest.approx([0, 3, 4])


def test_stamps_that_jump_or_are_not_there_hold_nothing_up() -> None:
    assert dues((0, 0), (1000, 0.2), (1001, 0.4), (0, 1.2), (None, 1.4), (5, 1.6)) == pytest.approx([0, 0, 1, 1, 1, 1])
