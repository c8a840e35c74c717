"""What is too old goes by itself: films, and the parts of a file of events that no outlet looks after."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from checkpoints.errors import OutputError
from pipeline.config import CameraConfig, ClipsConfig, OutletsConfig, OutputConfig, RecordingsConfig, RunConfig
from pipeline.event_log import EventLog
from pipeline.expiry import Expiry
from pipeline.hours import Hours
from pipeline.outlets.stored import written
from pipeline.parts import all_parts

DAY_S = 86_400.0
NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc).timestamp()
CLIP, RECORDING = "door-2026-01-01T00_00_00_000Z.mp4", "door_20260101_000000Z.mp4"


class Clocks:
    def __init__(self) -> None:
        self.wall_s, self.mono_s = NOON, 5.0

    def go_on(self, seconds: float, *, leap_s: float = 0.0) -> None:
        self.mono_s += seconds
        self.wall_s += seconds + leap_s


class Run:
    """With clips that are kept for two days, recordings for one, and events for three."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clocks = Clocks()
        output = OutputConfig(
            events=folder / "e.jsonl",
            event_days=3,
            clips=ClipsConfig(folder / "clips", days=2),
            recordings=RecordingsConfig(folder / "recordings", days=1),
        )
        self.config = RunConfig((CameraConfig("door", "demo", "demo"),), output=output)
        hours = Hours(wall_s=lambda: self.clocks.wall_s, clock_ns=lambda: int(self.clocks.mono_s * 1e9))
        self.expiry = Expiry(self.config, hours)

    def make(self, place: str) -> Path:
        path = self.folder / place
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"film")
        os.utime(path, (self.clocks.wall_s, self.clocks.wall_s))
        return path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_films_go_each_after_their_days_and_other_files_stay(run: Run) -> None:
    clip, recording = run.make(f"clips/{CLIP}"), run.make(f"recordings/{RECORDING}")
    others = [run.make("clips/holiday.mp4"), run.make("recordings/holiday.mp4"), run.make(f"recordings/{CLIP}")]
    assert run.expiry.tick() is None
    assert clip.exists() and recording.exists()
    run.clocks.go_on(DAY_S + 1)
    assert run.expiry.tick() is None
    assert clip.exists() and not recording.exists()
    run.clocks.go_on(DAY_S)
    assert run.expiry.tick() is None
    assert not clip.exists()
    assert all(path.exists() for path in others)


def test_a_clock_that_leaps_erases_no_film(run: Run) -> None:
    clip = run.make(f"clips/{CLIP}")
    run.expiry.tick()
    run.clocks.go_on(10, leap_s=31 * DAY_S)
    run.expiry.tick()
    run.clocks.go_on(DAY_S - 100)
    run.expiry.tick()
    assert clip.exists()
    run.clocks.go_on(100)
    run.expiry.tick()
    assert not clip.exists(), "a leap that is true counts after a day"


def test_a_file_of_events_begins_anew_each_day_and_its_parts_go(run: Run) -> None:
    path = run.folder / "e.jsonl"
    log = EventLog(path)
    for _ in range(6):
        log.append({"type": "x", "t": written(datetime.fromtimestamp(run.clocks.wall_s, timezone.utc))})
        os.utime(path, (run.clocks.wall_s, run.clocks.wall_s))
        run.clocks.go_on(DAY_S + 1)
        assert run.expiry.tick() is None
    assert [part.name for part in all_parts(path)] == ["e.000005.jsonl", "e.000006.jsonl", "e.jsonl"]
    log.close()


def test_what_a_killed_deletion_has_left_goes(run: Run) -> None:
    left = run.make(".e.000001.jsonl.77")
    run.expiry.tick()
    assert not left.exists()


def test_where_outlets_look_after_events_they_are_left_alone(run: Run) -> None:
    part = run.make("e.000001.jsonl")
    run.expiry.adopt(replace(run.config, outlets=OutletsConfig()))
    run.clocks.go_on(100 * DAY_S)
    run.expiry.tick()
    assert part.exists()


def test_other_settings_count_from_the_next_hour_on(run: Run) -> None:
    clip = run.make(f"clips/{CLIP}")
    run.expiry.tick()
    run.expiry.adopt(replace(run.config, output=OutputConfig(clips=ClipsConfig(run.folder / "clips", days=0.01))))
    run.clocks.go_on(3000)
    run.expiry.tick()
    assert clip.exists()
    run.clocks.go_on(700)
    run.expiry.tick()
    assert not clip.exists()


def test_what_cannot_be_erased_is_told_once_and_tried_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = run.make(f"clips/{CLIP}")

    def not_yours(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    run.clocks.go_on(3 * DAY_S)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", not_yours)
        error = run.expiry.tick()
        assert isinstance(error, OutputError) and CLIP in str(error)
        run.clocks.go_on(3601)
        assert run.expiry.tick() is None
    run.clocks.go_on(3601)
    assert run.expiry.tick() is None
    assert not clip.exists()
