"""From the file into the store: each event once, whatever is done to the file meanwhile."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from pipeline.erasure import erase_events
from pipeline.event_log import EventLog
from pipeline.lines import rewrite
from pipeline.outlets.following import Place, read_on
from pipeline.outlets.reception import Reception
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from pipeline.parts import older_parts, rotate
from tests.pipeline.outlets.conftest import told

SPAWN = multiprocessing.get_context("spawn")


def write(path: Path, *events: dict[str, Any], part_bytes: int = 0) -> None:
    log = EventLog(path, part_bytes=part_bytes)
    for event in events:
        log.append(event)
    log.close()


def frames(store: Store) -> list[int]:
    return [event.body["frame"] for event in store.all(Wanted())]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "e.jsonl"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_only_what_is_new_is_taken(path: Path, store: Store) -> None:
    reception = Reception(store, path)
    assert reception.take_all() == 0
    write(path, told(1), told(2))
    assert reception.take_all() == 2
    assert reception.take_all() == 0
    write(path, told(3))
    assert Reception(store, path).take_all() == 1
    assert frames(store) == [1, 2, 3]


def test_nothing_is_missed_over_rotations(path: Path, store: Store) -> None:
    reception = Reception(store, path)
    for start in range(0, 100, 10):
        write(path, *(told(frame) for frame in range(start, start + 10)), part_bytes=400)
        if start % 30 == 0:
            reception.take_all()
    reception.take_all()
    assert len(older_parts(path)) > 10
    assert frames(store) == list(range(100))


def test_parts_that_have_gone_take_nothing_with_them(path: Path, store: Store) -> None:
    reception = Reception(store, path)
    write(path, told(1))
    reception.take_all()
    rotate(path, least_bytes=1)
    write(path, told(2))
    older_parts(path)[0].unlink()
    write(path, told(3))
    reception.take_all()
    assert frames(store) == [1, 2, 3]


def test_a_file_that_is_written_anew_is_read_again_and_nothing_is_twice(path: Path, store: Store) -> None:
    write(path, *(told(frame, name="Ann" if frame % 3 else "Bob") for frame in range(30)))
    reception = Reception(store, path)
    reception.take_all()
    last = store.last_id()
    write(path, told(30, name="Ann"), told(31, name="Bob"))
    erase_events(path, "Bob")
    write(path, told(32, name="Ann"))
    reception.take_all()
    assert [event.body["frame"] for event in store.all(Wanted(after=last))] == [30, 32]
    assert len(frames(store)) == 32


def test_an_event_of_which_a_name_was_erased_is_the_same_event(path: Path, store: Store) -> None:
    shots = [{"frame": 1, "quality": 0.5, "nearest": [["Bob", 0.9, "1"], ["Ann", 0.1, "2"]]}]
    write(path, told(1, name="Bob", why={"threshold": 0.4, "runner_up": "Ann", "shots": shots}))
    reception = Reception(store, path)
    reception.take_all()
    erase_events(path, "Ann")
    assert reception.take_all() == 0
    assert frames(store) == [1]


def test_an_inode_that_is_used_again_does_not_deceive(path: Path) -> None:
    """Two files that are written anew one after the other may have the same inode, with other lines in it."""
    path.write_bytes(b"one\ntwo\nthree\n")
    place = read_on(path, None).place
    assert place is not None
    path.write_bytes(b"six\nseven\neight\nnine\n")
    anew = read_on(path, place)
    assert anew.anew
    assert anew.lines == [b"six", b"seven", b"eight", b"nine"]


def test_what_is_too_old_does_not_come_back_when_the_file_is_read_again(path: Path, store: Store) -> None:
    write(path, told(1), told(2), told(3))
    reception = Reception(store, path)
    reception.take_all()
    with store.database.writing() as connection:
        connection.execute("DELETE FROM events WHERE t < ?", (told(3)["t"],))
    rewrite(path, lambda lines: list(lines))
    write(path, told(4))
    reception.take_all(oldest=told(3)["t"])
    assert frames(store) == [3, 4]


@pytest.mark.parametrize(
    "line",
    [b"", b"no json", b"[]", b"3", b'{"type": "identity"}', b'{"type": 1, "t": 2}', b'{"type": "ident', b"\xff\xfe"],
)
def test_lines_that_are_no_events_are_passed_over(path: Path, store: Store, line: bytes) -> None:
    write(path, told(1))
    with path.open("ab") as file:
        file.write(line + b"\n")
    write(path, told(2))
    assert Reception(store, path).take_all() == 2


def test_events_of_any_kind_are_stored_as_they_are(path: Path, store: Store) -> None:
    strange = {"type": "x", "t": "", "camera": 7, "track": 10**30, "name": ["a"], "state": None}
    write(path, strange, {**told(1), "track": True})
    assert Reception(store, path).take_all() == 2
    assert [event.body for event in store.all(Wanted(kind="x"))] == [strange]


def test_runs_are_told_apart(path: Path, store: Store) -> None:
    end = {"type": "end", "t": "2026-01-31T12:00:00.000Z"}
    write(path, told(1), end, told(2), {**end, "frames": 1}, told(3))
    reception = Reception(store, path)
    reception.take_all()
    rewrite(path, lambda lines: list(lines))
    write(path, told(4))
    reception.take_all()
    assert [event.run for event in store.all(Wanted())] == [0, 1, 2, 2]


def test_a_long_line_is_read_whole(path: Path) -> None:
    path.write_bytes(b"x" * 5000 + b"\n" + b"y" * 200 + b"\nhalf")
    read = read_on(path, None, most_bytes=100)
    assert [len(line) for line in read.lines] == [5000]
    read = read_on(path, read.place, most_bytes=100)
    assert [len(line) for line in read.lines] == [200]
    assert read_on(path, read.place).lines == []


def test_there_is_nothing_to_read_where_no_file_is(path: Path) -> None:
    assert read_on(path, None).place is None
    assert read_on(path, Place(1, 2, "3")).lines == []


def _take_again_and_again(path: Path, folder: Path, ready: Connection) -> None:
    reception = Reception(Store(folder), path)
    ready.send("ready")
    while True:
        reception.take_all()


def _killed_receptions(path: Path, folder: Path) -> Iterator[None]:
    here, there = SPAWN.Pipe()
    while True:
        process = SPAWN.Process(target=_take_again_and_again, args=(path, folder, there))
        process.start()
        assert here.recv() == "ready"
        try:
            yield
        finally:
            process.kill()
            process.join()
            process.close()


def test_who_is_killed_at_any_moment_has_each_event_once(path: Path, tmp_path: Path) -> None:
    chance = random.Random(5)
    killed = _killed_receptions(path, tmp_path / "store")
    log = EventLog(path, part_bytes=5000)
    for start in range(0, 600, 200):
        next(killed)
        for frame in range(start, start + 200):
            log.append(told(frame))
            if chance.random() < 0.02:
                rotate(path, least_bytes=1)
    log.close()
    next(killed)
    killed.close()
    store = Store(tmp_path / "store")
    Reception(store, path).take_all()
    assert frames(store) == list(range(600))
