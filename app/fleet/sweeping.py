"""Now and then each machine tells, and lets expire, what cameras have left there; the store lets expire, too."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from app import settings
from app.fleet.charter import Hands
from app.fleet.collect import Collecting
from app.fleet.place import Node
from pipeline.config import CollectorConfig

EVERY_S = 600.0
SOON_S = 60.0
Busy = Callable[[str], list[str]]  # machine → cameras that are there


class Sweeping:
    """collector  where cameras tell their events"""

    def __init__(self, hands: Hands, collecting: Collecting, collector: CollectorConfig) -> None:
        self._hands = hands
        self._collecting = collecting
        self._collector = collector
        self._known: set[str] = set()
        self.due_s = time.monotonic() + SOON_S

    def turn(self, nodes: Mapping[str, Node], busy: Busy, chosen: Mapping[str, str]) -> None:
        """Soon after a machine has come: it may have been away with events that nobody knows."""
        if nodes.keys() - self._known:
            self._collecting.meet([node.address for node in nodes.values()])
            self.due_s = min(self.due_s, time.monotonic() + SOON_S)
        self._known = set(nodes)
        if time.monotonic() < self.due_s:
            return
        self.sweep(nodes, busy, chosen)
        self.due_s = time.monotonic() + EVERY_S

    def sweep(self, nodes: Mapping[str, Node], busy: Busy, chosen: Mapping[str, str]) -> None:
        """Begins with all of them. chosen: settings of the cameras"""
        self._collecting.expire(settings.load(chosen).outlets.days)
        self._collecting.meet([node.address for node in nodes.values()])
        barred = self._collecting.barred()
        for node in nodes.values():
            self._hands.sweep(node, self._collector, busy(node.id), chosen, barred)
