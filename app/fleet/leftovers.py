"""What a camera has left on a machine when it moved away.

Events that the fleet's store could not be told yet are told; what is older than is wished is erased, and so is the
camera's copy of the gallery. Whatever is wrong with one camera's folder, the others are gone through.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.fleet.barred import Barred
from app.fleet.forgetting import forget_barred
from app.fleet.one_camera import cameras_dir, folder_name
from checkpoints.errors import GalleryLocked, OutputError, UserError
from checkpoints.sealed import UNSEALED, Seal
from pipeline.config import CollectorConfig, GalleryConfig, ServerConfig
from pipeline.gallery.lock import Lock
from pipeline.gallery.unknowns import Unknowns
from pipeline.outlets.collector import Collector
from pipeline.outlets.ledger import Ledger
from pipeline.outlets.outlet import Away
from pipeline.outlets.reception import Reception
from pipeline.outlets.retention import Retention
from pipeline.outlets.side import COLLECTOR
from pipeline.outlets.store import Store
from pipeline.parts import all_parts

_GONE_S = 3600.0  # a camera that has told nothing for so long, and is not here, does not come back in a moment


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days.

    seal    of the faces on this machine
    server  of the gallery that the cameras have copies of
    barred  names that this machine is to forget, too, if it has not
    """

    event_days: float
    unknown_days: float
    seal: Seal = UNSEALED
    server: ServerConfig | None = None
    barred: tuple[Barred, ...] = ()


def deliver(data_dir: Path, config: CollectorConfig, busy: Collection[str], keep: Keep) -> int:
    """Tell all that waits on this machine, but of the cameras that are `busy` here; how many events were told.

    OutputError tells, after all was tried, what could not be done.
    """
    tries = _Tries(list(forget_barred(data_dir, keep.barred, keep.seal).missed))
    taken = {folder_name(camera) for camera in busy}
    folders = sorted(path.parent for path in cameras_dir(data_dir).glob("*/events/events.sqlite"))
    told = 0
    for folder in folders:
        if folder.parent.name not in taken:
            told += tries.of(folder.parent.name, partial(_deliver, folder, config, keep, tries))
    if tries.failed:
        raise OutputError(
            "What cameras have left on this machine could not all be told or erased.",
            saw="\n".join(tries.failed),
            fix="put right what is told, or move the camera's folder away: it is tried again",
        )
    return told


class _Tries:
    """One after the other, whatever became of those before."""

    def __init__(self, failed: list[str]) -> None:
        self.failed = failed

    def of(self, camera: str, step: Callable[[], int]) -> int:
        try:
            return step()
        except (UserError, sqlite3.Error, OSError) as error:
            self.failed.append(f"{camera}: {error}")
            return 0


def _deliver(folder: Path, config: CollectorConfig, keep: Keep, tries: _Tries) -> int:
    try:
        lock = Lock(folder / "lock")
    except GalleryLocked:
        return 0  # it has just come back
    camera = folder.parent.name
    try:
        told = tries.of(camera, lambda: _tell(folder, config))
        tries.of(camera, lambda: _expire_events(folder, keep))
        tries.of(camera, lambda: _expire_unknowns(folder, keep))
        tries.of(camera, lambda: _drop_copy(folder, keep))
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


def _expire_events(folder: Path, keep: Keep) -> int:
    return Retention(Store(folder), folder.parent / "events.jsonl", keep.event_days).tick()


def _expire_unknowns(folder: Path, keep: Keep) -> int:
    unknowns = Unknowns(folder.parent / "gallery", seal=keep.seal)
    try:
        return unknowns.expire(keep.unknown_days) if unknowns.there else 0
    finally:
        unknowns.close()


def _drop_copy(folder: Path, keep: Keep) -> int:
    """Not of a camera that was here just now: it may be begun here again, while the gallery's server is away."""
    if keep.server is None or time.time() - _last_told_s(folder.parent / "events.jsonl") < _GONE_S:
        return 0
    from pipeline.gallery.dropping import drop_copy  # brings Qdrant's client

    return drop_copy(GalleryConfig(folder.parent / "gallery", server=keep.server, seal=keep.seal))


def _last_told_s(log: Path) -> float:
    """Since 1970."""
    return max((part.stat().st_mtime for part in all_parts(log) if part.is_file()), default=0.0)
