from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from checkpoints.errors import OutputError
from pipeline.event_log import EventLog
from pipeline.outlets.reception import Reception
from pipeline.outlets.store import Store
from pipeline.outlets.stored import LARGEST_ID, Wanted


def told(frame: int, track: int, name: str | None = None, *, camera: str = "door", **more: Any) -> dict[str, Any]:
    return {
        "type": "identity",
        "camera": camera,
        "frame": frame,
        "t": f"2026-01-31T12:00:{frame:02}.000Z",
        "track": track,
        "name": name,
        "state": "known" if name else "unknown",
        "id": f"{camera}/{frame}/{track}",
        **more,
    }


def filled(folder: Path, *events: dict[str, Any]) -> Store:
    log = EventLog(folder / "e.jsonl")
    for event in events:
        log.append(event)
    log.close()
    store = Store(folder / "store")
    Reception(store, folder / "e.jsonl").take_all()
    return store


def frames(store: Store, wanted: Wanted, **more: Any) -> list[int]:
    return [event.body["frame"] for event in store.events(wanted, **more)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    camera_up = {"type": "camera", "camera": "door", "state": "up", "t": "2026-01-31T12:00:00.000Z"}
    return filled(
        tmp_path,
        camera_up,
        told(1, 1),
        told(2, 1, "Ann"),
        told(3, 1, "Zoë", camera="yard"),
        told(4, 2, "Ann"),
        told(5, 3),
    )


def test_the_newest_come_first_and_only_faces_unless_asked(store: Store) -> None:
    assert frames(store, Wanted()) == [5, 4, 3, 2, 1]
    assert [event.body["type"] for event in store.events(Wanted(kind=None))][-1] == "camera"
    assert [event.body["state"] for event in store.events(Wanted(kind="camera"))] == ["up"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(person="Ann"), [4, 2]),
        (Wanted(person="Zoë"), [3]),
        (Wanted(person="' OR 1 --"), []),
        (Wanted(camera="yard"), [3]),
        (Wanted(state="unknown"), [5, 1]),
        (Wanted(person="Ann", state="unknown"), []),
        (Wanted(since=datetime(2026, 1, 31, 12, 0, 3, tzinfo=timezone.utc)), [5, 4, 3]),
        (Wanted(until=datetime(2026, 1, 31, 12, 0, 3, tzinfo=timezone.utc)), [2, 1]),
    ],
)
def test_what_is_wanted_is_found_and_counted(store: Store, wanted: Wanted, expected: list[int]) -> None:
    assert frames(store, wanted) == expected
    assert store.count(wanted) == len(expected)
    assert [event.body["frame"] for event in store.all(wanted, at_once=1)] == expected[::-1]


def test_pages_follow_on_each_other(store: Store) -> None:
    first = store.events(Wanted(), limit=2)
    second = store.events(Wanted(before=first[-1].id), limit=2)
    assert [event.body["frame"] for event in first + second] == [5, 4, 3, 2]
    assert frames(store, Wanted(after=second[-1].id), newest_first=False) == [3, 4, 5]
    assert store.last_id() == first[0].id


@pytest.mark.parametrize("one", [0, -1, LARGEST_ID, LARGEST_ID + 1, 10**30])
def test_an_id_that_nobody_has_is_nobodys(store: Store, one: int) -> None:
    assert store.event(one) is None
    assert store.crop(one) is None
    assert len(store.events(Wanted(before=one))) == (5 if one > 5 else 0)


def test_a_time_without_a_zone_is_a_mistake_of_the_program(store: Store) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        store.events(Wanted(since=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_a_crop_belongs_to_its_event_and_to_those_that_repeat_the_name(tmp_path: Path) -> None:
    why: dict[str, Any] = {"threshold": 0.4, "shots": []}
    store = filled(tmp_path, told(1, 1, "Ann", why=why), told(2, 1, "Ann"), told(3, 2, "Ann"), told(4, 1, "Ann"))
    first, second, other, _ = reversed(store.events(Wanted()))
    store.crops.write(first.key, b"jpeg")
    assert [store.crop(event.id) for event in (first, second, other)] == [b"jpeg", b"jpeg", None]
    explained = store.explained(second)
    assert explained is not None and explained.id == first.id
    assert store.explained(other) is None


def test_the_names_that_events_tell(store: Store) -> None:
    assert store.people() == ["Ann", "Zoë"]


def test_a_damaged_store_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "events.sqlite").write_bytes(b"no database " * 100)
    with pytest.raises(OutputError, match="store of events cannot be used"):
        Store(tmp_path)


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    with Store(tmp_path).database.writing() as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(OutputError, match="another version"):
        Store(tmp_path)
