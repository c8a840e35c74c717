from __future__ import annotations

import numpy as np
import pytest

from training.course import Course, learning_rate


def test_the_rate_rises_then_falls_to_its_last_share() -> None:
    course = Course(steps=1000, learning_rate=0.1, warm_up=0.1, last_rate=0.01)
    rates = [learning_rate(step, course) for step in range(course.steps + 1)]
    assert np.all(np.diff(rates[:100]) > 0)
    assert np.all(np.diff(rates[100:]) < 0)
    assert max(rates) == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.001)


def test_a_course_of_one_step_has_a_rate() -> None:
    assert learning_rate(0, Course(steps=1)) > 0
