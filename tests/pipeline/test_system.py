from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.config import CaptureConfig, GalleryConfig
from pipeline.system import System
from testbench.left_behind import left_behind, snapshot

MakeSystem = Callable[..., System]
Watch = Callable[[System], Any]


@pytest.mark.parametrize("fused", [False, True])
def test_lossless_every_frame_arrives_in_order(make_system: MakeSystem, watch: Watch, fused: bool) -> None:
    with make_system(frames=60, fused=fused) as system:
        watcher = watch(system)
        watcher.until(lambda: False)
        assert watcher.seqs() == list(range(60))
        assert set(system.dropped().values()) == {0}
        assert system.captured() == {"cam0": 60}
    assert watcher.kinds() == []


def test_a_frame_tells_where_it_has_been(make_system: MakeSystem, watch: Watch) -> None:
    with make_system(frames=3) as system:
        watcher = watch(system)
        watcher.until(lambda: False)
    for shown in watcher.shown:
        visits = shown.ref.visits
        assert [v.stage for v in visits] == ["capture", "detect", "align", "recognise", "lookup", "draw"]
        times = [t for v in visits for t in (v.entered_ns, v.left_ns)]
        assert times == sorted(times)


def test_several_cameras_share_the_stages(make_system: MakeSystem, watch: Watch) -> None:
    with make_system(cameras=3, frames=20) as system:
        watcher = watch(system)
        watcher.until(lambda: False)
    for camera in ("cam0", "cam1", "cam2"):
        assert watcher.seqs(camera) == list(range(20))


@pytest.mark.parametrize("victim", ["capture:cam0", "detect", "align", "recognise", "lookup", "draw"])
def test_lossless_loses_nothing_when_a_stage_is_killed(make_system: MakeSystem, watch: Watch, victim: str) -> None:
    with make_system(frames=600) as system:
        watcher = watch(system)
        watcher.until(lambda: len(watcher.shown) >= 10)
        os.kill(system.supervisor.pids()[victim], signal.SIGKILL)
        watcher.until(lambda: False)
    assert watcher.kinds() == [("restarted", victim)]
    assert watcher.seqs() == list(range(600))


def test_live_a_killed_stage_comes_back_and_order_holds(make_system: MakeSystem, watch: Watch) -> None:
    capture = CaptureConfig(size_wh=(320, 180), lossless=False, realtime_fps=100.0)
    with make_system(capture=capture) as system:
        watcher = watch(system)
        watcher.until(lambda: len(watcher.shown) >= 10)
        os.kill(system.supervisor.pids()["align"], signal.SIGKILL)
        watcher.until(lambda: ("restarted", "align") in watcher.kinds())
        before = len(watcher.shown)
        watcher.until(lambda: len(watcher.shown) > before + 20)
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
        dropped = system.dropped()
        captured = system.captured()["cam0"]
    assert watcher.seqs() == sorted(set(watcher.seqs()))
    assert dropped["detect"] > 0, "frames came while align was away"
    # What was neither shown nor dropped was on its way when align died.
    assert captured - 8 <= len(watcher.shown) + sum(dropped.values()) <= captured + 8


def test_nothing_is_left_behind(make_system: MakeSystem, watch: Watch) -> None:
    with make_system(frames=2) as system:
        watch(system).until(lambda: False)
    del system
    before = snapshot()
    with make_system(frames=5) as system:
        during = left_behind(before)
        watch(system).until(lambda: False)
    del system
    assert any("memfd:facewire-frames:cam0" in line for line in during), "the check must be able to see it"
    assert any(line.startswith("process") for line in during)
    assert left_behind(before) == []


def test_a_run_that_is_torn_down_in_the_middle_leaves_nothing_behind(make_system: MakeSystem, watch: Watch) -> None:
    def torn_down() -> None:
        with make_system() as system:
            watcher = watch(system)
            watcher.until(lambda: len(watcher.shown) >= 5)
            raise KeyboardInterrupt

    before = snapshot()
    with pytest.raises(KeyboardInterrupt):
        torn_down()
    assert left_behind(before) == []


def test_other_settings_reach_a_running_stage(
    make_system: Callable[..., System], watch: Watch, write_stage: Callable[[str, str], str]
) -> None:
    module = write_stage("telling", "self.context.say(f'margin {self.context.config.gallery.match_margin}')")
    with make_system(modules={"lookup": module}) as system:
        watcher = watch(system)
        watcher.until(lambda: "margin 0.05" in [h.text for h in watcher.happened])
        system.adopt(replace(system.config, gallery=GalleryConfig(match_margin=0.25)), ["lookup"])
        watcher.until(lambda: "margin 0.25" in [h.text for h in watcher.happened])
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
        assert watcher.seqs() == list(range(system.captured()["cam0"]))
