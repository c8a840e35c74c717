"""The one who knows what the fleet is to be, and sees to it: an actor on the machine that has the fleet's store.

Without it the cameras go on, and Ray begins them anew where they were lost; their events wait on the machines' disks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace

from app import settings
from app.fleet import overview, page, steps, wished
from app.fleet.charter import Charter, Hands
from app.fleet.collect import Collecting
from app.fleet.forgetting import Forgotten, together
from app.fleet.front import Front, Pages
from app.fleet.journeys import Seen, seen_in
from app.fleet.likeness import Met
from app.fleet.order import HEALTHY, Order, Report
from app.fleet.overview import View
from app.fleet.place import Node
from app.fleet.roster import FleetCamera
from app.fleet.steps import Posted, Step
from pipeline.config import CollectorConfig

_TURN_S = 1.0
_LOOK_S = 2.0
_DEAD_S = 10.0
_SWEEP_EVERY_S = 600.0
_SWEEP_SOON_S = 60.0
_SETTLE_S = 25.0


class Control:
    """nodes  asks Ray for those that are alive"""

    def __init__(self, charter: Charter, hands: Hands, nodes: overview.AskNodes) -> None:
        self._charter = charter
        self._hands = hands
        self._ask_nodes = nodes
        self._file = charter.folder / "wished.json"
        self._wished = wished.load(self._file)
        self._collecting = Collecting(charter.folder / "events")
        self._lock = threading.RLock()
        self._rung = threading.Event()
        self._ending = False
        self._reports: dict[str, Report] = {}
        self._nodes: dict[str, Node] = {}
        self._bug: BaseException | None = None
        self._swept: set[str] = set()
        self._sweep_at_s = time.monotonic() + _SWEEP_SOON_S
        pages = Pages(self._collecting.take, self.status, self.metrics, self.page)
        self._front = Front(charter.host, charter.port, pages, secret=charter.secret, token=charter.token)
        for camera in list(self._wished.posted):
            if not hands.find(camera):
                del self._wished.posted[camera]
        self._thread = threading.Thread(target=self._guarded, name="control", daemon=True)
        self._thread.start()

    def collector(self) -> str:
        return f"http://{self._charter.host}:{self._front.port}/events"

    def token(self) -> str:
        """Of those who look; only who may command the cluster can ask for it."""
        return self._charter.token

    def wish(
        self, cameras: list[FleetCamera], chosen: Mapping[str, str], *, cpus: float, gpus: float, again: str = ""
    ) -> None:
        """The fleet is to have these cameras and no others, with these settings. SettingsError: they are none."""
        settings.load(chosen)
        made = {
            camera.name: Order(
                camera, tuple(sorted(chosen.items())), self.collector(), self._charter.secret, self._charter.token,
                cpus, gpus, again,
            )
            for camera in cameras
        }  # fmt: skip
        with self._lock:
            self._wished.orders = made
            self._wished.pins = {camera: node for camera, node in self._wished.pins.items() if camera in made}
            self._wished.said = ""
        self._changed()

    def pin(self, camera: str, node: str) -> None:
        with self._lock:
            self._wished.pins[camera] = node
        self._changed()

    def shut(self, node: str, *, is_shut: bool) -> None:
        """No camera is to be there; those that are move away one after the other."""
        with self._lock:
            (self._wished.shut.add if is_shut else self._wished.shut.discard)(node)
            if is_shut:
                self._wished.pins = {camera: pinned for camera, pinned in self._wished.pins.items() if pinned != node}
        self._changed()

    def stop(self) -> None:
        """All cameras, in order; returns when nothing runs any more."""
        self._ending = True
        self._rung.set()
        self._thread.join()
        self._hands.end(list(self._wished.posted))
        # A run that ends does not wait long for the store; what it has left is told now.
        self._sweep_all(self._nodes, busy={})
        self._hands.settle(_SETTLE_S)
        with self._lock:
            self._wished.posted.clear()
            self._wished.orders.clear()
            wished.save(self._wished, self._file)

    def log(self, camera: str, lines: int) -> list[str]:
        return self._hands.log(camera, lines)

    def seen(self, name: str, since: str) -> list[Seen]:
        """Where somebody was, as the store tells."""
        return seen_in(self._collecting.store, name, since)

    def met(self, since: str) -> list[Met]:
        """Unknown people, from all machines that are alive, also where no camera is any more."""
        with self._lock:
            nodes = list(self._nodes.values())
        return self._hands.met(nodes, since)

    def forget(self, name: str) -> Forgotten:
        """The machines first: what they have not told yet is told without it. Those that are away are told."""
        self._collecting.bar(name)
        with self._lock:
            nodes = list(self._nodes.values())
        found = together(self._hands.forget(nodes, name))
        there = {node.address for node in nodes}
        away = [f"{one}: away since {last}" for one, last in self._collecting.met().items() if one not in there]
        erased = self._collecting.forget(name, found.seen)
        return replace(found, events=max(found.events, erased), missed=(*found.missed, *away))

    def view(self) -> View:
        if self._bug is not None:
            raise RuntimeError("the control of the fleet has died") from self._bug
        with self._lock:
            reports = dict(self._reports)
            wish, posted, nodes = self._wished.wish(), dict(self._wished.posted), dict(self._nodes)
            said = self._wished.said
        last = self._collecting.last_of_cameras()
        return overview.view_of(wish, posted, reports, nodes, last, self._collecting.counts, said)

    def status(self) -> object:
        return overview.as_json(self.view())

    def metrics(self) -> str:
        return overview.metrics_of(self.view())

    def page(self) -> str:
        return page.page_of(self.view(), self._charter.token)

    def _changed(self) -> None:
        with self._lock:
            wished.save(self._wished, self._file)
        self._rung.set()

    def _guarded(self) -> None:
        try:
            while not self._ending:
                self._turn()
                self._rung.wait(_TURN_S)
                self._rung.clear()
        except BaseException as error:  # noqa: BLE001  (raised again in whoever asks for the view)
            self._bug = error

    def _turn(self) -> None:
        nodes, found = self._ask_nodes(), self._hands.look(_LOOK_S)
        with self._lock:
            self._nodes = nodes
            for camera, report in found.items():
                self._hear(camera, report)
            self._forget_dead()
            self._take_back()
            todo = steps.next_steps(
                self._wished.wish(),
                self._wished.posted,
                self._reports,
                nodes,
                now_s=time.time(),
                prove_s=self._charter.prove_s,
            )
        for step in todo:
            self._do(step)
        if not todo:
            self._sweep(nodes)
        if todo:
            with self._lock:
                wished.save(self._wished, self._file)

    def _sweep(self, nodes: Mapping[str, Node]) -> None:
        """Now and then, and soon after a machine has come: it may have been away with events that nobody knows."""
        if nodes.keys() - self._swept:
            self._collecting.meet([node.address for node in nodes.values()])
            self._sweep_at_s = min(self._sweep_at_s, time.monotonic() + _SWEEP_SOON_S)
        self._swept = set(nodes)
        if time.monotonic() < self._sweep_at_s:
            return
        self._sweep_at_s = time.monotonic() + _SWEEP_EVERY_S
        busy = {
            node: [one for one, posted in self._wished.posted.items() if node in (posted.node, self._node_of(one))]
            for node in nodes
        }
        self._sweep_all(nodes, busy)

    def _sweep_all(self, nodes: Mapping[str, Node], busy: Mapping[str, list[str]]) -> None:
        with self._lock:
            chosen = dict(next((order.settings for order in self._wished.orders.values()), ()))
        self._collecting.expire(settings.load(chosen).outlets.days)
        config = CollectorConfig(self.collector(), self._charter.secret)
        self._collecting.meet([node.address for node in nodes.values()])
        barred = self._collecting.barred()
        for node in nodes.values():
            self._hands.sweep(node, config, busy.get(node.id, []), chosen, barred)

    def _node_of(self, camera: str) -> str:
        return steps.where(camera, self._wished.posted, self._reports)

    def _hear(self, camera: str, report: Report | None) -> None:
        """A warden that does not answer is where it was, as far as is known."""
        before, posted = self._reports.get(camera), self._wished.posted.get(camera)
        if posted is None:
            return
        if report is None:
            if before is not None:
                self._reports[camera] = replace(before, state="silent", fps=0.0, samples=())
            return
        self._reports[camera] = report
        if report.state in HEALTHY and report.revision == posted.order.revision:
            posted.proved = True

    def _forget_dead(self) -> None:
        """Of those that Ray will not begin again, because they could not even be begun."""
        for camera in self._hands.dead():
            posted = self._wished.posted.get(camera)
            if posted is not None and time.time() - posted.at_s > _DEAD_S:
                del self._wished.posted[camera]

    def _take_back(self) -> None:
        """A change with which a camera does not become live goes no further, and is undone where it was made."""
        for camera, posted in self._wished.posted.items():
            kept, wanted = posted.before, self._wished.orders.get(camera)
            is_given_up = time.time() - posted.at_s > self._charter.prove_s and not posted.proved
            if kept is None or wanted is None or not is_given_up or posted.order.revision != wanted.revision:
                continue
            self._wished.said = f"{camera} did not become live with a changed order: the change was taken back"
            self._wished.orders = {
                name: replace(order, settings=kept.settings, again=kept.again)
                for name, order in self._wished.orders.items()
            }
            return

    def _do(self, step: Step) -> None:
        if step.kind in ("end", "again"):
            self._hands.end([step.camera])
        with self._lock:
            before = self._wished.posted.pop(step.camera, None)
            self._reports.pop(step.camera, None)
            order, node = self._wished.orders.get(step.camera), self._nodes.get(step.node)
            if step.kind == "end" or order is None or node is None:
                return
            tried = before.order if before is not None and before.proved else None
            self._wished.posted[step.camera] = Posted(order, node.id, time.time(), before=tried)
            shut = sorted(self._wished.shut)
        self._hands.begin(order, node, shut)
