"""The settings of a fleet: what each camera is given of a machine, and where the fleet's store is reached."""

from __future__ import annotations

from dataclasses import dataclass, field

from app import values
from app.about import about


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """A fleet of cameras on Ray (python -m app.main fleet)"""

    cpus: float = field(
        default=1.0,
        metadata=about(
            "FLEET_CPUS", values.number(0.01, 256), "Processors of a machine that each camera of a fleet is given"
        ),
    )
    gpus: float = field(
        default=0.0,
        metadata=about(
            "FLEET_GPUS", values.number(0, 8), "Share of a GPU that each camera of a fleet is given, such as 0.25"
        ),
    )
    port: int = field(
        default=8090,
        metadata=about(
            "FLEET_PORT",
            values.whole(0, 65535),
            "Port of the fleet's store, console and /metrics, on the machine where `fleet up` was said first",
        ),
    )
    key: str | None = field(
        default=None,
        metadata=about(
            "FLEET_KEY",
            values.token,
            "Key that all machines of a fleet share, without which nobody can command them; if empty, the first "
            "machine makes one up, and DATA_DIR/fleet/cluster.key is to be copied from there to the others",
            secret=True,
        ),
    )
    token: str | None = field(
        default=None,
        metadata=about(
            "FLEET_TOKEN",
            values.token,
            "Token of those who may look at the fleet and its cameras; if empty, one is made up and kept in "
            "DATA_DIR/fleet/token",
            secret=True,
        ),
    )
