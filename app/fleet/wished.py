"""What the fleet is to be, kept in a file beside its store: a control that is started again knows it.

The file has what is needed to reach the cameras, so only its owner may read it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.fleet.order import Order
from app.fleet.roster import FleetCamera
from app.fleet.steps import Posted, Wish
from checkpoints.errors import OutputError


@dataclass(slots=True)
class Wished:
    """said  why a change was taken back, for people"""

    orders: dict[str, Order] = field(default_factory=dict)
    pins: dict[str, str] = field(default_factory=dict)
    shut: set[str] = field(default_factory=set)
    posted: dict[str, Posted] = field(default_factory=dict)
    said: str = ""

    def wish(self) -> Wish:
        return Wish(dict(self.orders), dict(self.pins), set(self.shut))


def save(wished: Wished, path: Path) -> None:
    """In one step: a crash leaves the old file or the new one."""
    told = {
        "orders": {camera: asdict(order) for camera, order in wished.orders.items()},
        "pins": wished.pins,
        "shut": sorted(wished.shut),
        "posted": {camera: asdict(posted) for camera, posted in wished.posted.items()},
        "said": wished.said,
    }
    making = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            json.dump(told, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        making.replace(path)
    except OSError as error:
        raise OutputError(
            "What the fleet is to be cannot be kept.", saw=f"{path}: {error.strerror}", fix="make room on the disk"
        ) from error


def load(path: Path) -> Wished:
    """Nothing, where there is no file."""
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Wished()
    except (OSError, ValueError) as error:
        raise OutputError(
            "What the fleet is to be cannot be read.",
            saw=f"{path}: {error}",
            fix="move the file away and say `fleet up`",
        ) from error
    return Wished(
        orders={camera: _order(one) for camera, one in told["orders"].items()},
        pins=told["pins"],
        shut=set(told["shut"]),
        posted={camera: _posted(one) for camera, one in told["posted"].items()},
        said=told["said"],
    )


def _posted(told: dict[str, Any]) -> Posted:
    before = told["before"]
    return Posted(**{**told, "order": _order(told["order"]), "before": None if before is None else _order(before)})


def _order(told: dict[str, Any]) -> Order:
    settings = tuple((name, text) for name, text in told["settings"])
    return Order(**{**told, "camera": FleetCamera(**told["camera"]), "settings": settings})
