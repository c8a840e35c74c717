"""A real cluster of Ray, four nodes on this machine: two are lost, and their cameras go where they should."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.fleet.charter import Charter
from app.fleet.control import Control
from app.fleet.overview import View
from app.fleet.place import Node
from app.fleet.roster import FleetCamera
from checkpoints.errors import FleetError
from tests.app.fleet.made_up import SECRET, TOKEN, nodes, order

pytest.importorskip("ray", reason="needs the extra fleet")

from app.fleet import cluster
from app.fleet.cluster import Wardens
from testbench.ray_nodes import Nodes
from tests.app.fleet.ray_stand_in import FragileWarden, StandInWarden

PATIENCE_S = 120.0
CAMERAS = [FleetCamera(f"hall{number}", "well", "hall") for number in range(3)] + [FleetCamera("any", "well")]
# Ray leaves sockets and processes to be cleaned up with its own.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"
)


def control_of(folder: Path) -> Control:
    return Control(Charter(folder, "127.0.0.1", 0, SECRET, TOKEN), Wardens(StandInWarden), cluster.nodes)


def until(control: Control, reached: Callable[[View], bool]) -> View:
    tick = threading.Event()
    for _ in range(int(PATIENCE_S / 0.05)):
        view = control.view()
        if reached(view):
            return view
        tick.wait(0.05)
    raise AssertionError(str(control.view()))


class Fleet:
    def __init__(self, folder: Path) -> None:
        (folder / "shared").mkdir()
        self.nodes = Nodes(folder, folder / "shared", folder / "shared")
        for site in ("office", "hall", "hall", "yard"):
            self.nodes.add(cpus=4, site=site)
        cluster.connect(self.nodes.address)
        self.control = control_of(folder / "fleet")

    def close(self) -> None:
        self.control.stop()
        cluster.disconnect()
        self.nodes.close()

    def until(self, reached: Callable[[View], bool]) -> View:
        return until(self.control, reached)

    def where(self, view: View) -> dict[str, int]:
        numbers = {self.nodes.id_of(number): number for number in range(4)}
        return {camera.name: numbers[camera.node] for camera in view.cameras}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path)
    yield made
    made.close()


def test_cameras_of_lost_machines_come_back_by_themselves_where_they_should(fleet: Fleet) -> None:
    fleet.control.wish(CAMERAS, {}, cpus=1.0, gpus=0.0)
    view = fleet.until(lambda view: len(view.cameras) == 4 and view.is_settled)
    placed = fleet.where(view)
    assert Counter(placed[name] for name in ("hall0", "hall1", "hall2")) in ({1: 2, 2: 1}, {1: 1, 2: 2})

    fleet.nodes.kill(1)
    view = fleet.until(lambda view: view.is_settled and 1 not in fleet.where(view).values())
    assert {node for name, node in fleet.where(view).items() if name.startswith("hall")} == {2}
    assert not any(camera.away for camera in view.cameras)
    assert fleet.control.met("2999-01-01T00:00:00.000Z") == []  # asked of every machine: nobody was seen since

    fleet.nodes.kill(2)
    view = fleet.until(lambda view: view.is_settled and 2 not in fleet.where(view).values())
    assert set(fleet.where(view).values()) <= {0, 3}
    assert sum(camera.away for camera in view.cameras) == 3
    assert fleet.control.log("hall0", 50)[0].endswith("told hall0 0")


@pytest.fixture
def one_node(tmp_path: Path) -> Iterator[Node]:
    (tmp_path / "shared").mkdir()
    made = Nodes(tmp_path, tmp_path / "shared", tmp_path / "shared")
    made.add(cpus=2)
    cluster.connect(made.address)
    yield cluster.nodes()[made.id_of(0)]
    cluster.disconnect()
    made.close()


def test_actors_of_an_earlier_control_are_found_and_ended(one_node: Node) -> None:
    Wardens(StandInWarden).begin(order("door"), one_node, [])
    later = Wardens(StandInWarden)
    assert later.names() == {"door"}
    assert later.look(PATIENCE_S) == {}
    later.end(["door", "another"])
    assert later.names() == set()


def test_a_control_on_another_machine_takes_the_fleet_over(one_node: Node, tmp_path: Path) -> None:
    first = control_of(tmp_path / "first")
    first.wish(CAMERAS[:2], {}, cpus=1.0, gpus=0.0)
    until(first, lambda view: len(view.cameras) == 2 and view.is_settled)
    first._ending = True  # as if it were killed
    first._thread.join()
    second = control_of(tmp_path / "second")
    second.wish(CAMERAS[:1], {}, cpus=1.0, gpus=0.0)
    view = until(second, lambda view: view.is_settled and Wardens().names() == {"hall0"})
    assert view.reports["hall0"].revision != first.view().reports["hall0"].revision
    second.stop()
    assert Wardens().names() == set()


def test_a_warden_with_a_bug_is_begun_anew(one_node: Node, tmp_path: Path) -> None:
    wardens, plain = Wardens(FragileWarden), order("door")
    wardens.begin(replace(plain, camera=replace(plain.camera, source=str(tmp_path / "been"))), one_node, [])
    tick = threading.Event()
    for _ in range(int(PATIENCE_S / 0.1)):
        found = wardens.look(PATIENCE_S)["door"]
        assert wardens.dead() == set()
        if found is not None and (tmp_path / "been").exists():
            break
        tick.wait(0.1)
    assert found is not None
    wardens.end(["door"])


def test_a_control_that_cannot_be_begun_says_why(one_node: Node, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        charter = Charter(tmp_path / "fleet", "127.0.0.1", taken.getsockname()[1], SECRET, TOKEN)
        with pytest.raises(FleetError, match="has ended") as told:
            cluster.ask(cluster.begin_control(charter).view.remote(), PATIENCE_S)
    assert "cannot listen" in str(told.value)
    assert "FLEET_PORT" in str(told.value)
    assert (tmp_path / "fleet" / "events" / "events.sqlite").stat().st_mode & 0o077 == 0


def test_a_cluster_that_is_not_there_is_told() -> None:
    with pytest.raises(FleetError, match="fleet node --head"):
        cluster.connect("127.0.0.1:1")


def test_where_ray_may_begin_a_camera_anew() -> None:
    (node,) = nodes("abc").values()
    chosen = cluster.whereabouts(node, "hall", ["x", "y"])
    assert chosen["label_selector"] == {"ray.io/node-id": "abc"}
    assert [one["label_selector"] for one in chosen["fallback_strategy"]] == [
        {"site": "hall", "ray.io/node-id": "!in(x,y)"},
        {"ray.io/node-id": "!in(x,y)"},
    ]
    assert cluster.whereabouts(node, None, [])["fallback_strategy"] == [
        {"label_selector": {"ray.io/node-id": "!in(none)"}}
    ]
