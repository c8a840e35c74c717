from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoints.errors import UserError
from pipeline.event_log import EventLog
from pipeline.outlets.courier import Courier
from pipeline.outlets.ledger import Ledger
from pipeline.outlets.outlet import Outlet
from pipeline.outlets.reception import Reception
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Delivery

PATIENCE_S = 60.0


def told(frame: int, track: int = 1, name: str | None = None, *, camera: str = "door", **more: Any) -> dict[str, Any]:
    return {
        "type": "identity",
        "camera": camera,
        "frame": frame,
        "t": f"2026-01-31T12:{frame // 60:02}:{frame % 60:02}.000Z",
        "track": track,
        "name": name,
        "state": "known" if name else "unknown",
        "id": f"{camera}/{frame}/{track}",
        **more,
    }


class Desk:
    """A store that is fed by a file, and couriers that tell what is in it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "e.jsonl"
        self.store = Store(folder / "store")
        self.said: list[str] = []
        self.complaints: list[UserError] = []
        self.couriers: list[Courier] = []
        self._reception = Reception(self.store, self.path)

    def write(self, *events: dict[str, Any]) -> None:
        log = EventLog(self.path)
        for event in events:
            log.append(event)
        log.close()
        self._reception.take_all()
        for courier in self.couriers:
            courier.ring()

    def tell(self, make: Callable[[], Outlet], name: str = "test") -> Courier:
        ledger = Ledger(self.store.database, name)
        courier = Courier(name, make, ledger, say=self.said.append, complain=self.complaints.append)
        courier.start()
        self.couriers.append(courier)
        return courier

    def delivery(self) -> Delivery:
        (one,) = self.store.deliveries()
        return one

    def end(self) -> None:
        for courier in self.couriers:
            courier.end()
        for courier in self.couriers:
            courier.join(PATIENCE_S)
            courier.check()
        self.couriers.clear()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.end()
