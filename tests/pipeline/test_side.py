"""Processes beside the way, and what they may see of the rings without taking part."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import CameraConfig, CaptureConfig, RunConfig, SuperviseConfig
from pipeline.system import System
from pipeline.wiring import STAGES, SideRow, StageRow
from testbench.passing import CROP_PX

Watch = Callable[[System], Any]
SIDE = """
import json
from pathlib import Path
from checkpoints.errors import UserError
from pipeline.messages import Identities
from pipeline.onlooker import Onlooker

def open_side(context):
    if context.generation in {refuses}:
        raise UserError("The port is taken.", saw="8080")
    return Beside(context)

class Beside:
    def __init__(self, context):
        self.context = context

    def run(self, pulse):
        identities = Onlooker(self.context.rings["identities"])
        frames = Onlooker(self.context.rings["frames:cam0"])
        seen, torn, after = [], 0, 0
        if {dies}:
            raise ZeroDivisionError("told to")
        while not pulse.stopping:
            for position, record in identities.since(after):
                after = position + 1
                frame = frames.frame(record.ref)
                if frame is not None:
                    seen.append(frame.ref.seq)
                    torn += frame.ref.seq != record.ref.seq
            if len(seen) >= 30 and not Path(self.context.options).exists():
                told = json.dumps([seen, torn, list(self.context.processes)])
                Path(self.context.options + ".part").write_text(told)
                Path(self.context.options + ".part").rename(self.context.options)
            pulse.wait(0.002)

    def close(self):
        pass
"""


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SideRow]:
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(*, dies: bool = False, refuses: tuple[int, ...] = ()) -> SideRow:
        (tmp_path / "looking_on.py").write_text(SIDE.replace("{dies}", str(dies)).replace("{refuses}", str(refuses)))
        return SideRow("looking", "looking_on", str(tmp_path / "seen.json"))

    return make


def system_with(side: SideRow, frames: int | None, max_restarts: int = 5) -> System:
    """frames  None: those of a live camera, without an end"""
    config = RunConfig(
        cameras=(CameraConfig("cam0", "demo", "demo", live=frames is None),),
        capture=CaptureConfig(
            size_wh=(320, 180), frames=frames, lossless=frames is not None, realtime_fps=None if frames else 100
        ),
        supervise=SuperviseConfig(max_restarts=max_restarts),
    )
    stages = tuple(StageRow(r.name, "testbench.passing", r.writes, r.reads, r.looks_at, r.per_camera) for r in STAGES)
    return System(config, CROP_PX, stages, (side,))


def test_a_side_sees_whole_frames_and_ends_after_the_stages(
    beside: Callable[..., SideRow], watch: Watch, tmp_path: Path
) -> None:
    told = tmp_path / "seen.json"
    with system_with(beside(), frames=1_000_000) as system:
        watcher = watch(system)
        watcher.until(told.exists)
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
    assert watcher.kinds() == []
    assert watcher.seqs() == list(range(len(watcher.shown))), "an onlooker takes no frame from the others"
    seen, torn, processes = json.loads(told.read_text())
    assert seen == sorted(set(seen))
    assert torn == 0
    assert processes == ["capture:cam0", "detect", "align", "recognise", "lookup", "draw"]


def test_a_side_that_dies_again_and_again_is_lost_and_the_run_goes_on(
    beside: Callable[..., SideRow], watch: Watch
) -> None:
    with system_with(beside(dies=True), frames=100_000, max_restarts=1) as system:
        watcher = watch(system)
        watcher.until(lambda: ("lost", "looking") in watcher.kinds())
        before = len(watcher.shown)
        watcher.until(lambda: len(watcher.shown) > before + 20)
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
    assert ("failed", "looking") not in watcher.kinds()


def test_a_side_that_had_been_there_may_refuse_to_come_back_for_a_while(
    beside: Callable[..., SideRow], watch: Watch, tmp_path: Path
) -> None:
    told = tmp_path / "seen.json"
    with system_with(beside(refuses=(1, 2)), frames=None) as system:
        watcher = watch(system)
        watcher.until(told.exists)
        os.kill(system.supervisor.pids()["looking"], signal.SIGKILL)
        told.unlink()
        watcher.until(told.exists)
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
    assert watcher.kinds() == [("restarted", "looking")] * 3
    assert "cannot go on: The port is taken. 8080" in watcher.happened[-1].text


def test_a_side_that_refuses_at_the_start_ends_the_run(beside: Callable[..., SideRow], watch: Watch) -> None:
    with system_with(beside(refuses=(0,)), frames=None) as system:
        watcher = watch(system)
        watcher.until(lambda: watcher.kinds())
    assert watcher.kinds() == [("error", "looking")]


def test_a_side_that_is_stopped_dead_holds_nobody_up(beside: Callable[..., SideRow], watch: Watch) -> None:
    with system_with(beside(), frames=100_000) as system:
        watcher = watch(system)
        watcher.until(lambda: len(watcher.shown) >= 10 and "looking" in system.supervisor.pids())
        os.kill(system.supervisor.pids()["looking"], signal.SIGSTOP)
        before = len(watcher.shown)
        watcher.until(lambda: len(watcher.shown) > before + 300)
