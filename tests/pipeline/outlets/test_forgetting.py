from __future__ import annotations

from pathlib import Path

from pipeline.erasure import erase_events
from pipeline.outlets.forgetting import belonging, forget
from pipeline.outlets.stored import Wanted
from tests.pipeline.outlets.conftest import Desk, told


def why(*names: str) -> dict[str, object]:
    nearest = [[name, 0.5, "id"] for name in names]
    return {"threshold": 0.4, "runner_up": names[-1], "shots": [{"frame": 1, "quality": 0.5, "nearest": nearest}]}


def fill(desk: Desk) -> None:
    desk.write(
        told(1, 1),
        told(2, 1, "Ann", why=why("Ann", "Bob")),
        told(3, 2, "Bob", why=why("Bob", "Ann")),
        told(4, 3),
        {"type": "end", "t": "2026-01-31T12:00:05.000Z"},
        told(6, 1),
        told(7, 4, "Annabel"),
    )


def test_a_person_goes_and_the_same_face_before_it_had_the_name(desk: Desk, tmp_path: Path) -> None:
    fill(desk)
    for event in desk.store.all(Wanted()):
        desk.store.crops.write(event.key, b"jpeg")
    assert belonging(desk.store, "Ann") == 2
    assert forget(tmp_path / "store", "Ann") == erase_events(desk.path, "Ann") == 2
    assert [event.body["frame"] for event in desk.store.all(Wanted())] == [3, 4, 6, 7]
    assert len(list(desk.store.crops.files())) == 4
    assert belonging(desk.store, "Ann") == 0


def test_nobody_is_left_as_a_runner_up_nor_in_the_bytes_of_the_files(desk: Desk, tmp_path: Path) -> None:
    fill(desk)
    forget(tmp_path / "store", "Ann")
    (bob,) = desk.store.events(Wanted(person="Bob"))
    assert bob.body["why"]["runner_up"] is None
    assert bob.body["why"]["shots"][0]["nearest"] == [["Bob", 0.5, "id"]]
    left = b"".join(path.read_bytes() for path in (tmp_path / "store").glob("events.sqlite*"))
    assert b'"Ann"' not in left
    assert b'"Annabel"' in left


def test_the_store_and_the_file_say_the_same_afterwards(desk: Desk, tmp_path: Path) -> None:
    fill(desk)
    erase_events(desk.path, "Ann")
    forget(tmp_path / "store", "Ann")
    before = [event.body for event in desk.store.all(Wanted(kind=None))]
    desk.write()
    assert [event.body for event in desk.store.all(Wanted(kind=None))] == before


def test_events_without_a_face_go_too(desk: Desk, tmp_path: Path) -> None:
    strange = {key: value for key, value in told(1, 1, "Ann").items() if key not in ("track", "camera")}
    desk.write(strange, told(2, 1, "Ann"), told(3, 1, "Bob"))
    assert forget(tmp_path / "store", "Ann") == 2
    assert desk.store.people() == ["Bob"]


def test_where_nothing_is_kept_nothing_is_made(tmp_path: Path) -> None:
    assert forget(tmp_path / "store", "Ann") == 0
    assert not (tmp_path / "store").exists()
