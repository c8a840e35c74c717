"""What a camera has left on a machine that it was moved away from reaches the fleet's store later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from app.fleet.barred import Barred, checksum
from app.fleet.collect import Collecting
from app.fleet.front import Front, Pages
from app.fleet.leftovers import Keep, deliver
from app.fleet.one_camera import folder_of
from checkpoints.errors import OutputError
from pipeline.config import CollectorConfig, GalleryConfig, ServerConfig
from pipeline.event_log import EventLog
from pipeline.gallery import dropping
from pipeline.gallery.lock import Lock
from pipeline.gallery.sightings import Sighting
from pipeline.gallery.unknowns import Shot, Unknowns
from pipeline.outlets.ledger import Ledger
from pipeline.outlets.reception import Reception
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from tests.app.fleet.made_up import SECRET, TOKEN, face

KEEP = Keep(event_days=36500, unknown_days=36500)
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
    assert deliver(tmp_path, config, (), KEEP) == 453
    assert collecting.store.count(Wanted(camera="The yard")) == 3
    assert deliver(tmp_path, config, (), KEEP) == 0
    assert collecting.counts.again == 0


def test_cameras_that_run_here_tell_themselves(tmp_path: Path, collecting: Collecting, config: CollectorConfig) -> None:
    left(tmp_path, "The yard", range(3))
    assert deliver(tmp_path, config, ["The yard"], KEEP) == 0
    folder = left(tmp_path, "door", range(3))
    lock = Lock(folder / "events" / "lock")
    assert deliver(tmp_path, config, ["The yard"], KEEP) == 0
    lock.release()
    assert deliver(tmp_path, config, ["The yard"], KEEP) == 3


def test_a_store_that_is_away_still_is_told_another_time(
    tmp_path: Path, collecting: Collecting, config: CollectorConfig
) -> None:
    left(tmp_path, "door", range(3))
    assert deliver(tmp_path, CollectorConfig("http://127.0.0.1:1/events", SECRET), (), KEEP) == 0
    assert deliver(tmp_path, config, (), KEEP) == 3


def test_a_machine_without_cameras_has_nothing_to_tell(tmp_path: Path, config: CollectorConfig) -> None:
    assert deliver(tmp_path, config, (), KEEP) == 0


def test_what_is_too_old_is_erased_also_where_the_camera_is_no_more(tmp_path: Path, config: CollectorConfig) -> None:
    folder = left(tmp_path, "door", range(3))
    shot = Shot(np.full(4, 0.5, np.float32), "2026-01-31T12:00:00.000Z", 0.8, None)
    (folder / "gallery").mkdir()
    unknowns = Unknowns(folder / "gallery")
    unknowns.keep(Sighting(str(uuid4()), "", "door", "door/1/1", shot.time, shot.time), [shot], "s")
    unknowns.close()
    assert deliver(tmp_path, config, (), KEEP) == 3
    assert Store(folder / "events").count(Wanted()) == 3
    assert deliver(tmp_path, config, (), Keep(event_days=1, unknown_days=1)) == 0
    assert Store(folder / "events").count(Wanted()) == 0
    assert Unknowns(folder / "gallery").clusters() == []


def test_a_folder_that_is_damaged_holds_up_no_other(
    tmp_path: Path, collecting: Collecting, config: CollectorConfig
) -> None:
    damaged = left(tmp_path, "attic", range(3))
    (damaged / "events" / "events.sqlite").write_bytes(b"damaged" * 1000)
    (left(tmp_path, "bath", range(3)) / "events" / "lock").mkdir()
    left(tmp_path, "door", range(3))
    with pytest.raises(OutputError, match="could not all be told") as told:
        deliver(tmp_path, config, (), KEEP)
    assert told.value.saw is not None
    assert "attic: The store of events cannot be used." in told.value.saw
    assert "bath: The gallery's lock file cannot be opened." in told.value.saw
    assert "door" not in told.value.saw
    assert collecting.store.count(Wanted(camera="door")) == 3


def test_the_copy_of_the_gallery_goes_when_its_camera_has_gone(
    tmp_path: Path, config: CollectorConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[GalleryConfig] = []
    monkeypatch.setattr(dropping, "drop_copy", asked.append)
    server = ServerConfig("http://127.0.0.1:1")
    keep = replace(KEEP, server=server)
    folder = left(tmp_path, "door", range(3))
    left(tmp_path, "yard", range(3))
    deliver(tmp_path, config, ["yard"], keep)
    assert asked == []  # it may come back in a moment
    for part in folder.glob("events*.jsonl"):
        os.utime(part, (1, 1))
    deliver(tmp_path, config, ["yard", "door"], keep)
    deliver(tmp_path, config, ["yard"], KEEP)
    assert asked == []
    deliver(tmp_path, config, ["yard"], keep)
    assert asked == [GalleryConfig(folder / "gallery", server=server)]


def test_a_machine_that_was_away_forgets_before_it_tells(
    tmp_path: Path, collecting: Collecting, config: CollectorConfig
) -> None:
    folder = left(tmp_path, "door", range(3))
    log = EventLog(folder / "events.jsonl", run=RUN)
    log.append({key: value for key, value in face(7, name="Ann").items() if key not in ("run", "uid")})
    log.close()
    assert deliver(tmp_path, config, (), replace(KEEP, barred=(Barred(checksum("Ann"), "2026-02-01"),))) == 2
    assert b"Ann" not in (folder / "events.jsonl").read_bytes()
