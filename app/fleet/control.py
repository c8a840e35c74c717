"""The one who knows what the fleet is to be, and sees to it: an actor on the machine that has the fleet's store.

Without it the cameras go on, and Ray begins them anew where they were lost; their events wait on the machines' disks.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import ClassVar

from app import settings
from app.fleet import overview, page, proving, steps, wished
from app.fleet.charter import Charter, Hands
from app.fleet.collect import Collecting
from app.fleet.forgetting import Forgotten, together
from app.fleet.front import Front, Pages
from app.fleet.journeys import Seen, seen_in
from app.fleet.likeness import Met
from app.fleet.order import HEALTHY, Order, Report
from app.fleet.overview import View
from app.fleet.place import Need, Node, has_room
from app.fleet.roster import FleetCamera
from app.fleet.steps import Posted, Step
from app.fleet.sweeping import Sweeping
from app.fleet.wished import Wished
from checkpoints.errors import FleetError, SettingsError, UserError
from pipeline.config import CollectorConfig

_TURN_S = 1.0
_MOST_PAUSE_S = 15.0
_LOOK_S = 2.0
_DEAD_S = 10.0
_SETTLE_S = 25.0
_KEEP_SHUT_S = 86400.0
_DIED = "the control of the fleet has died"


class Control:
    """nodes  asks Ray for those that are alive"""

    # What may be over the next time: told, and tried again.
    PASSING: ClassVar[tuple[type[Exception], ...]] = (UserError, OSError, sqlite3.Error)

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
        self._gone_since_s: dict[str, float] = {}
        self._is_saved = True
        self._trouble = ""
        self._bug: BaseException | None = None
        pages = Pages(self._collecting.take, self.status, self.metrics, self.page, self.trouble)
        self._front = Front(charter.host, charter.port, pages, secret=charter.secret, token=charter.token)
        self._sweeping = Sweeping(hands, self._collecting, CollectorConfig(self.collector(), charter.secret))
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
            pins = {camera: node for camera, node in self._wished.pins.items() if camera in made}
            self._change(replace(self._wished, orders=made, pins=pins, said=""))

    def pin(self, camera: str, node: str) -> None:
        """SettingsError: it cannot be there."""
        with self._lock:
            self._check_room(camera, node)
            self._change(replace(self._wished, pins={**self._wished.pins, camera: node}))

    def shut(self, node: str, *, is_shut: bool) -> None:
        """No camera is to be there; those that are move away one after the other."""
        with self._lock:
            wish = self._wished.wish()
            pins = {camera: pinned for camera, pinned in wish.pins.items() if not is_shut or pinned != node}
            closed = {*wish.shut, node} if is_shut else set(wish.shut) - {node}
            self._change(replace(self._wished, shut=closed, pins=pins))

    def stop(self) -> None:
        """All cameras, in order; returns when nothing runs any more."""
        self._ending = True
        self._rung.set()
        self._thread.join()
        self._hands.end(sorted(self._wished.posted.keys() | self._hands.names()))
        # A run that ends does not wait long for the store; what it has left is told now.
        self._sweeping.sweep(self._nodes, lambda _node: [], self._chosen())
        self._hands.settle(_SETTLE_S)
        with self._lock:
            self._wished.posted.clear()
            self._wished.orders.clear()
            self._reports.clear()
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
            raise RuntimeError(_DIED) from self._bug
        with self._lock:
            reports = dict(self._reports)
            wish, posted, nodes = self._wished.wish(), dict(self._wished.posted), dict(self._nodes)
            said, trouble = self._wished.said, self._trouble
        last = self._collecting.last_of_cameras()
        return overview.view_of(wish, posted, reports, nodes, last, self._collecting.counts, said, trouble)

    def status(self) -> object:
        return overview.as_json(self.view())

    def metrics(self) -> str:
        return overview.metrics_of(self.view())

    def page(self) -> str:
        return page.page_of(self.view(), self._charter.token)

    def trouble(self) -> str:
        """What the control itself cannot do at the moment; empty: nothing."""
        return self._trouble if self._bug is None else _DIED

    def died(self) -> None:
        """By a bug: nothing more is done."""

    def _change(self, new: Wished) -> None:
        """What cannot be kept is not begun either. Whoever calls it has the lock."""
        if self._ending:
            raise FleetError("The fleet is being ended.", saw="fleet down", fix="say it again in a moment")
        wished.save(new, self._file)
        self._wished, self._is_saved = new, True
        self._rung.set()

    def _check_room(self, camera: str, node: str) -> None:
        orders, at = self._wished.orders, self._nodes.get(node)
        needs = {name: Need(name, one.camera.site, one.cpus, one.gpus) for name, one in orders.items()}
        if at is None or camera not in needs:
            raise SettingsError("The camera or the machine is gone.", saw=f"{camera}, {node}", fix="see fleet status")
        if node in self._wished.shut:
            raise SettingsError("This machine is to have no camera.", saw=at.address, fix="fleet drain MACHINE --back")
        there = [one for name, one in needs.items() if name != camera and self._is_to_be_at(name, node)]
        if not has_room(at, there, needs[camera]):
            raise SettingsError(
                "There is no room on this machine.",
                saw=f"{at.address} has {len(there)} cameras, {at.cpus:g} processors and {at.gpus:g} GPUs",
                fix="move one of its cameras away first, or choose another machine: fleet status",
            )

    def _is_to_be_at(self, camera: str, node: str) -> bool:
        return camera in self._wished.posted and self._wished.pins.get(camera, self._node_of(camera)) == node

    def _guarded(self) -> None:
        try:
            pause_s = _TURN_S
            while not self._ending:
                try:
                    self._turn()
                    self._trouble, pause_s = "", _TURN_S
                except self.PASSING as error:
                    self._trouble, pause_s = _told(error), min(_MOST_PAUSE_S, 2 * pause_s)
                self._rung.wait(pause_s)
                self._rung.clear()
        except BaseException as error:  # noqa: BLE001  (raised again in whoever asks for the view)
            self._bug = error
            self.died()

    def _turn(self) -> None:
        nodes, names, found = self._ask_nodes(), self._hands.names(), self._hands.look(_LOOK_S)
        with self._lock:
            self._nodes = nodes
            for camera, report in found.items():
                self._hear(camera, report)
            self._forget_dead()
            self._forget_shut()
            prove_s = proving.longest_s(self._charter.prove_s, self._wished.orders.values())
            if proving.take_back(self._wished, prove_s, now_s=time.time()):
                self._is_saved = False
            todo = steps.next_steps(
                self._wished.wish(), self._wished.posted, self._reports, nodes, now_s=time.time(), prove_s=prove_s
            )
            # Before anything is wished, those that are there may be the ones that will be.
            known = self._wished.posted.keys() | self._wished.orders.keys()
            strangers = names - known if self._wished.orders else set()
        self._end({step.camera for step in todo if step.kind == "end"} | strangers)
        for step in todo:
            if step.kind != "end":
                self._do(step)
        if not todo:
            self._sweeping.turn(nodes, self._busy, self._chosen())
        self._keep()

    def _keep(self) -> None:
        with self._lock:
            if not self._is_saved:
                wished.save(self._wished, self._file)
                self._is_saved = True

    def _busy(self, node: str) -> list[str]:
        """Cameras that are on this machine, or come from it or to it."""
        return [one for one, posted in self._wished.posted.items() if node in (posted.node, self._node_of(one))]

    def _chosen(self) -> Mapping[str, str]:
        """Settings that the cameras share."""
        with self._lock:
            return dict(next((order.settings for order in self._wished.orders.values()), ()))

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
        if report.state in HEALTHY and report.revision == posted.order.revision and not posted.proved:
            posted.proved, self._is_saved = True, False

    def _forget_dead(self) -> None:
        """Of those that Ray will not begin again, because they could not even be begun."""
        for camera in self._hands.dead():
            posted = self._wished.posted.get(camera)
            if posted is not None and time.time() - posted.at_s > _DEAD_S:
                del self._wished.posted[camera]

    def _forget_shut(self) -> None:
        """Machines that are gone: when one joins again, Ray gives it another id."""
        now_s = time.monotonic()
        self._gone_since_s = {
            node: self._gone_since_s.get(node, now_s) for node in self._wished.shut - self._nodes.keys()
        }
        gone = {node for node, since_s in self._gone_since_s.items() if now_s - since_s > _KEEP_SHUT_S}
        if gone:
            self._wished.shut -= gone
            self._is_saved = False

    def _end(self, cameras: Collection[str]) -> None:
        if not cameras:
            return
        self._hands.end(sorted(cameras))
        with self._lock:
            self._is_saved = False
            for camera in cameras:
                self._wished.posted.pop(camera, None)
                self._reports.pop(camera, None)

    def _do(self, step: Step) -> None:
        """Remembered when it is begun: what could not be is missing, and is tried again."""
        before = self._worked(step.camera)
        if step.kind == "again":
            self._end([step.camera])
        with self._lock:
            order, node = self._wished.orders.get(step.camera), self._nodes.get(step.node)
            if order is None or node is None:
                return
            shut = sorted(self._wished.shut)
        self._hands.begin(order, node, shut)
        with self._lock:
            tried = before if before is not None and proving.is_another(order, before) else None
            self._wished.posted[step.camera] = Posted(order, node.id, time.time(), before=tried)
            self._is_saved = False

    def _worked(self, camera: str) -> Order | None:
        """What it is well with now: what comes instead has to show that it is no worse."""
        posted, report = self._wished.posted.get(camera), self._reports.get(camera)
        if posted is None or report is None or report.state not in HEALTHY:
            return None
        return posted.order if report.revision == posted.order.revision else None


def _told(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    first, _, _ = str(error).partition("\n")
    return f"{type(error).__name__}: {first}"
