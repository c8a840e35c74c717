"""A warden on a real cluster of Ray that needs no models: what it keeps alive is a stand-in for a run."""

from __future__ import annotations

import sys

from app.fleet.cluster import here
from app.fleet.order import Order
from app.fleet.warden import Warden


class StandInWarden(Warden):
    def __init__(self, order: Order) -> None:
        super().__init__(order, here(), (sys.executable, "-m", "tests.app.fleet.run_stand_in"))
