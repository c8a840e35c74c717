"""The stand-in for a run, and what the fleet's store takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from app.fleet import figures
from app.fleet.collect import Collecting
from app.fleet.front import Front, Pages
from app.fleet.one_camera import Task
from app.fleet.roster import FleetCamera
from app.fleet.warden import ROOT
from pipeline.outlets.stored import Wanted
from testbench.fleet_scaling import store_events_per_s


def test_the_stand_in_counts_its_frames_and_tells_its_faces(tmp_path: Path) -> None:
    collecting = Collecting(tmp_path)
    front = Front("127.0.0.1", 0, Pages(collecting.take, dict, str, str), secret="key", token="t")
    run = subprocess.Popen(
        [sys.executable, "-m", "testbench.fixed_cost_run"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stdin is not None
    assert run.stderr is not None
    door = FleetCamera("door", "5")
    task = Task(door, "2026-01-31T12:00:00.000Z-aa", {}, f"http://127.0.0.1:{front.port}/events", "key")
    run.stdin.write(task.as_line().encode())
    run.stdin.flush()
    console = run.stderr.readline().decode().split()[-1]
    while collecting.counts.stored < 2:
        told = figures.ask(console, "any", 30.0)
    assert figures.state_of(told) == "live"
    assert 0 < (figures.value_of(told, "facewire_frames_shown_total") or 0) <= 10_000
    run.communicate(timeout=60)
    assert run.returncode == 0
    front.close()
    assert [event.body["camera"] for event in collecting.store.events(Wanted(), limit=2)] == ["door", "door"]


def test_the_store_is_filled_as_fast_as_it_goes(tmp_path: Path) -> None:
    assert store_events_per_s(tmp_path, 0.2) > 0
    assert Collecting(tmp_path / "store").store.count(Wanted()) > 0
