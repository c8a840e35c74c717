from __future__ import annotations

import threading
from typing import Any

import pytest

from checkpoints.errors import Unreachable
from pipeline.sources.opening import Opening
from pipeline.topic import Stopped

TOO_LATE = Unreachable("too late")


def test_what_is_opened_is_given(pulse: Any) -> None:
    assert Opening(lambda: "stream").wait(pulse, 60, TOO_LATE) == "stream"


def test_what_is_wrong_is_raised_here(pulse: Any) -> None:
    def refuse() -> str:
        raise Unreachable("nobody there")

    with pytest.raises(Unreachable, match="nobody there"):
        Opening(refuse).wait(pulse, 60, TOO_LATE)


def test_what_never_answers_is_left_behind_with_a_beating_heart(pulse: Any) -> None:
    answer = threading.Event()
    with pytest.raises(Unreachable, match="too late"):
        Opening(answer.wait).wait(pulse, 0.2, TOO_LATE)
    assert pulse.beats >= 2
    answer.set()


def test_who_is_asked_to_stop_does_not_wait(pulse: Any) -> None:
    answer = threading.Event()
    pulse.stop_after = 1
    with pytest.raises(Stopped):
        Opening(answer.wait).wait(pulse, 1000, TOO_LATE)
    answer.set()
