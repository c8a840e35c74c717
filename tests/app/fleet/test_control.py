"""The control of a fleet over a cluster that is made up: machines come and go, wardens do as they are told."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from app.fleet import control as control_module
from app.fleet import sweeping
from app.fleet.barred import Barred, checksum
from app.fleet.charter import Charter
from app.fleet.control import Control
from app.fleet.forgetting import Forgotten
from app.fleet.likeness import Met
from app.fleet.order import Order, Report, State
from app.fleet.overview import View
from app.fleet.place import Node
from app.fleet.roster import FleetCamera
from checkpoints.errors import FleetError, OutputError, SettingsError
from pipeline.config import CollectorConfig
from pipeline.erasure import Seen
from pipeline.outlets.stored import Wanted
from tests.app.fleet.made_up import SECRET, TOKEN, face, lines, nodes

PATIENCE_S = 30.0


class MadeUp:
    """bad  an embedder with which no camera becomes live, or a source that is away"""

    def __init__(self, *names: str) -> None:
        self.nodes: dict[str, Node] = nodes(*names)
        self.there: dict[str, tuple[Order, str]] = {}
        self.bad = "none"
        self.gone: set[str] = set()
        self.done: list[str] = []
        self.swept: dict[str, tuple[str, list[str]]] = {}
        self.barred: list[str] = []

    def ask_nodes(self) -> dict[str, Node]:
        return dict(self.nodes)

    def begin(self, order: Order, node: Node, shut: list[str]) -> None:
        self.done.append(f"begin {order.camera.name} {node.id}")
        self.there.setdefault(order.camera.name, (order, node.id))

    def find(self, camera: str) -> bool:
        return camera in self.there

    def names(self) -> set[str]:
        return set(self.there)

    def end(self, cameras: list[str]) -> None:
        for camera in cameras:
            self.done.append(f"end {camera}")
            self.there.pop(camera, None)

    def look(self, timeout_s: float) -> Mapping[str, Report | None]:
        return {camera: self._report(order, node) for camera, (order, node) in self.there.items()}

    def dead(self) -> set[str]:
        return self.gone & set(self.there)

    def sweep(
        self, node: Node, collector: CollectorConfig, busy: list[str], chosen: Mapping[str, str], barred: list[Barred]
    ) -> None:
        self.swept[node.id] = (collector.url, busy)
        self.barred = [one.sha256 for one in barred]

    def met(self, nodes: list[Node], since: str) -> list[Met]:
        self.done += [f"met {node.id}" for node in nodes]
        return []

    def settle(self, timeout_s: float) -> None:
        self.done.append("settle")

    def forget(self, nodes: list[Node], name: str) -> list[Forgotten]:
        self.done += [f"forget {name} {node.id}" for node in nodes]
        return [Forgotten(1, 1, (Seen("a", 7, "2026-01-31T12:00:00.000Z", "2026-01-31T12:00:59.000Z"),)), Forgotten()]

    def log(self, camera: str, lines: int) -> list[str]:
        return [f"{camera} {lines}"]

    def _report(self, order: Order, node: str) -> Report | None:
        if node not in self.nodes or order.camera.name in self.gone:
            return None
        is_bad = self.bad in (dict(order.settings).get("EMBEDDER"), order.camera.source)
        state: State = "refused" if is_bad else "live"
        return Report(order.camera.name, state, order.revision, node, self.nodes[node].address, fps=2.0)


class Fleet:
    def __init__(self, folder: Path, made_up: MadeUp, prove_s: float = 60.0) -> None:
        self.made_up = made_up
        charter = Charter(folder, "127.0.0.1", 0, SECRET, TOKEN, prove_s)
        self.control = Control(charter, made_up, made_up.ask_nodes)

    def wish(self, *names: str, again: str = "", sources: Mapping[str, str] | None = None, **settings: str) -> None:
        cameras = [FleetCamera(name, (sources or {}).get(name, "demo")) for name in names]
        self.control.wish(cameras, settings, cpus=1.0, gpus=0.0, again=again)

    def until(self, reached: Callable[[View], bool]) -> View:
        tick = threading.Event()
        for _ in range(int(PATIENCE_S / 0.005)):
            view = self.control.view()
            if reached(view):
                return view
            tick.wait(0.005)
        raise AssertionError(f"{self.control.view()}, {self.made_up.done}")

    def settle(self) -> View:
        return self.until(lambda view: len(view.cameras) == len(self.made_up.there) and view.is_settled)


def killed(fleet: Fleet) -> None:
    """Nothing is stopped."""
    fleet.control._ending = True
    fleet.control._thread.join()


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    monkeypatch.setattr(control_module, "_TURN_S", 0.01)
    return MadeUp("1", "2")


@pytest.fixture
def fleet(tmp_path: Path, made_up: MadeUp) -> Iterator[Fleet]:
    made = Fleet(tmp_path, made_up)
    yield made
    made.control.stop()


def test_the_cameras_of_a_wish_and_no_others_run(fleet: Fleet, made_up: MadeUp) -> None:
    fleet.wish("a", "b", "c")
    view = fleet.settle()
    assert sorted(camera.name for camera in view.cameras) == ["a", "b", "c"]
    assert sorted(node.cameras for node in view.nodes) == [1, 2]
    fleet.wish("c", "d")
    view = fleet.settle()
    assert sorted(made_up.there) == ["c", "d"]
    assert "end c" not in made_up.done


def test_a_new_model_goes_from_camera_to_camera(fleet: Fleet, made_up: MadeUp) -> None:
    fleet.wish("a", "b")
    fleet.settle()
    made_up.done.clear()
    fleet.wish("a", "b", EMBEDDER="dlib")
    fleet.settle()
    assert made_up.done == ["end a", "begin a 1", "end b", "begin b 2"]
    assert dict(made_up.there["b"][0].settings) == {"EMBEDDER": "dlib"}


def test_all_begin_again_when_that_is_wished(fleet: Fleet, made_up: MadeUp) -> None:
    fleet.wish("a", "b")
    fleet.settle()
    made_up.done.clear()
    fleet.wish("a", "b", again="1")
    fleet.settle()
    assert made_up.done == ["end a", "begin a 1", "end b", "begin b 2"]


def test_a_model_that_does_not_work_goes_no_further_than_the_first_camera(tmp_path: Path, made_up: MadeUp) -> None:
    fleet = Fleet(tmp_path, made_up, prove_s=0.1)
    fleet.wish("a", "b", EMBEDDER="sface", START_TIMEOUT="1")
    fleet.settle()
    made_up.done.clear()
    made_up.bad = "dlib"
    fleet.wish("a", "b", EMBEDDER="dlib", START_TIMEOUT="1")
    view = fleet.until(lambda view: bool(view.said) and view.is_settled)
    fleet.control.stop()
    assert view.said == "a did not become live with a changed order: the change was taken back"
    assert made_up.done[:4] == ["end a", "begin a 1", "end a", "begin a 1"]
    assert "end b" not in made_up.done[:-3]


def test_a_source_that_does_not_work_is_taken_back_for_its_camera_alone(tmp_path: Path, made_up: MadeUp) -> None:
    fleet = Fleet(tmp_path, made_up, prove_s=0.1)
    fleet.wish("a", "b", START_TIMEOUT="1")
    fleet.settle()
    made_up.bad = "wrong"
    fleet.wish("a", "b", sources={"a": "wrong"}, START_TIMEOUT="1", EMBEDDER="dlib")
    view = fleet.until(lambda view: bool(view.said) and view.is_settled)
    assert view.said.startswith("a did not become live")
    chosen = {camera: (order.camera.source, dict(order.settings)) for camera, (order, _) in made_up.there.items()}
    fleet.control.stop()
    assert chosen["a"] == ("demo", {"START_TIMEOUT": "1"})
    assert chosen["b"] == ("demo", {"START_TIMEOUT": "1", "EMBEDDER": "dlib"})


def test_a_camera_that_was_away_before_a_change_says_nothing_against_it(tmp_path: Path, made_up: MadeUp) -> None:
    fleet = Fleet(tmp_path, made_up, prove_s=0.1)
    fleet.wish("a", "b", sources={"a": "away"}, START_TIMEOUT="1")
    fleet.settle()
    made_up.bad = "away"
    fleet.until(lambda view: view.cameras[0].state == "refused")
    fleet.wish("a", "b", again="1", sources={"a": "away"}, START_TIMEOUT="1")
    view = fleet.until(lambda view: all(camera.current for camera in view.cameras))
    assert view.said == ""
    assert [order.again for order, _ in made_up.there.values()] == ["1", "1"]
    fleet.control.stop()


def test_wardens_of_an_earlier_fleet_get_new_orders_and_strangers_end(tmp_path: Path, made_up: MadeUp) -> None:
    first = Fleet(tmp_path / "first", made_up)
    first.wish("a", "b", "c")
    first.settle()
    killed(first)
    made_up.done.clear()
    second = Fleet(tmp_path / "second", made_up)  # another machine: it knows of no wish, and has another address
    second.until(lambda view: len(view.nodes) == 2)
    assert made_up.done == []
    second.wish("a", "b")
    second.settle()
    assert sorted(made_up.there) == ["a", "b"]
    assert {order.collector for order, _ in made_up.there.values()} == {second.control.collector()}
    second.control.stop()
    assert made_up.there == {}


def test_a_control_that_was_told_nothing_ends_what_there_is(tmp_path: Path, made_up: MadeUp) -> None:
    first = Fleet(tmp_path / "first", made_up)
    first.wish("a")
    first.settle()
    killed(first)
    Fleet(tmp_path / "second", made_up).control.stop()
    assert made_up.there == {}


def test_a_fleet_that_is_being_ended_takes_no_wish(tmp_path: Path, made_up: MadeUp) -> None:
    fleet = Fleet(tmp_path, made_up)
    fleet.wish("a")
    fleet.settle()
    fleet.control.stop()
    with pytest.raises(FleetError, match="being ended"):
        fleet.wish("a")
    assert fleet.control.view().reports == {}


def test_a_camera_is_not_moved_to_where_it_cannot_be(fleet: Fleet, made_up: MadeUp) -> None:
    fleet.wish(*"abcdefg")
    fleet.settle()
    at = {name: node for name, (_, node) in made_up.there.items()}
    full = next(node for node in "12" if sum(one == node for one in at.values()) == 4)
    elsewhere = next(name for name, node in at.items() if node != full)
    made_up.done.clear()
    with pytest.raises(SettingsError, match="no room"):
        fleet.control.pin(elsewhere, full)
    fleet.control.pin(next(name for name, node in at.items() if node == full), full)  # where it is
    fleet.control.shut(full, is_shut=True)
    with pytest.raises(SettingsError, match="is to have no camera"):
        fleet.control.pin(elsewhere, full)
    with pytest.raises(SettingsError, match="is gone"):
        fleet.control.pin(elsewhere, "3")


def test_machines_that_were_shut_and_are_gone_are_forgotten(
    fleet: Fleet, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.wish("a")
    fleet.control.shut("2", is_shut=True)
    fleet.settle()
    del made_up.nodes["2"]
    fleet.until(lambda view: len(view.nodes) == 1)
    assert fleet.control._wished.shut == {"2"}
    monkeypatch.setattr(control_module, "_KEEP_SHUT_S", -1.0)
    fleet.until(lambda _: fleet.control._wished.shut == set())


def test_a_drained_machine_is_empty_and_is_given_nothing(fleet: Fleet, made_up: MadeUp) -> None:
    fleet.wish("a", "b", "c")
    fleet.settle()
    fleet.control.shut("1", is_shut=True)
    view = fleet.until(lambda view: view.is_settled and all(camera.node == "2" for camera in view.cameras))
    assert [node.shut for node in view.nodes] == [True, False]
    fleet.wish("a", "b", "c", "d")
    assert {camera.node for camera in fleet.settle().cameras} == {"2"}
    fleet.control.shut("1", is_shut=False)
    fleet.wish("a", "b", "c", "d", "e")
    fleet.settle()
    assert made_up.there["e"][1] == "1"


def test_a_camera_is_moved_to_where_a_person_wants_it(fleet: Fleet, made_up: MadeUp) -> None:
    fleet.wish("a")
    fleet.settle()
    fleet.control.pin("a", "2")
    fleet.until(lambda view: view.is_settled and view.cameras[0].node == "2")
    assert made_up.done == ["begin a 1", "end a", "begin a 2"]


def test_a_lost_machine_is_left_to_ray(fleet: Fleet, made_up: MadeUp) -> None:
    fleet.wish("a")
    fleet.settle()
    lost = made_up.nodes.pop("1")
    view = fleet.until(lambda view: view.cameras[0].state == "silent")
    assert view.cameras[0].console == ""
    made_up.there["a"] = (made_up.there["a"][0], "2")  # as Ray does it
    fleet.until(lambda view: view.is_settled and view.cameras[0].node == "2")
    made_up.nodes["1"] = lost
    fleet.wish("a", "b")
    fleet.settle()
    assert made_up.done == ["begin a 1", "begin b 1"]


def test_who_could_not_even_be_begun_is_tried_again(
    fleet: Fleet, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_module, "_DEAD_S", 0.0)
    made_up.gone.add("a")
    fleet.wish("a")
    fleet.until(lambda view: made_up.done.count("begin a 1") > 1)
    made_up.gone.clear()
    fleet.settle()


def test_a_control_that_is_started_again_goes_on_where_it_was(tmp_path: Path, made_up: MadeUp) -> None:
    first = Fleet(tmp_path, made_up)
    first.wish("a", "b", EMBEDDER="dlib")
    first.settle()
    killed(first)
    made_up.done.clear()
    second = Fleet(tmp_path, made_up)
    assert [camera.name for camera in second.settle().cameras] == ["a", "b"]
    assert made_up.done == []
    second.control.stop()
    assert made_up.done == ["end a", "end b", "settle"]
    url = second.control.collector()
    assert made_up.swept == {"1": (url, []), "2": (url, [])}  # what the runs have left on their machines


def test_what_it_keeps_is_for_its_owner_only(fleet: Fleet, tmp_path: Path) -> None:
    fleet.wish("a")
    fleet.settle()
    assert (tmp_path / "wished.json").stat().st_mode & 0o777 == 0o600


def test_a_file_of_wishes_that_is_damaged_is_told(tmp_path: Path, made_up: MadeUp) -> None:
    (tmp_path / "wished.json").write_text("{")
    with pytest.raises(OutputError, match=r"wished\.json"):
        Fleet(tmp_path, made_up)


def test_what_cameras_have_left_on_machines_is_told(
    fleet: Fleet, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.wish("a")
    fleet.settle()
    assert made_up.swept == {}
    monkeypatch.setattr(sweeping, "SOON_S", 0.0)
    made_up.nodes |= nodes("3")
    fleet.until(lambda view: len(made_up.swept) == 3)
    url = fleet.control.collector()
    assert made_up.swept == {"1": (url, ["a"]), "2": (url, []), "3": (url, [])}


def test_logs_come_from_the_warden(fleet: Fleet) -> None:
    assert fleet.control.log("a", 7) == ["a 7"]


@pytest.mark.parametrize("error", [OSError("no route"), sqlite3.OperationalError("locked"), FleetError("away")])
def test_what_passes_is_told_and_gone_over(
    fleet: Fleet, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    plain = made_up.begin

    def away(order: Order, node: Node, shut: list[str]) -> None:
        raise error

    monkeypatch.setattr(made_up, "begin", away)
    fleet.wish("a")
    view = fleet.until(lambda view: bool(view.trouble))
    assert str(error) in view.trouble
    assert view.cameras[0].state == "waiting"
    assert not view.is_settled
    assert fleet.control._front.asked("/healthz", "").status == 503
    monkeypatch.setattr(made_up, "begin", plain)
    fleet.settle()
    assert fleet.control._front.asked("/healthz", "").status == 200


def test_a_wish_that_cannot_be_kept_is_refused(fleet: Fleet, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(wished: object, path: Path) -> None:
        raise OutputError("What the fleet is to be cannot be kept.")

    with monkeypatch.context() as patch:
        patch.setattr(control_module.wished, "save", full)
        with pytest.raises(OutputError):
            fleet.wish("a")
    assert fleet.control.view().cameras == ()
    assert made_up.done == []


def test_a_bug_of_the_control_is_not_hidden(tmp_path: Path, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> dict[str, Node]:
        raise RuntimeError("broken")

    monkeypatch.setattr(made_up, "ask_nodes", broken)
    fleet = Fleet(tmp_path, made_up)
    fleet.control._thread.join()
    with pytest.raises(RuntimeError, match="has died"):
        fleet.control.view()
    assert fleet.control._front.asked("/healthz", "").status == 503
    fleet.control.stop()


def test_somebody_is_forgotten_on_all_machines_and_in_the_store(fleet: Fleet, made_up: MadeUp) -> None:
    fleet.wish("a")
    fleet.settle()
    store = fleet.control._collecting
    other = face(5, camera="b", track=1, name="Bob")
    store.take(lines(face(1, camera="a", track=7), face(2, camera="a", track=8, name="Ann"), other))
    forgotten = fleet.control.forget("Ann")
    assert (forgotten.events, forgotten.sightings) == (2, 1)  # the one with the name, and the one before it had one
    assert {"forget Ann 1", "forget Ann 2"} <= set(made_up.done)
    assert [event.body["name"] for event in store.store.all(Wanted())] == ["Bob"]


def test_a_machine_that_is_away_is_told_and_asked_to_forget_when_it_comes_back(
    fleet: Fleet, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "SOON_S", 0.0)
    made_up.nodes |= nodes("3")
    fleet.wish("a")
    fleet.until(lambda view: len(made_up.swept) == 3)
    away = made_up.nodes.pop("3")
    fleet.until(lambda view: len(view.nodes) == 2)
    (missed,) = fleet.control.forget("Ann").missed
    assert missed.startswith("10.0.0.3: away since 20")
    late = face(2, name="Ann")
    fleet.control._collecting.take(lines(late))
    assert fleet.control._collecting.store.count(Wanted()) == 0
    made_up.swept.clear()
    made_up.nodes["3"] = away
    fleet.until(lambda view: "3" in made_up.swept)
    assert made_up.barred == [checksum("Ann")]


def test_all_machines_are_asked_whom_they_have_seen(fleet: Fleet, made_up: MadeUp) -> None:
    fleet.wish("a")
    fleet.settle()
    assert fleet.control.met("2999-01-01T00:00:00.000Z") == []
    assert {"met 1", "met 2"} <= set(made_up.done)


def test_the_store_keeps_events_as_long_as_the_cameras_do(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.wish("a", EVENTS_DAYS="3650")
    fleet.settle()
    store = fleet.control._collecting
    store.take(lines(face(1)))  # of last winter
    monkeypatch.setattr(sweeping, "EVERY_S", 0.0)
    fleet.control._sweeping.due_s = 0.0
    swept = threading.Event()
    plain = store.expire
    monkeypatch.setattr(store, "expire", lambda days: (plain(days), swept.set())[0])
    assert swept.wait(PATIENCE_S)
    assert store.store.count(Wanted()) == 1
    fleet.wish("a", EVENTS_DAYS="1")
    tick = threading.Event()
    for _ in range(int(PATIENCE_S / 0.01)):
        if store.store.count(Wanted()) == 0:
            break
        tick.wait(0.01)
    assert store.store.count(Wanted()) == 0
