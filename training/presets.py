"""How much is done on the whole way, from a trial of a minute to days on GPUs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from training.course import Course
from training.mine import Mining
from training.operating_point import IN_PROGRAM
from training.prune import Cuts
from training.shapes import Form, Part

_TEACHER = 0.6  # what the published networks say of a piece counts more than what its label says


@dataclass(frozen=True, slots=True)
class Lesson:
    """Of one network: its form, what it learns from and how, and how it learns to round and to be small.

    looks_around  how it learns from windows at random, before it learns from what it then takes for faces; P-Net only
    """

    form: Form
    looks_around: Course | None
    mining: Mining
    course: Course
    rounding: Course
    cuts: Cuts
    recovery: Course


@dataclass(frozen=True, slots=True)
class Preset:
    """seconds       of each network in the table of speeds
    least_scores  from which on each network is taken at its word
    """

    lessons: Mapping[Part, Lesson]
    seconds: float
    least_scores: Mapping[Part, float] = field(default_factory=lambda: dict(IN_PROGRAM))


def lesson(
    form: Form, scenes: int, steps: int, batch: int, *, to: float, landmarks: float = 0.5, twice: bool = False
) -> Lesson:
    """Looking around takes half of the steps, rounding a quarter, and a small network half behind its last cut."""
    course = Course(steps=steps, batch=batch, weights=(1.0, 0.5, landmarks), teacher=_TEACHER)
    looks_around = replace(course, steps=max(1, steps // 2)) if twice else None
    rounding = replace(course, steps=max(1, steps // 4), learning_rate=5e-5, warm_up=0.05)
    recovery = replace(course, steps=max(1, steps // 2), learning_rate=1e-3)
    return Lesson(form, looks_around, Mining(scenes=scenes), course, rounding, Cuts(to=to), recovery)


def _tiny(form: Form, steps: int) -> Lesson:
    made = lesson(form, scenes=60, steps=steps, batch=128, to=0.4)
    few = replace(made.mining, held_out=0.2)
    cuts = replace(made.cuts, rounds=1)
    courses = (
        replace(each, checks=2, average=0.95, teacher=0.0) for each in (made.course, made.rounding, made.recovery)
    )
    course, rounding, recovery = courses
    return Lesson(form, None, few, course, rounding, cuts, recovery)


PRESETS: Mapping[str, Preset] = {
    "tiny": Preset(
        {"pnet": _tiny("strided", 120), "rnet": _tiny("light", 100), "onet": _tiny("light", 80)}, seconds=0.2
    ),
    "cpu": Preset(
        {
            "pnet": lesson("strided", 8_000, 20_000, 512, to=0.4, twice=True),
            "rnet": lesson("strided", 8_000, 16_000, 512, to=0.37),
            "onet": lesson("large", 8_000, 14_000, 256, to=0.38, landmarks=1.0),
        },
        seconds=3,
    ),
    "full": Preset(
        {
            "pnet": lesson("large", 40_000, 200_000, 2048, to=0.25, twice=True),
            "rnet": lesson("large", 40_000, 200_000, 2048, to=0.37),
            "onet": lesson("large", 40_000, 200_000, 1024, to=0.38, landmarks=1.0),
        },
        seconds=3,
    ),
}
