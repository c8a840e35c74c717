from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from app.fleet.collect import Collecting
from app.fleet.journeys import Seen, Stay, journeys, seen_in
from app.fleet.travelling import journeys_table
from pipeline import events
from pipeline.event_log import line_of
from pipeline.outlets.stored import written

START = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def at(minute: float) -> str:
    return written(START + timedelta(minutes=minute))


def seen(camera: str, first: float, last: float | None = None) -> Seen:
    return Seen(camera, at(first), at(first if last is None else last))


def test_from_camera_to_camera_is_one_journey() -> None:
    (journey,) = journeys("Ann", [seen("yard", 6, 7), seen("door", 0), seen("door", 0.5), seen("hall", 2, 3)])
    assert journey.cameras == ["door", "hall", "yard"]
    assert journey.stays[0] == Stay("door", at(0), at(0.5), 2)
    assert (journey.first, journey.last) == (at(0), at(7))


def test_who_comes_back_to_a_camera_stands_there_again() -> None:
    (journey,) = journeys("Ann", [seen("door", 0), seen("hall", 2), seen("door", 4)])
    assert journey.cameras == ["door", "hall", "door"]


def test_who_is_away_for_long_begins_another_journey() -> None:
    found = journeys("Ann", [seen("door", 0), seen("hall", 29), seen("door", 60)], pause_s=1800)
    assert [journey.cameras for journey in found] == [["door", "hall"], ["door"]]
    assert len(journeys("Ann", [seen("door", 0), seen("hall", 29), seen("door", 60)], pause_s=1861)) == 1


def test_a_long_stay_in_one_view_is_no_pause_in_another() -> None:
    """Views overlap: who stands in one for an hour and leaves by another has not been away."""
    (journey,) = journeys("Ann", [seen("hall", 0, 60), seen("door", 1), seen("yard", 70)])
    assert journey.cameras == ["hall", "door", "yard"]
    assert journey.last == at(70)


@pytest.mark.parametrize(("gap_s", "stays"), [(29, 2), (31, 1)])
def test_how_long_a_face_may_be_hidden(gap_s: float, stays: int) -> None:
    (journey,) = journeys("Ann", [seen("door", 0), seen("door", 0.5)], stay_gap_s=gap_s)
    assert len(journey.stays) == stays


def test_nobody_has_no_journey() -> None:
    assert journeys("Ann", []) == []


def identity(camera: str, minute: float, name: str | None, frame: int) -> dict[str, Any]:
    one = {"type": "identity", "camera": camera, "t": at(minute), "name": name, "track": 1, "state": "known"}
    return {**one, "id": f"{camera}/{frame}/1", "run": "2026", "uid": f"2026:{camera}/{frame}/1"}


def test_the_store_of_the_fleet_tells_where_somebody_was(tmp_path: Path) -> None:
    collecting = Collecting(tmp_path)
    told = [
        identity("door", 0, "Ann", 1),
        identity("hall", 3, "Ann", 2),
        identity("hall", 3, "Bob", 3),
        identity("yard", -90, "Ann", 4),
        {**events.camera("door", "lost"), "run": "2026", "uid": "x"},
    ]
    assert collecting.take(b"\n".join(line_of(one) for one in told)) == 5
    found = journeys("Ann", seen_in(collecting.store, "Ann", at(-60)))
    assert [journey.cameras for journey in found] == [["door", "hall"]]
    assert journeys_table(found).splitlines()[1] == "Ann  2026-01-01 12:00  12:03  door → hall"
