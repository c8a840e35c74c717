"""What each machine of the fleet is asked to do: tell and expire what cameras have left there, forget somebody."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from ray import exceptions

from app import sealing, settings
from app.fleet import forgetting, leftovers
from app.fleet.forgetting import Forgotten
from app.fleet.leftovers import Keep
from app.fleet.place import Node
from checkpoints.errors import FleetError
from pipeline.config import CollectorConfig

NODE = "ray.io/node-id"  # the label by which Ray tells machines apart
FORGET_S = 600.0  # events of a month are read through
Handle = Any


class Chores:
    def __init__(self) -> None:
        self._sweeps: dict[str, Handle] = {}

    def sweep(self, node: Node, collector: CollectorConfig, busy: Sequence[str], chosen: Mapping[str, str]) -> None:
        """Begin with a machine. What went wrong with the time before is told now. chosen: settings of the cameras"""
        self._finish(node.address)
        self._sweeps[node.address] = _on(node, _sweep_here).remote(collector, list(busy), dict(chosen))

    def settle(self, timeout_s: float) -> None:
        """Wait for the sweeps that were begun."""
        if self._sweeps:
            ray.wait(list(self._sweeps.values()), num_returns=len(self._sweeps), timeout=timeout_s)
        for address in list(self._sweeps):
            self._finish(address)

    def _finish(self, address: str) -> None:
        before = self._sweeps.pop(address, None)
        if before is not None:
            try:
                ray.get(before, timeout=0)
            except (exceptions.RayError, TimeoutError) as error:
                sys.stderr.write(f"{address}: what cameras have left there could not be told: {error}\n")

    def forget(self, nodes: Sequence[Node], name: str) -> list[Forgotten]:
        asked = {node.address: _on(node, _forget_here).remote(name) for node in nodes}
        found = []
        for address, one in asked.items():
            try:
                found.append(ray.get(one, timeout=FORGET_S))
            except (exceptions.RayError, TimeoutError) as error:
                raise FleetError(
                    "A machine has not forgotten the person.",
                    saw=f"{address}: {str(error).splitlines()[-1]}",
                    fix="see fleet status, and say it again: what the other machines have erased is erased",
                ) from error
        return found


def _on(node: Node, work: Any) -> Handle:  # noqa: ANN401
    return ray.remote(work).options(num_cpus=0, max_retries=0, label_selector={NODE: node.id})


def _sweep_here(collector: CollectorConfig, busy: list[str], texts: dict[str, str]) -> int:
    chosen = settings.read(texts)
    keep = Keep(chosen.outlets.days, chosen.gallery.unknown_days, sealing.seal_of(chosen))
    return leftovers.deliver(chosen.data_dir, collector, busy, keep)


def _forget_here(name: str) -> Forgotten:
    chosen = settings.read()
    return forgetting.forget_here(chosen.data_dir, name, sealing.seal_of(chosen))
