"""The fleet at one moment, and how it is told: as JSON, to Prometheus, on a page, in a table for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from app.console.exposition import Exposition, Labels
from app.fleet.collect import Counts
from app.fleet.figures import PASSED_ON
from app.fleet.order import HEALTHY, Machine, Report
from app.fleet.place import Node, load
from app.fleet.steps import Posted, Wish, revision_of, where

AskNodes = Callable[[], dict[str, Node]]


@dataclass(frozen=True, slots=True)
class CameraView:
    """away     it is not at the site that it should be at
    current  its run is what is wished
    last     the moment of its last face in the fleet's store
    """

    name: str
    state: str
    site: str | None
    node: str
    address: str
    console: str
    fps: float
    age_s: float | None
    restarts: int
    current: bool
    away: bool
    said: str
    last: str


@dataclass(frozen=True, slots=True)
class NodeView:
    """load  the fuller of its shares of processors that are given to cameras, 0 to 1"""

    id: str
    address: str
    site: str | None
    cameras: int
    load: float
    fps: float
    shut: bool
    machine: Machine | None


@dataclass(frozen=True, slots=True)
class View:
    """trouble  that the control has itself, and tries to get over"""

    cameras: tuple[CameraView, ...]
    nodes: tuple[NodeView, ...]
    events: Counts
    said: str
    reports: Mapping[str, Report]
    trouble: str = ""

    @property
    def well(self) -> int:
        return sum(camera.state in HEALTHY for camera in self.cameras)

    @property
    def is_settled(self) -> bool:
        return not self.trouble and all(camera.state in HEALTHY and camera.current for camera in self.cameras)


def view_of(
    wish: Wish,
    posted: Mapping[str, Posted],
    reports: Mapping[str, Report],
    nodes: Mapping[str, Node],
    last: Mapping[str, str],
    events: Counts,
    said: str,
    trouble: str = "",
) -> View:
    cameras = tuple(_camera(name, wish, posted, reports, nodes, last.get(name, "")) for name in sorted(wish.orders))
    machines = tuple(_node(one, wish, cameras, reports) for one in nodes.values())
    return View(cameras, machines, events, said, reports, trouble)


def as_json(view: View) -> dict[str, object]:
    return {
        "cameras": [asdict(camera) for camera in view.cameras],
        "nodes": [asdict(node) for node in view.nodes],
        "events": asdict(view.events),
        "said": view.said,
        "trouble": view.trouble,
    }


def table(view: View) -> str:
    """For the terminal."""
    rows = [("camera", "state", "fps", "site", "machine", "console")]
    rows += [
        (one.name, told_state(one), f"{one.fps:.1f}", one.site or "-", f"{one.address} {one.node[:6]}", one.console)
        for one in view.cameras
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row[:5], widths, strict=True)), row[5]]).rstrip()
             for row in rows]  # fmt: skip
    lines += ["", *(_told_node(node) for node in view.nodes)]
    counts = view.events
    lines.append(f"events: {counts.stored} stored, {counts.again} came twice, {counts.overlaps} of replaced runs")
    return "\n".join([*lines, *(said for said in (view.said, view.trouble) if said)])


def metrics_of(view: View) -> str:
    out = Exposition()
    names = {camera.name: {"camera": camera.name, "node": camera.node[:12]} for camera in view.cameras}
    states = [({**names[c.name], "state": c.state}, 1) for c in view.cameras]
    out.gauge("facewire_fleet_camera_state", "1 for the state that a camera is in.", states)
    out.gauge("facewire_fleet_camera_away", "1: not at its site.", [(names[c.name], int(c.away)) for c in view.cameras])
    restarts = [(names[c.name], c.restarts) for c in view.cameras]
    out.counter("facewire_fleet_run_restarts_total", "How often a run was begun again where it is.", restarts)
    for metric, text in PASSED_ON.items():
        told = [(names[c], value) for c, report in view.reports.items() if c in names
                for name, _, value in report.samples if name == metric]  # fmt: skip
        (out.counter if metric.endswith("_total") else out.gauge)(metric, text, told)
    _nodes(out, view)
    counts = asdict(view.events)
    out.counter(
        "facewire_fleet_events_total", "Events that were posted.", [({"kind": k}, n) for k, n in counts.items()]
    )
    return out.text()


def _camera(
    name: str,
    wish: Wish,
    posted: Mapping[str, Posted],
    reports: Mapping[str, Report],
    nodes: Mapping[str, Node],
    last: str,
) -> CameraView:
    order, report = wish.orders[name], reports.get(name)
    node = where(name, posted, reports) if name in posted else ""
    at = nodes.get(node)
    state = report.state if report is not None else "starting" if name in posted else "waiting"
    return CameraView(
        name=name,
        state=state,
        site=order.camera.site,
        node=node,
        address=at.address if at is not None else "",
        console=report.console if report is not None and at is not None else "",
        fps=report.fps if report is not None else 0.0,
        age_s=report.age_s if report is not None else None,
        restarts=report.restarts if report is not None else 0,
        current=name in posted and revision_of(name, posted, reports) == order.revision,
        away=at is not None and order.camera.site is not None and at.site != order.camera.site,
        said=report.said if report is not None else "",
        last=last,
    )


def _node(node: Node, wish: Wish, cameras: tuple[CameraView, ...], reports: Mapping[str, Report]) -> NodeView:
    own = [camera for camera in cameras if camera.node == node.id]
    orders = [wish.orders[camera.name] for camera in own]
    machines = [report.machine for camera in own if (report := reports.get(camera.name)) is not None]
    return NodeView(
        id=node.id,
        address=node.address,
        site=node.site,
        cameras=len(own),
        load=load(node, sum(one.cpus for one in orders), sum(one.gpus for one in orders)),
        fps=sum(camera.fps for camera in own),
        shut=node.id in wish.shut,
        machine=next((one for one in machines if one is not None), None),
    )


def _nodes(out: Exposition, view: View) -> None:
    labels: dict[str, Labels] = {
        n.id: {"node": n.id[:12], "address": n.address, "site": n.site or ""} for n in view.nodes
    }
    out.gauge("facewire_fleet_node_cameras", "Cameras of a machine.", [(labels[n.id], n.cameras) for n in view.nodes])
    out.gauge("facewire_fleet_node_share", "Share that is given away.", [(labels[n.id], n.load) for n in view.nodes])
    out.gauge("facewire_fleet_node_fps", "Frames a second.", [(labels[n.id], n.fps) for n in view.nodes])
    machines = [(labels[n.id], n.machine) for n in view.nodes if n.machine is not None]
    out.gauge("facewire_fleet_node_load", "Load of the last minute.", [(at, m.load_1m) for at, m in machines])
    free = [(at, m.memory_free_mb * 2**20) for at, m in machines]
    out.gauge("facewire_fleet_node_memory_free_bytes", "Memory that is free.", free)


def told_state(camera: CameraView) -> str:
    notes = [text for text, is_so in (("away", camera.away), ("to be changed", not camera.current)) if is_so]
    return f"{camera.state} ({', '.join(notes)})" if notes and camera.state != "waiting" else camera.state


def _told_node(node: NodeView) -> str:
    site = f", site {node.site}" if node.site else ""
    shut = ", shut" if node.shut else ""
    return f"machine {node.address} {node.id[:6]}{site}: {node.cameras} cameras, {node.load:.0%} given away{shut}"
