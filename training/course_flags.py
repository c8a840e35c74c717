"""The flags of a course, the same for every command that teaches."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import get_args

from checkpoints.errors import DataError
from training.course import Course, LandmarkLoss


def add(parser: argparse.ArgumentParser) -> None:
    default = Course()
    group = parser.add_argument_group("the course", "what each of them means is told in training/course.py")
    for field in fields(Course):
        value = getattr(default, field.name)
        flag = f"--{field.name.replace('_', '-')}"
        if field.name == "half":
            group.add_argument(flag, action=argparse.BooleanOptionalAction, default=value)
        elif isinstance(value, tuple):
            group.add_argument(flag, type=float, nargs=len(value), default=value, metavar="X", help=f"{value}")
        elif field.name == "landmark_loss":
            group.add_argument(flag, choices=get_args(LandmarkLoss), default=value, help="(%(default)s)")
        else:
            group.add_argument(flag, type=type(value or 0.0), default=value, help="(%(default)s)")


def course(args: argparse.Namespace) -> Course:
    """DataError for numbers with which nothing can be taught."""
    wanted = Course(**{field.name: getattr(args, field.name) for field in fields(Course)})
    for name, valid, fits in (
        ("steps", "1 or more", wanted.steps >= 1),
        ("batch", "2 or more", wanted.batch >= 2),
        ("shares", "none below 0, and not all of them 0", min(wanted.shares) >= 0 and sum(wanted.shares) > 0),
        ("learning_rate", "above 0", wanted.learning_rate > 0),
        ("warm_up", "from 0 to 1", 0 <= wanted.warm_up <= 1),
        ("hardest", "above 0, at most 1", 0 < wanted.hardest <= 1),
        ("teacher", "from 0 to 1", 0 <= wanted.teacher <= 1),
        ("average", "from 0, below 1", 0 <= wanted.average < 1),
        ("checks", "1 or more", wanted.checks >= 1),
        ("observed", "from 0 to 1", 0 <= wanted.observed <= 1),
    ):
        if not fits:
            saw = f"--{name.replace('_', '-')} {getattr(wanted, name)}"
            raise DataError("Nothing can be taught like that.", saw=saw, fix=f"Valid: {valid}.")
    return wanted
