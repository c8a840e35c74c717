"""Ray, as the fleet uses it: its nodes, and the actors on them. With `chores` the only file of the fleet that knows it.

Ray chooses where an actor is begun anew when its node is lost, from what `whereabouts` says: the node that was meant,
else one of the same site, else any.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ray
from ray import exceptions

from app import privacy
from app.fleet.barred import Barred
from app.fleet.charter import Charter
from app.fleet.chores import NODE, Chores, Handle
from app.fleet.control import Control
from app.fleet.forgetting import Forgotten
from app.fleet.likeness import Met
from app.fleet.order import Order, Report
from app.fleet.place import Node
from app.fleet.warden import Here, Warden
from checkpoints.errors import FleetError, UserError
from pipeline.config import CollectorConfig

NAMESPACE = "facewire"
SITE = "site"
_CONTROL = "control"
_CAMERA = "camera:"
_PATIENCE_S = 30.0
_REACH_S = 5.0
_LAST_WORDS_S = 5.0
_THREADS = 4  # of an actor: who stops it does not keep others from looking
_CONTROL_THREADS = 16


def connect(address: str) -> None:
    """To the cluster that this machine is a part of."""
    try:
        _check_reachable(address)
        ray.init(
            address=address,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
        )
    except (OSError, ValueError, RuntimeError, exceptions.RayError) as error:
        raise FleetError(
            "No cluster of Ray answers on this machine.",
            saw=f"--address {address}: {str(error).splitlines()[0]}",
            fix="start it on the first machine with `python -m app.main fleet node --head`, and on each other one with "
            "`python -m app.main fleet node --address FIRST:6379`",
        ) from error


def _check_reachable(address: str) -> None:
    """Ray itself asks for minutes an address at which nobody listens, and then ends the whole process."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), _REACH_S).close()


def disconnect() -> None:
    ray.shutdown()


def nodes() -> dict[str, Node]:
    """Those that are alive, by their ids."""
    return {
        one["NodeID"]: Node(
            id=one["NodeID"],
            address=one["NodeManagerAddress"],
            site=one["Labels"].get(SITE),
            cpus=float(one["Resources"].get("CPU", 0.0)),
            gpus=float(one["Resources"].get("GPU", 0.0)),
        )
        for one in ray.nodes()
        if one["Alive"]
    }


def here() -> Here:
    return Here(ray.get_runtime_context().get_node_id(), ray.util.get_node_ip_address())


class RayWarden(Warden):
    """Knows by itself where it was begun."""

    def __init__(self, order: Order) -> None:
        privacy.begin()
        super().__init__(order, here())

    def died(self) -> None:
        _die(self._bug)


def _die(bug: BaseException | None) -> None:
    """Ray begins the actor anew. Who asks meanwhile sees the bug, and it is in Ray's logs."""
    traceback.print_exception(bug)
    sys.stderr.flush()
    time.sleep(_LAST_WORDS_S)
    os._exit(1)


