"""One run of a fleet for `testbench.fleet`: begun, left alone, one node killed, back again, ended."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Any

from app.fleet.charter import Charter
from app.fleet.order import HEALTHY
from app.fleet.overview import View
from app.fleet.roster import FleetCamera
from checkpoints.errors import UserError

PATIENCE_S = 180.0
SHARE = 0.25  # of a processor, of each camera
_LOOK_S = 0.1


class Stuck(UserError):
    """The fleet did not become what it should have become in time."""


@dataclass(frozen=True, slots=True)
class Shape:
    nodes: int
    cameras: int
    source: str
    fps: float
    size: str
    models: Path
    engines: Path


class FleetRun:
    """killed_at  of the killed node's death; None: none was
    moved      the cameras that were on it
    back_s     camera → seconds from the kill until its console said on another node that pictures come
    noticed_s  until Ray counted the node no more
    """

    def __init__(self, folder: Path, shape: Shape) -> None:
        from testbench.ray_nodes import Nodes

        self.shape = shape
        self.nodes = Nodes(folder, shape.models, shape.engines)
        self.begun_s = 0.0
        self.began_at = self.ended_at = datetime.now(timezone.utc)
        self.killed: int | None = None
        self.killed_at: datetime | None = None
        self.moved: list[str] = []
        self.back_s: dict[str, float] = {}
        self.noticed_s = 0.0
        self.stored: dict[str, int] = {}
        self._control: Any = None
        self._since_s = 0.0

    def __enter__(self) -> FleetRun:
        from app.fleet import cluster

        # All have room on one node less.
        cpus = ceil(self.shape.cameras * SHARE / max(1, self.shape.nodes - 1))
        for _ in range(self.shape.nodes):
            self.nodes.add(cpus=cpus)
        cluster.connect(self.nodes.address)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        from app.fleet import cluster

        cluster.disconnect()
        self.nodes.close()

    @property
    def cameras(self) -> list[str]:
        return [f"cam{number:02}" for number in range(self.shape.cameras)]

    def begin(self) -> None:
        from app.fleet import cluster

        since_s = time.monotonic()
        folder = self.nodes.data_dir(0) / "fleet"
        charter = Charter(folder, cluster.here().address, 0, secret="s" * 32, token="t" * 32)
        self._control = cluster.begin_control(charter)
        cameras = [FleetCamera(name, self.shape.source) for name in self.cameras]
        chosen = {
            "FPS_TARGET": f"{self.shape.fps:g}",
            "FRAME_SIZE": self.shape.size,
            "EVENT_EVERY": "0",
            "LOOP": "true",
            "PLACEMENT": "fused",
            "THREADS": "1",
        }
        cluster.ask(self._control.wish.remote(cameras, chosen, cpus=SHARE, gpus=0.0))
        self._until(lambda view: view.is_settled, "all cameras are live")
        self.begun_s = time.monotonic() - since_s
        self.began_at = datetime.now(timezone.utc)

    def calm(self, seconds: float) -> None:
        time.sleep(seconds)

    def kill_fullest(self) -> None:
        on_nodes = Counter(camera.node for camera in self._view().cameras)
        ids = {self.nodes.id_of(number): number for number in range(1, self.shape.nodes)}
        fullest = max(ids, key=lambda one: on_nodes[one])
        self.moved = [camera.name for camera in self._view().cameras if camera.node == fullest]
        self.killed, self.killed_at, self._since_s = ids[fullest], datetime.now(timezone.utc), time.monotonic()
        self.nodes.kill(ids[fullest])

    def wait_until_back(self) -> None:
        from app.fleet import cluster

        assert self.killed is not None
        lost = self.nodes.id_of(self.killed)

        def are_back(view: View) -> bool:
            passed_s = time.monotonic() - self._since_s
            if not self.noticed_s and lost not in cluster.nodes():
                self.noticed_s = passed_s
            for camera in view.cameras:
                if camera.name in self.moved and camera.node != lost and camera.state in HEALTHY:
                    self.back_s.setdefault(camera.name, passed_s)
            return len(self.back_s) == len(self.moved)

        self._until(are_back, "all cameras are back")

    def end(self) -> None:
        """All runs end in order, so that what waits on the nodes' disks is delivered."""
        from app.fleet import cluster

        self.ended_at = datetime.now(timezone.utc)
        cluster.ask(self._control.stop.remote(), timeout_s=60.0)
        self.stored = dict(cluster.ask(self._control.status.remote())["events"])
        cluster.end_control(self._control)

    def _view(self) -> View:
        from app.fleet import cluster

        found: View = cluster.ask(self._control.view.remote())
        return found

    def _until(self, reached: Callable[[View], bool], what: str) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while not reached(view := self._view()):
            if time.monotonic() > until_s:
                states = ", ".join(f"{camera.name} {camera.state} {camera.said}" for camera in view.cameras)
                raise Stuck(f"After {PATIENCE_S:.0f} s it is not so that {what}.", saw=states)
            time.sleep(_LOOK_S)
        sys.stderr.write(f"{what}\n")
