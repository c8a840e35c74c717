"""What a camera has left on a machine that it was moved away from reaches the fleet's store later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.fleet.collect import Collecting
from app.fleet.front import Front, Pages
from app.fleet.leftovers import deliver
from app.fleet.one_camera import folder_of
from pipeline.config import CollectorConfig
from pipeline.events import EventLog
from pipeline.gallery.lock import Lock
from pipeline.outlets.ledger import Ledger
from pipeline.outlets.reception import Reception
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from tests.app.fleet.made_up import SECRET, TOKEN, face

RUN = "2026-01-31T12:00:00.000Z-aa"


@pytest.fixture
def collecting(tmp_path: Path) -> Collecting:
    return Collecting(tmp_path / "fleet")


@pytest.fixture
def config(collecting: Collecting) -> Iterator[CollectorConfig]:
    front = Front("127.0.0.1", 0, Pages(collecting.take, dict, str, str), secret=SECRET, token=TOKEN)
    yield CollectorConfig(f"http://127.0.0.1:{front.port}/events", SECRET)
    front.close()


def left(data_dir: Path, camera: str, frames: range) -> Path:
    """As a run leaves it that was killed: the last event is in the file only."""
    folder = folder_of(data_dir, camera)
    log = EventLog(folder / "events.jsonl", run=RUN)
    store = Store(folder / "events")
    Ledger(store.database, "collector", is_told_all=True).begin()
    for frame in frames:
        if frame == frames[-1]:
            Reception(store, folder / "events.jsonl").take_all()
        event = face(frame, camera=camera)
        log.append({key: value for key, value in event.items() if key not in ("run", "uid")})
    log.close()
    return folder


def test_all_that_waits_is_told_once(tmp_path: Path, collecting: Collecting, config: CollectorConfig) -> None:
    left(tmp_path, "door", range(450))
    left(tmp_path, "The yard", range(3))
    assert deliver(tmp_path, config, busy=()) == 453
    assert collecting.store.count(Wanted(camera="The yard")) == 3
    assert deliver(tmp_path, config, busy=()) == 0
    assert collecting.counts.again == 0


def test_cameras_that_run_here_tell_themselves(tmp_path: Path, collecting: Collecting, config: CollectorConfig) -> None:
    left(tmp_path, "The yard", range(3))
    assert deliver(tmp_path, config, busy=["The yard"]) == 0
    folder = left(tmp_path, "door", range(3))
    lock = Lock(folder / "events" / "lock")
    assert deliver(tmp_path, config, busy=["The yard"]) == 0
    lock.release()
    assert deliver(tmp_path, config, busy=["The yard"]) == 3


def test_a_store_that_is_away_still_is_told_another_time(
    tmp_path: Path, collecting: Collecting, config: CollectorConfig
) -> None:
    left(tmp_path, "door", range(3))
    assert deliver(tmp_path, CollectorConfig("http://127.0.0.1:1/events", SECRET), busy=()) == 0
    assert deliver(tmp_path, config, busy=()) == 3


def test_a_machine_without_cameras_has_nothing_to_tell(tmp_path: Path, config: CollectorConfig) -> None:
    assert deliver(tmp_path, config, busy=()) == 0