class Wardens:
    """The actors of all cameras. kind: made with an order"""

    def __init__(self, kind: type[Warden] = RayWarden) -> None:
        self._kind = kind
        self._handles: dict[str, Handle] = {}
        self._dead: set[str] = set()
        self._chores = Chores()

    def begin(self, order: Order, node: Node, shut: Sequence[str]) -> None:
        made = ray.remote(self._kind).options(
            name=_CAMERA + order.camera.name,
            lifetime="detached",
            get_if_exists=True,
            num_cpus=order.cpus,
            num_gpus=order.gpus,
            max_restarts=-1,
            max_concurrency=_THREADS,
            scheduling_strategy="SPREAD",
            **whereabouts(node, order.camera.site, shut),
        )
        self._handles[order.camera.name] = made.remote(order)

    def find(self, camera: str) -> bool:
        """One that an earlier control has begun."""
        try:
            self._handles[camera] = ray.get_actor(_CAMERA + camera, namespace=NAMESPACE)
        except ValueError:
            return False
        return True

    def names(self) -> set[str]:
        """Cameras that have an actor, whoever has begun it."""
        return {name.removeprefix(_CAMERA) for name in ray.util.list_named_actors() if name.startswith(_CAMERA)}

    def end(self, cameras: Sequence[str], patience_s: float = _PATIENCE_S) -> None:
        """In order; those that do not answer in time are killed, and their runs end with them."""
        handles = [self._handles.pop(camera) for camera in cameras if camera in self._handles or self.find(camera)]
        asked = [handle.stop.remote() for handle in handles]
        if asked:
            ray.wait(asked, num_returns=len(asked), timeout=patience_s)
        for handle in handles:
            ray.kill(handle)

    def look(self, timeout_s: float) -> dict[str, Report | None]:
        """None: no answer; its machine may just have been lost."""
        asked = {camera: handle.look.remote() for camera, handle in self._handles.items()}
        if asked:
            ray.wait(list(asked.values()), num_returns=len(asked), timeout=timeout_s)
        found: dict[str, Report | None] = {}
        self._dead = set()
        for camera, one in asked.items():
            try:
                found[camera] = ray.get(one, timeout=0)
            except exceptions.ActorDiedError:
                found[camera] = None
                self._dead.add(camera)
            except (exceptions.RayError, TimeoutError):
                found[camera] = None
        return found

    def dead(self) -> set[str]:
        """Of the last look: those that Ray does not begin again."""
        return self._dead

    def sweep(
        self,
        node: Node,
        collector: CollectorConfig,
        busy: Sequence[str],
        chosen: Mapping[str, str],
        barred: Sequence[Barred],
    ) -> None:
        self._chores.sweep(node, collector, busy, chosen, barred)

    def settle(self, timeout_s: float) -> None:
        self._chores.settle(timeout_s)

    def forget(self, nodes: Sequence[Node], name: str) -> list[Forgotten]:
        return self._chores.forget(nodes, name)

    def log(self, camera: str, lines: int) -> list[str]:
        handle = self._handles.get(camera)
        try:
            found: list[str] = [] if handle is None else ray.get(handle.log.remote(lines), timeout=_PATIENCE_S)
        except exceptions.RayError as error:
            raise FleetError("The camera's machine does not answer.", saw=camera, fix="see fleet status") from error
        return found

    def met(self, nodes: Sequence[Node], since: str) -> list[Met]:
        return self._chores.met(nodes, since)


def whereabouts(node: Node, site: str | None, shut: Sequence[str]) -> dict[str, Any]:
    """Options of an actor: where it is begun, and where it may be begun anew."""
    open_nodes = {NODE: f"!in({','.join(shut) or 'none'})"}
    anywhere = [{"label_selector": open_nodes}]
    same_site = [] if site is None else [{"label_selector": {SITE: site, **open_nodes}}]
    return {"label_selector": {NODE: node.id}, "fallback_strategy": [*same_site, *anywhere]}


class RayControl(Control):
    """With the actors of this cluster."""

    PASSING: ClassVar[tuple[type[Exception], ...]] = (*Control.PASSING, exceptions.RayError)

    def __init__(self, charter: Charter) -> None:
        privacy.begin()
        super().__init__(charter, Wardens(), nodes)

    def died(self) -> None:
        _die(self._bug)


def begin_control(charter: Charter) -> Handle:
    """The one control of the fleet: the one that is there, else a new one on this machine, which has its store."""
    return (
        ray.remote(RayControl)
        .options(
            name=_CONTROL,
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0,
            max_restarts=-1,
            max_concurrency=_CONTROL_THREADS,
            label_selector={NODE: here().node},
        )
        .remote(charter)
    )


def control() -> Handle:
    try:
        return ray.get_actor(_CONTROL, namespace=NAMESPACE)
    except ValueError as error:
        raise FleetError(
            "No fleet runs on this cluster.", saw="no control", fix="python -m app.main fleet up --cameras cameras.toml"
        ) from error


def ask(asked: Handle, timeout_s: float = _PATIENCE_S) -> Handle:
    """What an actor answers; what it raises for a person to put right is raised here, too."""
    try:
        return ray.get(asked, timeout=timeout_s)
    except exceptions.RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from error
        raise
    except exceptions.ActorDiedError as error:
        raise FleetError(
            "The fleet's control has ended.",
            saw=_tail(str(error)),
            fix="put right what it says, and say `fleet up`; when its machine is lost, say it on another one",
        ) from error
    except exceptions.RayError as error:
        raise FleetError(
            "The fleet's control does not answer.",
            saw=type(error).__name__,
            fix="its cameras go on; when its machine is lost, `fleet up` on another one begins it there",
        ) from error


def _tail(text: str) -> str:
    """What was raised, without where."""
    lines = text.rstrip().splitlines()
    begin = max((number for number, line in enumerate(lines) if not line.startswith(" ")), default=0)
    return "\n".join(line.strip() for line in lines[begin:])


def end_control(handle: Handle) -> None:
    """For good, with the cameras that it has not ended."""
    ray.kill(handle)
    wardens = Wardens()
    wardens.end(sorted(wardens.names()))
