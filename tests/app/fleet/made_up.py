"""Orders, reports and events that no camera has made."""

from __future__ import annotations

import json
from typing import Any

from app.fleet.order import Order, Report, State
from app.fleet.place import Node
from app.fleet.roster import FleetCamera

SECRET, TOKEN = "key of the events", "token-of-those-who-look"


def order(camera: str = "door", *, again: str = "", site: str | None = None, **settings: str) -> Order:
    return Order(
        FleetCamera(camera, "demo", site), tuple(settings.items()), "http://127.0.0.1:1/events", SECRET, TOKEN,
        again=again,
    )  # fmt: skip


def report(camera: str = "door", state: State = "live", *, node: str = "1", revision: str | None = None) -> Report:
    return Report(camera, state, order(camera).revision if revision is None else revision, node, f"10.0.0.{node}")


def nodes(*names: str, cpus: float = 4.0, site: str | None = None) -> dict[str, Node]:
    return {name: Node(name, f"10.0.0.{name}", site, cpus) for name in names}


def face(frame: int, *, run: str = "2026-01-31T12:00:00.000Z-aa", camera: str = "door", **more: Any) -> dict[str, Any]:
    t = f"2026-01-31T12:{frame // 60:02}:{frame % 60:02}.000Z"
    told = {"type": "identity", "camera": camera, "frame": frame, "t": t, "track": 1, "name": None, "state": "unknown"}
    return {**told, "id": f"{camera}/{frame}/1", "run": run, "uid": f"{run}/{camera}/{frame}/1@{t}", **more}


def lines(*events: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(event) for event in events).encode()
