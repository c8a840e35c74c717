"""What each machine of the fleet is asked: to tell and expire what cameras have left there, to forget somebody, whom
it has seen.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from ray import exceptions

from app import flags, privacy, sealing, settings
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
    """Of each machine at most one sweep at a time."""

    def __init__(self) -> None:
        self._sweeps: dict[str, tuple[Node, Handle]] = {}

    def sweep(
        self,
        node: Node,
        collector: CollectorConfig,
        busy: Sequence[str],
        chosen: Mapping[str, str],
        barred: Sequence[Barred],
    ) -> None:
        """Begin with a machine, unless it is at it. What went wrong with the time before is told now.

        chosen  settings of the cameras
        """
        before = self._sweeps.get(node.id)
        if before is not None and not ray.wait([before[1]], timeout=0)[0]:
            return
        self._finish(node.id)
        begun = _on(node, _sweep_here).remote(collector, list(busy), dict(chosen), tuple(barred))
        self._sweeps[node.id] = (node, begun)

    def settle(self, timeout_s: float) -> None:
        """Wait for the sweeps that were begun."""
        _wait([begun for _, begun in self._sweeps.values()], timeout_s)
        for one in list(self._sweeps):
            self._finish(one)

    def _finish(self, one: str) -> None:
        if one not in self._sweeps:
            return
        node, begun = self._sweeps.pop(one)
        try:
            ray.get(begun, timeout=0)
        except (exceptions.RayError, TimeoutError) as error:
            sys.stderr.write(f"{node.address}: what cameras have left there could not be told: {error}\n")

    def forget(self, nodes: Sequence[Node], name: str) -> list[Forgotten]:
        """A machine that has not answered is told in `missed`; it is asked again with its next sweep."""
        asked = [_on(node, _forget_here).remote(name) for node in nodes]
        _wait(asked, FORGET_S)
        return [_forgotten(node, one) for node, one in zip(nodes, asked, strict=True)]

    def met(self, nodes: Sequence[Node], since: str) -> list[Met]:
        """Whom nobody has a name for, of all cameras that were ever on these machines."""
        asked = [_on(node, _met_here).remote(since) for node in nodes]
        _wait(asked, _MET_S)
        return likeness.of_machines([(node.address, _met(node, one)) for node, one in zip(nodes, asked, strict=True)])


def _wait(asked: Sequence[Handle], timeout_s: float) -> None:
    if asked:
        ray.wait(list(asked), num_returns=len(asked), timeout=timeout_s)


def _forgotten(node: Node, asked: Handle) -> Forgotten:
    try:
        found: Forgotten = ray.get(asked, timeout=0)
    except (exceptions.RayError, TimeoutError) as error:
        return Forgotten(missed=(f"{node.address}: {_last_line(error)}",))
    return at_machine(found, node.address)


def _met(node: Node, asked: Handle) -> list[Met]:
    try:
        found: list[Met] = ray.get(asked, timeout=0)
    except (exceptions.RayError, TimeoutError) as error:
        raise FleetError(
            "A machine does not tell whom it has seen.",
            saw=f"{node.address}: {_last_line(error)}",
            fix="see fleet status",
        ) from error
    return found


def _last_line(error: Exception) -> str:
    """Without the other process's traceback."""
    return (str(error).splitlines() or [type(error).__name__])[-1]


def _on(node: Node, work: Any) -> Handle:  # noqa: ANN401
    return ray.remote(work).options(num_cpus=0, max_retries=0, label_selector={NODE: node.id})


def _sweep_here(collector: CollectorConfig, busy: list[str], texts: dict[str, str], barred: tuple[Barred, ...]) -> int:
    privacy.begin()
    chosen = settings.read(texts)
    gallery = flags.gallery_config(chosen)
    keep = Keep(chosen.outlets.days, chosen.gallery.unknown_days, gallery.seal, gallery.server, barred)
    return leftovers.deliver(chosen.data_dir, collector, busy, keep)


def _forget_here(name: str) -> Forgotten:
    privacy.begin()
    chosen = settings.read()
    return forgetting.forget_here(chosen.data_dir, name, sealing.seal_of(chosen))


def _met_here(since: str) -> list[Met]:
    chosen = settings.read()
    return likeness.met_on_machine(cameras_dir(chosen.data_dir), since, sealing.seal_of(chosen))
