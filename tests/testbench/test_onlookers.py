from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

import pytest

from testbench import onlookers
from testbench.onlookers import Turn


def test_the_middle_turns_are_compared(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    p99s_ms: Iterator[float] = iter([50.0, 60.0, 40.0, 44.0, 42.0, 40.0])
    asked = []

    def measure(args: argparse.Namespace, browsers: int, *, deaf: bool = False) -> Turn:
        asked.append((browsers, deaf))
        if deaf:
            return Turn(25.0, 40.0, 0, 0.0, (100.0, 101.25))
        return Turn(25.0 if not browsers else 24.5, next(p99s_ms), 0, 12.0 if browsers else 0.0, (100.0, 100.0))

    monkeypatch.setattr(onlookers, "measure", measure)
    assert onlookers.main(["--source", "clip.mp4", "--browsers", "6", "--turns", "3"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert asked == [*[(0, False), (6, False)] * 3, (0, True)]
    assert (told["without"]["p99_ms"], told["with"]["p99_ms"]) == (42.0, 44.0)
    assert (told["fps_ratio"], told["p99_ratio"]) == (0.98, round(44 / 42, 3))
    assert told["with"]["pictures_fps"] == 12.0
    assert told["never_reads"]["grown_mb"] == 1.2
