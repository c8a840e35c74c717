"""What a camera's warden is told, and what it reports: both travel between machines."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from app.fleet.roster import FleetCamera

State = Literal[
    "starting", "live", "stale", "reconnecting", "ended", "refused", "resting", "stopped", "waiting", "silent"
]
HEALTHY: frozenset[State] = frozenset({"live", "ended"})
Sample = tuple[str, str, float]  # a metric's name, its labels as they are written, its value


@dataclass(frozen=True, slots=True)
class Order:
    """All that a camera's run is to be.

    settings   of the run, as texts
    collector  address that its events are posted to, signed with `secret`
    token      who may look at the consoles of the machines
    cpus, gpus its share of a machine
    again      another text makes another order: to start the same thing anew
    """

    camera: FleetCamera
    settings: tuple[tuple[str, str], ...] = field(repr=False)
    collector: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    cpus: float = 1.0
    gpus: float = 0.0
    again: str = ""

    @property
    def revision(self) -> str:
        """Another one as soon as anything of the order is another."""
        camera = self.camera
        said: list[object] = [camera.name, camera.source, camera.site, camera.more, self.settings]
        said += [self.collector, self.secret, self.token, self.cpus, self.gpus, self.again]
        return sha256(json.dumps(said).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Machine:
    """load_1m  processes that want to run, on average of a minute"""

    cpus: int
    load_1m: float
    memory_free_mb: float


@dataclass(frozen=True, slots=True)
class Report:
    """state     as its console says it; refused: its settings or source cannot be used; resting: before another try
    node      id of Ray
    address   of the machine
    console   address of its own console, which has the live picture; empty while there is none
    run       tells the events of this run from others
    restarts  how often the run was begun again here
    said      its last words, when it does not run
    """

    camera: str
    state: State
    revision: str
    node: str
    address: str
    console: str = ""
    run: str = ""
    restarts: int = 0
    fps: float = 0.0
    age_s: float | None = None
    said: str = ""
    samples: tuple[Sample, ...] = ()
    machine: Machine | None = None
