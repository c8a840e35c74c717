"""What has to be done next, from what is wished and what there is."""

from __future__ import annotations

from dataclasses import replace

from app.fleet.order import Order, Report
from app.fleet.steps import Posted, Step, Wish, next_steps
from tests.app.fleet.made_up import nodes, order, report

PROVE_S = 100.0


def wish(*orders: Order, pins: dict[str, str] | None = None, shut: tuple[str, ...] = ()) -> Wish:
    return Wish({one.camera.name: one for one in orders}, pins or {}, shut)


def posted(*orders: Order, node: str = "1", proved: bool = True, at_s: float = 0.0) -> dict[str, Posted]:
    return {one.camera.name: Posted(one, node, at_s, proved) for one in orders}


def steps(
    wished: Wish, there: dict[str, Posted], reports: list[Report], *, on: str = "12", now_s: float = 0.0
) -> list[Step]:
    told = {one.camera: one for one in reports}
    return next_steps(wished, there, told, nodes(*on), now_s=now_s, prove_s=PROVE_S)


def test_what_is_as_wished_is_left_alone() -> None:
    assert steps(wish(order("a")), posted(order("a")), [report("a")]) == []


def test_all_that_are_missing_are_begun_at_once() -> None:
    assert steps(wish(order("a"), order("b")), {}, []) == [Step("begin", "a", "1"), Step("begin", "b", "2")]


def test_who_is_not_wished_any_more_ends() -> None:
    assert steps(wish(), posted(order("a")), [report("a")]) == [Step("end", "a")]


def test_who_has_no_room_waits_and_is_begun_when_there_is_some() -> None:
    crowded = [order(name) for name in "abcde"]
    assert len(steps(wish(*crowded), {}, [], on="1")) == 4
    there = posted(*crowded[:4])
    reports = [report(name) for name in "abcd"]
    assert steps(wish(*crowded), there, reports, on="1") == []
    assert steps(wish(*crowded), there, reports, on="12") == [Step("begin", "e", "2")]


def test_changes_go_one_camera_at_a_time() -> None:
    before, after = [order(name) for name in "ab"], [order(name, EMBEDDER="dlib") for name in "ab"]
    there, reports = posted(*before), [report("a"), report("b")]
    assert steps(wish(*after), there, reports) == [Step("again", "a", "1")]
    there |= posted(after[0], proved=False)
    new = after[0].revision
    assert steps(wish(*after), there, [report("a", "starting", revision=new), report("b")]) == []
    there["a"].proved = True
    assert steps(wish(*after), there, [report("a", revision=new), report("b")]) == [Step("again", "b", "1")]


def test_a_camera_that_never_worked_holds_up_changes_for_a_while_only() -> None:
    there = posted(order("a"), proved=False) | posted(order("b"))
    wished = wish(order("a"), order("b", again="1"))
    reports = [report("a", "refused"), report("b")]
    assert steps(wished, there, reports, now_s=PROVE_S - 1) == []
    assert steps(wished, there, reports, now_s=PROVE_S + 1) == [Step("again", "b", "1")]


def test_its_own_change_is_not_held_up() -> None:
    bad = order("a", again="bad")
    told = report("a", "refused", revision=bad.revision)
    assert steps(wish(order("a")), posted(bad, proved=False), [told]) == [Step("again", "a", "1")]


def test_who_is_pinned_moves_there() -> None:
    assert steps(wish(order("a"), pins={"a": "2"}), posted(order("a")), [report("a")]) == [Step("again", "a", "2")]
    assert steps(wish(order("a"), pins={"a": "gone"}), posted(order("a")), [report("a")]) == []


def test_a_warden_of_an_earlier_fleet_is_given_its_new_order_without_waiting_for_others() -> None:
    there = posted(order("a"), order("b"), proved=False)
    before = [report("a", revision="of an earlier fleet"), report("b", revision="of an earlier fleet")]
    assert steps(wish(order("a"), order("b")), there, before) == [Step("again", "a", "1")]
    assert steps(wish(order("a"), order("b")), there, before[1:]) == []
    assert steps(wish(order("a"), order("b")), there, [report("a", "starting"), before[1]]) == []


def test_who_does_not_get_the_node_that_it_was_to_have_is_not_begun_again_at_once() -> None:
    wished, there = wish(order("a"), pins={"a": "2"}), posted(order("a"), node="2")
    assert steps(wished, there, [report("a", node="1")]) == []
    assert steps(wished, there, [report("a", node="1")], now_s=PROVE_S + 1) == [Step("again", "a", "2")]


def test_a_machine_that_is_shut_is_left_by_one_camera_after_the_other() -> None:
    there = posted(order("a"), order("b"))
    assert steps(wish(order("a"), order("b"), shut=("1",)), there, [report("a"), report("b")]) == [
        Step("again", "a", "2")
    ]


def test_ray_is_not_disturbed_while_it_begins_a_camera_anew() -> None:
    silent = replace(report("a", node="lost"), state="silent")
    there = posted(order("a"), node="lost")
    assert steps(wish(order("a")), there, [silent]) == []
    assert steps(wish(order("a", again="1")), there, [silent]) == []
    assert steps(wish(order("a")), there, []) == []


def test_where_ray_has_begun_it_anew_it_stays() -> None:
    assert steps(wish(order("a")), posted(order("a"), node="lost"), [report("a", node="2")]) == []
