from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest

from pipeline.event_log import EventLog
from pipeline.outlets.ledger import Ledger
from pipeline.outlets.reception import Reception
from pipeline.outlets.retention import Retention
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from pipeline.parts import all_parts, older_parts
from tests.pipeline.outlets.conftest import told

DAY_S = 86400.0
NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc).timestamp()


class Clocks:
    """The time that people know, and the one that only goes on."""

    def __init__(self) -> None:
        self.wall_s = NOON
        self.mono_s = 5.0

    def go_on(self, seconds: float, *, leap_s: float = 0.0) -> None:
        self.mono_s += seconds
        self.wall_s += seconds + leap_s


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    log = EventLog(tmp_path / "e.jsonl")
    for frame in range(0, 60, 10):
        log.append(told(frame))
    log.close()
    made = Store(tmp_path / "store")
    Ledger(made.database, "slow").begin()
    Reception(made, tmp_path / "e.jsonl").take_all()
    for event in made.all(Wanted()):
        made.crops.write(event.key, b"jpeg")
    return made


def retention(store: Store, clocks: Clocks, tmp_path: Path, days: float = 2.0) -> Retention:
    return Retention(
        store,
        tmp_path / "e.jsonl",
        days,
        wall_s=lambda: clocks.wall_s,
        clock_ns=lambda: int(clocks.mono_s * 1e9),
    )


def test_what_is_too_old_goes_with_its_pictures(store: Store, clocks: Clocks, tmp_path: Path) -> None:
    keeping = retention(store, clocks, tmp_path)
    assert keeping.tick() == 0
    clocks.go_on(2 * DAY_S + 25)
    assert keeping.tick() == 3
    left = list(store.all(Wanted()))
    assert [event.body["frame"] for event in left] == [30, 40, 50]
    assert len(list(store.crops.files())) == 3
    assert all(store.has_crop(event) for event in left)


def test_what_an_outlet_has_not_told_by_then_is_counted(store: Store, clocks: Clocks, tmp_path: Path) -> None:
    ledger = Ledger(store.database, "slow")
    ledger.settle(ledger.waiting(1), delivered=True)
    clocks.go_on(2 * DAY_S + 25)
    retention(store, clocks, tmp_path).tick()
    (delivery,) = store.deliveries()
    assert (delivery.delivered, delivery.dropped, delivery.waiting) == (1, 2, 3)
    assert delivery.offered == 6


def test_a_clock_that_leaps_erases_nothing(store: Store, clocks: Clocks, tmp_path: Path) -> None:
    keeping = retention(store, clocks, tmp_path)
    keeping.tick()
    clocks.go_on(4000, leap_s=10 * 365 * DAY_S)
    assert keeping.tick() == 0
    clocks.go_on(4000, leap_s=-10 * 365 * DAY_S)
    assert keeping.tick() == 0
    assert store.count(Wanted()) == 6


def test_a_leap_that_is_true_counts_after_a_day(store: Store, clocks: Clocks, tmp_path: Path) -> None:
    keeping = retention(store, clocks, tmp_path)
    keeping.tick()
    clocks.go_on(1, leap_s=10 * DAY_S)
    assert keeping.tick() == 0
    clocks.go_on(DAY_S + 1)
    assert keeping.tick() == 6


def test_a_clock_that_is_set_back_keeps_everything(store: Store, clocks: Clocks, tmp_path: Path) -> None:
    keeping = retention(store, clocks, tmp_path)
    clocks.go_on(2 * DAY_S, leap_s=-365 * DAY_S)
    assert keeping.tick() == 0


def test_the_file_begins_anew_each_day_and_its_old_parts_go(store: Store, clocks: Clocks, tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    os.utime(path, (NOON, NOON))
    keeping = retention(store, clocks, tmp_path)
    keeping.tick()
    assert older_parts(path) == []
    clocks.go_on(DAY_S + 3600)
    keeping.tick()
    assert [part.name for part in older_parts(path)] == ["e.000001.jsonl"]
    assert not path.exists()
    clocks.go_on(DAY_S + 3600)
    keeping.tick()
    assert all_parts(path) == [path]


def test_pictures_without_an_event_go_some_day(store: Store, clocks: Clocks, tmp_path: Path) -> None:
    store.crops.write("nobody", b"jpeg")
    for path in store.crops.files():
        os.utime(path, (NOON, NOON))
    keeping = retention(store, clocks, tmp_path)
    keeping.tick()
    assert store.crops.has("nobody")
    clocks.go_on(3 * DAY_S)
    keeping.tick()
    assert list(store.crops.files()) == []
