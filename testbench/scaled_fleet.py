"""A fleet of so many nodes, left to itself, whose frames are counted (`testbench.fleet_scaling`)."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from statistics import median

from app.fleet import cluster, figures
from app.fleet.charter import Charter
from app.fleet.cluster import RayWarden, Wardens, here
from app.fleet.control import Control
from app.fleet.order import Order
from app.fleet.overview import View
from app.fleet.roster import FleetCamera
from app.fleet.warden import Warden
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from testbench.fleet_run import PATIENCE_S, Stuck
from testbench.ray_nodes import Nodes, on_cores

_WARM_UP_S = 3.0
_TOKEN = "t" * 32
_SHOWN = "facewire_frames_shown_total"


class FixedCostWarden(Warden):
    def __init__(self, order: Order) -> None:
        super().__init__(order, here(), (sys.executable, "-m", "testbench.fixed_cost_run"))


class ScaledFleet:
    """pinned  each node has a processor for itself"""

    def __init__(
        self,
        folder: Path,
        models: Path,
        engines: Path,
        *,
        nodes: int,
        kind: type[Warden] = RayWarden,
        pinned: bool = False,
    ) -> None:
        self._folder = folder / "fleet"
        self._nodes = Nodes(folder, models, engines)
        self._count = nodes
        self._pinned = pinned
        self._wardens = Wardens(kind)
        self._control: Control | None = None

    def __enter__(self) -> ScaledFleet:
        cores = sorted(os.sched_getaffinity(0))
        for number in range(self._count):
            with on_cores([cores[number % len(cores)]]) if self._pinned else nullcontext():
                self._nodes.add(cpus=1000)
        cluster.connect(self._nodes.address)
        return self

    def __exit__(self, *_: object) -> None:
        if self._control is not None:
            self._control.stop()
        cluster.disconnect()
        self._nodes.close()

    def begin(self, sources: Sequence[str], chosen: dict[str, str]) -> None:
        charter = Charter(self._folder, here().address, 0, secret="s" * 32, token=_TOKEN)
        self._control = Control(charter, self._wardens, cluster.nodes)
        cameras = [FleetCamera(f"cam{number:03}", source) for number, source in enumerate(sources)]
        self._control.wish(cameras, chosen, cpus=1.0, gpus=0.0)
        until_s = time.monotonic() + PATIENCE_S
        while not ((view := self._view()).is_settled and all(camera.console for camera in view.cameras)):
            if time.monotonic() > until_s:
                raise Stuck("Not all cameras are live.", saw=str([(c.name, c.state, c.said) for c in view.cameras]))
            time.sleep(0.2)

    def frames_per_s(self, seconds: float) -> float:
        """Of all cameras together; each is asked when its own time begins and ends."""
        time.sleep(_WARM_UP_S)
        consoles = [camera.console for camera in self._view().cameras]
        before = [self._shown(console) for console in consoles]
        time.sleep(seconds)
        after = [self._shown(console) for console in consoles]
        return sum(
            (frames - frames_before) / (at_s - before_s)
            for (before_s, frames_before), (at_s, frames) in zip(before, after, strict=True)
        )

    def look_ms(self) -> float:
        """Until all wardens have told the control how their cameras are; the middle of some."""
        took = []
        for _ in range(9):
            began_s = time.monotonic()
            self._wardens.look(timeout_s=10.0)
            took.append((time.monotonic() - began_s) * 1e3)
        return median(took)

    def events_missing(self) -> int:
        """Cameras of which nothing has reached the store."""
        store = Store(self._folder / "events")
        return sum(store.count(Wanted(camera=camera.name)) == 0 for camera in self._view().cameras)

    def _shown(self, console: str) -> tuple[float, float]:
        told = figures.ask(console, _TOKEN, timeout_s=10.0)
        return time.monotonic(), figures.value_of(told, _SHOWN) or 0.0

    def _view(self) -> View:
        assert self._control is not None
        return self._control.view()
