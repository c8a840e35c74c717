from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config import CameraConfig, ClipsConfig, GalleryConfig, OutputConfig, RecordingsConfig, RunConfig
from pipeline.disk_watch import DiskWatch, folders

MB = 1_000_000
S = 1_000_000_000


class Disk:
    """Of a gigabyte, of which a clip takes 10 MB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clips = folder / "clips"
        self.clips.mkdir()
        self.other_mb = 0
        self.now_ns = 0
        for hour in range(5):
            clip = self.clips / f"door-2026-01-31T0{hour}_00_00_000Z.mp4"
            clip.write_bytes(b"film")
            os.utime(clip, (hour, hour))
        (self.clips / "holiday.mp4").write_bytes(b"not ours")

    @property
    def config(self) -> RunConfig:
        return RunConfig(
            (CameraConfig("door", "rtsp://door", "rtsp://door", live=True),),
            output=OutputConfig(events=self.folder / "events.jsonl", clips=ClipsConfig(self.clips)),
            gallery=GalleryConfig(path=self.folder / "not" / "yet" / "there"),
        )

    def usage(self, _folder: Path) -> tuple[int, int, int]:
        used = self.other_mb + 10 * len(list(self.clips.glob("door*")))
        return 1000 * MB, used * MB, (1000 - used) * MB

    def watch(self, reserve_mb: float) -> DiskWatch:
        return DiskWatch(self.config, reserve_mb, usage=self.usage, clock_ns=self._clock)

    def _clock(self) -> int:
        self.now_ns += 10 * S
        return self.now_ns


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_the_oldest_clips_go_and_no_more_than_needed(disk: Disk) -> None:
    watch = disk.watch(reserve_mb=40)
    assert watch.look() == []
    disk.other_mb = 930
    (told,) = watch.look()
    assert str(told) == f"only 40 MB are left on the disk of {disk.folder}; 2 old films were erased"
    assert sorted(path.name[:17] for path in disk.clips.iterdir()) == [
        "door-2026-01-31T0",
        "door-2026-01-31T0",
        "door-2026-01-31T0",
        "holiday.mp4",
    ]
    assert not (disk.clips / "door-2026-01-31T01_00_00_000Z.mp4").exists()
    (enough,) = watch.look()
    assert enough.state == "enough"
    assert watch.look() == []


def test_files_of_others_stay_even_when_it_does_not_suffice(disk: Disk) -> None:
    watch = disk.watch(reserve_mb=40)
    disk.other_mb = 990
    (told,) = watch.look()
    assert (told.state, told.erased) == ("low", 5)
    assert [path.name for path in disk.clips.iterdir()] == ["holiday.mp4"]
    assert watch.look() == [], "it is told once"


def test_a_small_disk_keeps_a_twentieth_free(disk: Disk) -> None:
    watch = disk.watch(reserve_mb=100_000)
    disk.other_mb = 890
    assert watch.look() == []
    disk.other_mb = 901
    assert [room.erased for room in watch.look()] == [1]


def test_each_disk_is_looked_at_once(disk: Disk) -> None:
    assert folders(disk.config) == [disk.folder]


def test_complete_recordings_make_room_and_the_one_that_is_written_does_not(disk: Disk) -> None:
    recordings = disk.folder / "recordings"
    recordings.mkdir()
    for name, age_s in (("door_20260131_120000Z.mp4", 0.5), ("door_20260131_130000Z.mp4", 9.0), ("mine.mp4", 0.1)):
        (recordings / name).write_bytes(b"film")
        os.utime(recordings / name, (age_s, age_s))
    (recordings / "door_20260131_140000Z.mp4").write_bytes(b"written just now")
    output = replace(disk.config.output, recordings=RecordingsConfig(recordings))

    def usage(folder: Path) -> tuple[int, int, int]:
        used = disk.usage(folder)[1] + 10 * MB * len(list(recordings.glob("door*")))
        return 1000 * MB, used, 1000 * MB - used

    watch = DiskWatch(replace(disk.config, output=output), 40, usage=usage, clock_ns=disk._clock)
    disk.other_mb = 920
    assert [room.erased for room in watch.look()] == [4]  # the clip of hour 0, a recording, the clips of hours 1 and 2
    left = sorted(path.name for path in recordings.iterdir())
    assert left == ["door_20260131_130000Z.mp4", "door_20260131_140000Z.mp4", "mine.mp4"]
    disk.other_mb = 990
    watch.look()
    assert sorted(path.name for path in recordings.iterdir()) == ["door_20260131_140000Z.mp4", "mine.mp4"]
