from __future__ import annotations

import argparse

import pytest

from checkpoints.errors import DataError
from training import course_flags
from training.course import Course


def parsed(*flags: str) -> Course:
    parser = argparse.ArgumentParser()
    course_flags.add(parser)
    return course_flags.course(parser.parse_args(flags))


def test_without_flags_it_is_the_usual_course() -> None:
    assert parsed() == Course()


def test_every_setting_has_its_flag() -> None:
    flags = ["--steps", "9", "--shares", "1", "2", "3", "4", "--no-half", "--focal", "2", "--landmark-loss", "wing"]
    course = parsed(*flags)
    assert (course.steps, list(course.shares), course.half) == (9, [1, 2, 3, 4], False)
    assert (course.focal, course.landmark_loss) == (2, "wing")


@pytest.mark.parametrize(
    "flags",
    [
        ["--steps", "0"],
        ["--batch", "1"],
        ["--shares", "0", "0", "0", "0"],
        ["--shares", "1", "-1", "1", "1"],
        ["--learning-rate", "0"],
        ["--warm-up", "2"],
        ["--hardest", "0"],
        ["--teacher", "1.5"],
        ["--average", "1"],
        ["--checks", "0"],
        ["--observed", "-1"],
    ],
)
def test_numbers_with_which_nothing_can_be_taught_are_refused(flags: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        parsed(*flags)
    assert (caught.value.saw or "").startswith(flags[0])
