"""The process beside the way that keeps events and passes them on, fed by their file: nobody ever waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from checkpoints.errors import GalleryLocked, OutputError
from pipeline.clock import now_ns
from pipeline.config import OutletsConfig
from pipeline.gallery.lock import Lock
from pipeline.outlets.courier import Courier
from pipeline.outlets.ledger import Ledger
from pipeline.outlets.outlet import OpenOutlet, Outlet
from pipeline.outlets.reception import Reception
from pipeline.outlets.retention import Retention
from pipeline.outlets.store import Store
from pipeline.outlets.stored import StoredEvent, Wanted
from pipeline.side import SideContext
from pipeline.topic import Pulse

COLLECTOR = "collector"
_PATIENCE_S = 1.5  # with receivers, at the end of a run
_PAUSE_S = 5.0


def open_side(context: SideContext) -> Outlets:
    return Outlets(context)


class Outlets:
    def __init__(self, context: SideContext) -> None:
        outlets, log = context.config.outlets, context.config.output.events
        assert outlets is not None
        assert log is not None
        self._context = context
        self._lock = _lock(outlets.store)
        self._store = Store(outlets.store, outlets.seal)
        self._reception = Reception(self._store, log)
        self._retention = Retention(self._store, log, outlets.days)
        # An outlet that is new is told only of what comes after this.
        self._reception.take_all(self._retention.oldest)
        self._couriers = [
            Courier(name, make, _ledger(self._store, name), say=context.say, complain=context.complain)
            for name, make in _outlets(outlets, self._store, [camera.name for camera in context.config.cameras]).items()
        ]
        for courier in self._couriers:
            courier.start()

    def run(self, pulse: Pulse) -> None:
        has_complained = False
        is_last = False
        while not is_last:
            is_last = pulse.stopping
            try:
                self._turn()
                pulse.wait()
            except OutputError as error:  # a disk that is full may have room again
                if not has_complained:
                    has_complained = True
                    self._context.complain(error)
                pulse.rest(_PAUSE_S)

    def close(self) -> None:
        for courier in self._couriers:
            courier.end()
        until_ns = now_ns() + int(_PATIENCE_S * 1e9)
        for courier in self._couriers:
            courier.join(max(0.0, (until_ns - now_ns()) / 1e9))
        self._lock.release()

    def _turn(self) -> None:
        if self._reception.take_all(self._retention.oldest):
            for courier in self._couriers:
                courier.ring()
        self._retention.tick()
        for courier in self._couriers:
            courier.check()


def _lock(folder: Path) -> Lock:
    """Two that pass on the same events would tell each of them twice."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Lock(folder / "lock")
    except GalleryLocked as error:
        raise OutputError(
            "The events are kept and passed on by another run already.",
            saw=error.saw,
            fix="stop that run, or give this one another DATA_DIR",
        ) from error
    except OSError as error:
        raise OutputError(
            "Events cannot be kept.", saw=f"{folder}: {error.strerror}", fix="choose another DATA_DIR"
        ) from error


def _ledger(store: Store, name: str) -> Ledger:
    # A camera that was just moved here has told events before this process was there to see them.
    return Ledger(store.database, name, is_told_all=name == COLLECTOR)


def _outlets(config: OutletsConfig, store: Store, cameras: list[str]) -> Mapping[str, OpenOutlet]:
    found: dict[str, OpenOutlet] = {}
    # Each brings a library of its own, which other runs need not hold in memory.
    if (mqtt := config.mqtt) is not None:

        def open_mqtt() -> Outlet:
            from pipeline.outlets.mqtt import Mqtt

            return Mqtt(mqtt, cameras, lambda camera: _latest_face(store, camera))

        found["mqtt"] = open_mqtt
    if (webhook := config.webhook) is not None:

        def open_webhook() -> Outlet:
            from pipeline.outlets.webhook import Webhook

            return Webhook(webhook)

        found["webhook"] = open_webhook
    if (collector := config.collector) is not None:

        def open_collector() -> Outlet:
            from pipeline.outlets.collector import Collector

            return Collector(collector)

        found[COLLECTOR] = open_collector
    return found


def _latest_face(store: Store, camera: str) -> StoredEvent | None:
    return next(iter(store.events(Wanted(camera=camera), limit=1)), None)
