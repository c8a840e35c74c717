"""How a fleet is told: to Prometheus, on a page, in a table."""

from __future__ import annotations

from dataclasses import asdict, replace

from app.fleet import overview, page
from app.fleet.collect import Counts
from app.fleet.order import Machine, Report
from app.fleet.overview import View
from app.fleet.steps import Posted, Wish
from tests.app.fleet.made_up import TOKEN, nodes, order, report

EVIL = '<script>"'


def told(camera: str, node: str, site: str | None = None) -> Report:
    samples = (("facewire_frames_shown_total", f'camera="{camera}"', 30.0), ("facewire_fps", "", 12.5))
    machine = Machine(8, 1.5, 2000.0)
    made = replace(report(camera, node=node), fps=12.5, samples=samples, machine=machine, console="http://10.0.0.1:81/")
    return replace(made, revision=order(camera, site=site).revision)


def view() -> View:
    orders = {"door": order("door", site="hall"), "yard": order("yard"), EVIL: order(EVIL)}
    posted = {"door": Posted(orders["door"], "1", 0.0, True), "yard": Posted(order("yard", again="1"), "2", 0.0)}
    reports = {
        "door": told("door", "1", "hall"),
        "yard": replace(told("yard", "2"), state="resting", said="exit code 1", revision=posted["yard"].order.revision),
    }
    machines = nodes("1", site="hall") | nodes("2")
    last = {"door": "2026-01-31T12:00:00.000Z"}
    return overview.view_of(Wish(orders, {}, {"2"}), posted, reports, machines, last, Counts(5, 1, 2, 0), "")


def test_each_camera_and_each_machine_has_its_figures() -> None:
    lines = overview.metrics_of(view()).splitlines()
    assert 'facewire_frames_shown_total{camera="door",node="1"} 30.0' in lines
    assert 'facewire_fps{camera="yard",node="2"} 12.5' in lines
    assert 'facewire_fleet_camera_state{camera="door",node="1",state="live"} 1' in lines
    assert 'facewire_fleet_node_cameras{node="1",address="10.0.0.1",site="hall"} 1' in lines
    assert 'facewire_fleet_node_share{node="1",address="10.0.0.1",site="hall"} 0.25' in lines
    assert 'facewire_fleet_node_memory_free_bytes{node="2",address="10.0.0.2",site=""} 2097152000.0' in lines
    assert 'facewire_fleet_events_total{kind="overlaps"} 2' in lines
    assert len([line for line in lines if line.startswith("# TYPE facewire_fps ")]) == 1


def test_what_a_warden_reports_is_believed_and_not_what_it_was_begun_with() -> None:
    wished = {"yard": order("yard", again="1")}
    posted = {"yard": Posted(wished["yard"], "2", 0.0, True)}
    seen = overview.view_of(Wish(wished, {}, ()), posted, {"yard": told("yard", "2")}, nodes("2"), {}, Counts(), "")
    assert (seen.cameras[0].state, seen.cameras[0].current, seen.is_settled) == ("live", False, False)


def test_trouble_of_the_control_is_told_everywhere() -> None:
    wished = {"door": order("door")}
    posted = {"door": Posted(wished["door"], "1", 0.0, True)}
    seen = overview.view_of(
        Wish(wished, {}, ()), posted, {"door": told("door", "1")}, nodes("1"), {}, Counts(), "", "The disk is full."
    )
    assert not seen.is_settled
    assert overview.table(seen).endswith("\nThe disk is full.")
    assert "The disk is full." in page.page_of(seen, TOKEN)


def test_a_camera_that_waits_for_room_one_that_is_to_be_changed_and_one_that_is_well() -> None:
    seen = {camera.name: camera for camera in view().cameras}
    assert (seen["door"].state, seen["door"].current, seen["door"].away) == ("live", True, False)
    assert (seen["yard"].state, seen["yard"].current) == ("resting", False)
    assert (seen[EVIL].state, seen[EVIL].node) == ("waiting", "")
    assert (view().well, view().is_settled) == (1, False)


def test_a_camera_that_is_not_at_its_site_is_away() -> None:
    wished = {"door": order("door", site="hall")}
    posted = {"door": Posted(wished["door"], "1", 0.0, True)}
    seen = overview.view_of(
        Wish(wished, {}, ()), posted, {"door": told("door", "2", "hall")}, nodes("2"), {}, Counts(), ""
    )
    assert seen.cameras[0].away
    assert "live (away)" in overview.table(seen)


def test_the_page_links_to_the_live_pictures_and_runs_no_script() -> None:
    shown = page.page_of(view(), TOKEN)
    assert '<a href="http://10.0.0.1:81/">door</a>' in shown
    assert '<img src="http://10.0.0.1:81/api/cameras/door/snapshot?boxes=true&amp;until=' in shown
    assert EVIL not in shown
    assert TOKEN not in shown
    assert "&lt;script&gt;" in shown
    assert "1 of 3 cameras are well" in shown


def test_the_table_has_a_line_for_each_camera_and_machine() -> None:
    text = overview.table(view())
    assert "yard" in text
    assert "resting (to be changed)" in text
    assert "machine 10.0.0.2 2: 1 cameras, 25% given away, shut" in text
    assert "events: 5 stored, 1 came twice, 2 of replaced runs" in text
    assert overview.as_json(view())["events"] == asdict(Counts(5, 1, 2, 0))
