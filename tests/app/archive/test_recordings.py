from __future__ import annotations

from datetime import datetime, timezone

import pytest

from app.archive.recordings import Recording, origin
from pipeline.file_names import recording_name


def recording(length_s: float, **more: object) -> Recording:
    said = {"file": "/a.mp4", "size": 9, "mtime_ns": 1, "sha256": "f" * 64, "camera": "door", "started_utc": 0.0}
    return Recording(**{**said, "began_s": 0.0, "length_s": length_s, **more})  # type: ignore[arg-type]


def utc(*moment: int) -> float:
    return datetime(*moment, tzinfo=timezone.utc).timestamp()  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("within", "camera"),
    [
        ("all/garage/2026-01-31T12-00-00.mp4", "garage"),
        ("all/garage/2026-01-31/12-00-00.mp4", "garage"),
        ("all/2026/01/31/garage_120000.mp4", "garage"),
        ("all/garage_20260131_120000.mp4", "garage"),
        ("all/20260131120000-garage.mkv", "garage"),
        ("garage/2026-01-31T12-00-00Z.mp4", "garage"),
        ("all/crowd_720p.mp4", "crowd_720p"),
        ("all/site a/hall.mp4", "site a"),
    ],
)
def test_the_camera_is_what_the_name_says_beside_the_time(within: str, camera: str) -> None:
    assert origin(within).camera == camera


def test_a_camera_that_is_given_wins() -> None:
    assert origin("all/garage/2026-01-31T12-00-00.mp4", "door").camera == "door"


@pytest.mark.parametrize(
    "within",
    [
        "a/2026-01-31T12-00-00Z.mp4",
        "a/2026/01/31/12.00.00Z.mp4",
        "a/cam 20260131T120000Z.ts",
        "a/2026-01-31/12h00m00Z.mp4",
    ],
)
def test_the_beginning_is_what_the_name_says(within: str) -> None:
    assert origin(within).started_utc == utc(2026, 1, 31, 12)


def test_a_time_without_a_zone_is_this_machines() -> None:
    assert origin("a/2026-01-31T12-00-00.mp4").started_utc == datetime(2026, 1, 31, 12).timestamp()  # noqa: DTZ001


@pytest.mark.parametrize("within", ["a/door.mp4", "a/20261399_120000.mp4", "a/12345678901234567890.mp4"])
def test_a_name_without_a_time_tells_none(within: str) -> None:
    assert origin(within).started_utc is None


def test_parts_hold_the_whole_recording_once() -> None:
    parts = recording(1000.0).parts(part_s=300.0)
    assert [(part.from_s, part.to_s) for part in parts] == [(0, 300), (300, 600), (600, 900), (900, None)]
    assert sum(part.length_s for part in parts) == 1000


def test_a_short_rest_belongs_to_the_last_part() -> None:
    assert [(part.from_s, part.to_s) for part in recording(930.0).parts(part_s=300.0)] == [
        (0, 300),
        (300, 600),
        (600, None),
    ]


@pytest.mark.parametrize("length_s", [0.0, 4.2, 300.0])
def test_a_short_recording_or_one_that_does_not_say_is_one_part(length_s: float) -> None:
    (part,) = recording(length_s).parts()
    assert (part.from_s, part.to_s) == (0, None)


def test_a_part_is_known_by_the_content_not_by_the_name() -> None:
    (one,), (other) = recording(4.0).parts(), recording(4.0, file="/moved.mp4", camera="hall").parts()
    assert one.id == other[0].id
    assert recording(4.0, sha256="0" * 64).parts()[0].id != one.id
    assert len({part.id for part in recording(1000.0).parts()}) == 4


def test_recordings_of_a_run_tell_camera_and_time_by_themselves() -> None:
    told = origin(f"films/{recording_name('front door', '2026-01-31T12:00:00.000Z')}")
    assert (told.camera, told.started_utc) == ("front_door", utc(2026, 1, 31, 12))
