"""What a camera has left on a machine when it moved away.

Events that the fleet's store could not be told yet are told; what is older than is wished is erased.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from app.fleet.one_camera import cameras_dir, folder_name
from checkpoints.errors import GalleryLocked
from checkpoints.sealed import UNSEALED, Seal
from pipeline.config import CollectorConfig
from pipeline.gallery.lock import Lock
from pipeline.gallery.unknowns import Unknowns
from pipeline.outlets.collector import Collector
from pipeline.outlets.ledger import Ledger
from pipeline.outlets.outlet import Away
from pipeline.outlets.reception import Reception
from pipeline.outlets.retention import Retention
from pipeline.outlets.side import COLLECTOR
from pipeline.outlets.store import Store


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days. seal: of the faces on this machine"""

    event_days: float
    unknown_days: float
    seal: Seal = UNSEALED


def deliver(data_dir: Path, config: CollectorConfig, busy: Collection[str], keep: Keep) -> int:
    """Tell all that waits on this machine, but of the cameras that are `busy` here; how many events were told."""
    taken = {folder_name(camera) for camera in busy}
    folders = sorted(path.parent for path in cameras_dir(data_dir).glob("*/events/events.sqlite"))
    return sum(_deliver(folder, config, keep) for folder in folders if folder.parent.name not in taken)


def _deliver(folder: Path, config: CollectorConfig, keep: Keep) -> int:
    try:
        lock = Lock(folder / "lock")
    except GalleryLocked:
        return 0  # it has just come back
    try:
        told = _tell(folder, config)
        _expire(folder, keep)
        return told
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


def _expire(folder: Path, keep: Keep) -> None:
    Retention(Store(folder), folder.parent / "events.jsonl", keep.event_days).tick()
    unknowns = Unknowns(folder.parent / "gallery", seal=keep.seal)
    if unknowns.there:
        unknowns.expire(keep.unknown_days)
    unknowns.close()
