"""What each machine of the fleet is asked: to tell and expire what cameras have left there, to forget somebody, whom
it has seen.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from ray import exceptions

from app import flags, sealing, settings
from app.fleet import forgetting, leftovers, likeness
from app.fleet.barred import Barred
from app.fleet.forgetting import Forgotten, at_machine
from app.fleet.leftovers import Keep
from app.fleet.likeness import Met
from app.fleet.one_camera import cameras_dir
from app.fleet.place import Node
from checkpoints.errors import FleetError
from pipeline.config import CollectorConfig

NODE = "ray.io/node-id"  # the label by which Ray tells machines apart
FORGET_S = 600.0  # events of a month are read through
_MET_S = 25.0  # less than who asks the control waits
Handle = Any


class Chores:
    def __init__(self) -> None:
        self._sweeps: dict[str, Handle] = {}

    def sweep(
        self,
        node: Node,
        collector: CollectorConfig,
        busy: Sequence[str],
        chosen: Mapping[str, str],
        barred: Sequence[Barred],
    ) -> None:
        """Begin with a machine. What went wrong with the time before is told now. chosen: settings of the cameras"""
        self._finish(node.address)
        self._sweeps[node.address] = _on(node, _sweep_here).remote(collector, list(busy), dict(chosen), tuple(barred))

    def settle(self, timeout_s: float) -> None:
        """Wait for the sweeps that were begun."""
        _wait(self._sweeps, timeout_s)
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
        """A machine that has not answered is told in `missed`; it is asked again with its next sweep."""
        asked = {node.address: _on(node, _forget_here).remote(name) for node in nodes}
        _wait(asked, FORGET_S)
        return [_forgotten(address, one) for address, one in asked.items()]

    def met(self, nodes: Sequence[Node], since: str) -> list[Met]:
        """Whom nobody has a name for, of all cameras that were ever on these machines."""
        asked = {node.address: _on(node, _met_here).remote(since) for node in nodes}
        _wait(asked, _MET_S)
        return likeness.of_machines({address: _met(address, one) for address, one in asked.items()})


def _wait(asked: Mapping[str, Handle], timeout_s: float) -> None:
    if asked:
        ray.wait(list(asked.values()), num_returns=len(asked), timeout=timeout_s)


def _forgotten(address: str, asked: Handle) -> Forgotten:
    try:
        found: Forgotten = ray.get(asked, timeout=0)
    except (exceptions.RayError, TimeoutError) as error:
        return Forgotten(missed=(f"{address}: {_last_line(error)}",))
    return at_machine(found, address)


def _met(address: str, asked: Handle) -> list[Met]:
    try:
        found: list[Met] = ray.get(asked, timeout=0)
    except (exceptions.RayError, TimeoutError) as error:
        raise FleetError(
            "A machine does not tell whom it has seen.", saw=f"{address}: {_last_line(error)}", fix="see fleet status"
        ) from error
    return found


def _last_line(error: Exception) -> str:
    """Without the other process's traceback."""
    return (str(error).splitlines() or [type(error).__name__])[-1]


def _on(node: Node, work: Any) -> Handle:  # noqa: ANN401
    return ray.remote(work).options(num_cpus=0, max_retries=0, label_selector={NODE: node.id})


def _sweep_here(collector: CollectorConfig, busy: list[str], texts: dict[str, str], barred: tuple[Barred, ...]) -> int:
    chosen = settings.read(texts)
    gallery = flags.gallery_config(chosen)
    keep = Keep(chosen.outlets.days, chosen.gallery.unknown_days, gallery.seal, gallery.server, barred)
    return leftovers.deliver(chosen.data_dir, collector, busy, keep)


def _forget_here(name: str) -> Forgotten:
    chosen = settings.read()
    return forgetting.forget_here(chosen.data_dir, name, sealing.seal_of(chosen))


def _met_here(since: str) -> list[Met]:
    chosen = settings.read()
    return likeness.met_on_machine(cameras_dir(chosen.data_dir), since, sealing.seal_of(chosen))
