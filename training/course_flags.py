"""The flags of a course, the same for every command that teaches."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import get_args

from training.course import Course, LandmarkLoss


def add(parser: argparse.ArgumentParser) -> None:
    default = Course()
    told = "see training/course.py"
    for field in fields(Course):
        value = getattr(default, field.name)
        flag = f"--{field.name.replace('_', '-')}"
        if field.name == "half":
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=value, help=told)
        elif isinstance(value, tuple):
            parser.add_argument(flag, type=float, nargs=len(value), default=value, metavar="X", help=f"{value}")
        elif field.name == "landmark_loss":
            parser.add_argument(flag, choices=get_args(LandmarkLoss), default=value, help="(%(default)s)")
        else:
            parser.add_argument(flag, type=type(value or 0.0), default=value, help="(%(default)s)")


def course(args: argparse.Namespace) -> Course:
    return Course(**{field.name: getattr(args, field.name) for field in fields(Course)})
