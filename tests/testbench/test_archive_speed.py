"""What the speed of `index` is reckoned from, without engines: the crew works by a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from app.archive.indexing import Outcome, Surveyed, index
from app.archive.recordings import File, Origin, Part
from testbench import archive_speed
from testbench.archive_speed import Timed, steady_fps
from tests.app.archive.memory_shelf import MemoryShelf
from tests.app.archive.painted_crew import Noted, PaintedCrew, file


class Clock:
    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


class SlowCrew(PaintedCrew):
    """Two seconds for each file that is surveyed; seven until a worker is there, and three for each part."""

    clock: Clock

    def surveyed(self, files: Sequence[tuple[File, Origin]]) -> Iterator[Surveyed]:
        for told in super().surveyed(files):
            self.clock.now_s += 2.0
            yield told

    def watched(self, parts: Sequence[Part]) -> Iterator[Outcome]:
        self.clock.now_s += 7.0
        for outcome in super().watched(parts):
            self.clock.now_s += 3.0
            yield replace(outcome, took_s=3.0)


def test_the_survey_counts_and_only_the_start_of_the_engines_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    crew = SlowCrew(length_s=100.0)
    crew.clock = Clock()
    monkeypatch.setattr(archive_speed, "time", crew.clock)
    timed = Timed(crew)
    index([file(number) for number in range(4)], MemoryShelf(), timed, Noted())
    assert (timed.survey_s, timed.start_s, timed.busy_s) == (8.0, 7.0, 12.0)
    assert [frames for _, frames in timed.came] == [10] * 4
    assert steady_fps(timed.came, workers=1) == pytest.approx(30 / 9)
