"""Cameras onto machines: by where they are, by site, by load."""

from __future__ import annotations

from collections import Counter

from app.fleet.place import Need, Node, place

HALL, YARD = "hall", "yard"


def node(name: str, site: str | None = None, *, cpus: float = 4.0, gpus: float = 0.0) -> Node:
    return Node(name, f"10.0.0.{name}", site, cpus, gpus)


def needs(count: int, site: str | None = None, *, cpus: float = 1.0, gpus: float = 0.0) -> list[Need]:
    return [Need(f"cam{number}", site, cpus, gpus) for number in range(count)]


def test_cameras_are_spread_evenly_over_machines_that_are_alike() -> None:
    placed = place(needs(6), [node("1"), node("2"), node("3")], now={})
    assert Counter(placed.values()) == {"1": 2, "2": 2, "3": 2}


def test_a_larger_machine_is_given_more_cameras() -> None:
    placed = place(needs(6), [node("1", cpus=2), node("2", cpus=8)], now={})
    assert Counter(placed.values()) == {"1": 1, "2": 5}


def test_a_camera_goes_to_its_site_although_others_have_less_to_do() -> None:
    placed = place(needs(3, HALL), [node("1", HALL), node("2", YARD)], now={})
    assert set(placed.values()) == {"1"}


def test_a_site_that_is_full_or_gone_is_no_reason_to_be_nowhere() -> None:
    placed = place(needs(3, HALL), [node("1", HALL, cpus=2), node("2", YARD)], now={})
    assert Counter(placed.values()) == {"1": 2, "2": 1}
    assert place(needs(1, HALL), [node("2", YARD)], now={}) == {"cam0": "2"}


def test_cameras_without_a_site_leave_room_for_those_that_have_one() -> None:
    cameras = [Need("anywhere", None, 1.0), Need("hall", HALL, 1.0)]
    placed = place(cameras, [node("1", HALL, cpus=1), node("2", YARD, cpus=1)], now={})
    assert placed == {"anywhere": "2", "hall": "1"}


def test_who_runs_somewhere_stays_there() -> None:
    now = {"cam0": "2", "cam1": "2", "cam2": "2"}
    assert place(needs(3), [node("1"), node("2")], now=now) == now


def test_who_was_on_a_machine_that_is_gone_or_shut_moves_and_nobody_else() -> None:
    now = {"cam0": "1", "cam1": "2", "cam2": "3"}
    placed = place(needs(3), [node("1"), node("2")], now=now, shut=["2"])
    assert placed == {"cam0": "1", "cam1": "1", "cam2": "1"}


def test_who_has_no_room_is_nowhere() -> None:
    placed = place(needs(3), [node("1", cpus=2)], now={})
    assert sorted(placed.values(), key=str) == ["1", "1", None]


def test_a_gpu_is_shared_by_as_many_as_it_has_room_for() -> None:
    placed = place(needs(5, gpus=0.25), [node("1", cpus=64, gpus=1.0), node("2", cpus=64)], now={})
    assert Counter(placed.values()) == {"1": 4, None: 1}


def test_shares_that_are_fractions_fill_a_machine_to_the_brim() -> None:
    placed = place(needs(10, cpus=0.1), [node("1", cpus=1)], now={})
    assert set(placed.values()) == {"1"}
