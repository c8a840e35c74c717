"""Events that a camera has left on a machine when it moved away while the fleet's store could not be reached."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from app.fleet.one_camera import cameras_dir, folder_name
from checkpoints.errors import GalleryLocked
from pipeline.config import CollectorConfig
from pipeline.gallery.lock import Lock
from pipeline.outlets.collector import Collector
from pipeline.outlets.ledger import Ledger
from pipeline.outlets.outlet import Away
from pipeline.outlets.reception import Reception
from pipeline.outlets.side import COLLECTOR
from pipeline.outlets.store import Store


def deliver(data_dir: Path, config: CollectorConfig, busy: Collection[str]) -> int:
    """Tell all that waits on this machine, but of the cameras that are `busy` here; how many events were told."""
    taken = {folder_name(camera) for camera in busy}
    folders = sorted(path.parent for path in cameras_dir(data_dir).glob("*/events/events.sqlite"))
    return sum(_deliver(folder, config) for folder in folders if folder.parent.name not in taken)


def _deliver(folder: Path, config: CollectorConfig) -> int:
    try:
        lock = Lock(folder / "lock")
    except GalleryLocked:
        return 0  # it has just come back
    try:
        return _tell(folder, config)
    finally:
        lock.release()


def _tell(folder: Path, config: CollectorConfig) -> int:
    store = Store(folder)
    Reception(store, folder.parent / "events.jsonl").take_all()
    ledger = Ledger(store.database, COLLECTOR, is_told_all=True)
    if not any(one.name == COLLECTOR and one.waiting for one in store.deliveries()):
        return 0
    collector, told = Collector(config), 0
    try:
        while events := ledger.waiting(collector.at_once):
            collector.tell(events)
            ledger.settle(events, delivered=True)
            told += len(events)
    except Away:
        return told  # there will be another time
    finally:
        collector.close()
    return told
