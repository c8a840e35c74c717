"""Wardens on a real cluster of Ray that need no models: what one keeps alive is a stand-in for a run."""

from __future__ import annotations

import sys
from pathlib import Path

from app.fleet.cluster import RayWarden, here
from app.fleet.order import Order
from app.fleet.warden import Warden


class StandInWarden(Warden):
    def __init__(self, order: Order) -> None:
        super().__init__(order, here(), (sys.executable, "-m", "tests.app.fleet.run_stand_in"))


class FragileWarden(RayWarden):
    """Dies of a bug the first time, which is when the file does not exist that its camera names."""

    def _keep(self) -> None:
        been = Path(self._order.camera.source)
        if not been.exists():
            been.touch()
            raise KeyError("a bug")
        self._stopping.wait()
