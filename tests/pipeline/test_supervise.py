from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checkpoints.errors import SourceError, UserError
from pipeline import memory_watch
from pipeline.config import CaptureConfig, SuperviseConfig
from pipeline.system import System

MakeSystem = Callable[..., System]
Watch = Callable[[System], Any]

WriteStage = Callable[[str, str], str]


def test_a_crash_is_told_with_its_traceback_and_the_stage_restarted(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage
) -> None:
    module = write_stage("crashing", "if seq == 5 and generation == 0:\n    raise ZeroDivisionError('told to')")
    with make_system(frames=30, modules={"align": module}) as system:
        watcher = watch(system)
        watcher.until(lambda: False)
    assert watcher.kinds() == [("crash", "align"), ("restarted", "align")]
    assert "ZeroDivisionError: told to" in watcher.happened[[h.kind for h in watcher.happened].index("crash")].text
    assert watcher.seqs() == list(range(30))


def test_a_stage_that_hangs_is_killed_and_restarted(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage
) -> None:
    module = write_stage("hanging", "if seq == 5 and generation == 0:\n    threading.Event().wait()")
    with make_system(frames=30, modules={"recognise": module}, supervise=SuperviseConfig(hang_timeout_s=3.0)) as system:
        watcher = watch(system)
        watcher.until(lambda: False)
    assert watcher.kinds() == [("said", "recognise"), ("restarted", "recognise")]
    assert watcher.seqs() == list(range(30))


def test_a_stage_that_hangs_again_and_again_rests(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage
) -> None:
    module = write_stage("stuck", "threading.Event().wait()")
    patience = live(hang_timeout_s=3.0, max_restarts=2, restart_window_s=6.0, rest_s=1000)
    with make_system(modules={"detect": module}, **patience) as system:
        watcher = watch(system)
        watcher.until(lambda: ("rests", "detect") in watcher.kinds())
    assert watcher.kinds() == [("said", "detect"), ("restarted", "detect"), ("said", "detect"), ("rests", "detect")]
    assert "silent 2 times in 60 s" in watcher.happened[-1].text


def test_a_stage_that_dies_again_and_again_is_given_up(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage
) -> None:
    module = write_stage("dying", "if seq == 5:\n    os.kill(os.getpid(), signal.SIGKILL)")
    with make_system(frames=30, modules={"lookup": module}, supervise=SuperviseConfig(max_restarts=2)) as system:
        watcher = watch(system)
        watcher.until(lambda: ("failed", "lookup") in watcher.kinds())
    assert watcher.kinds() == [("restarted", "lookup")] * 2 + [("failed", "lookup")]
    assert watcher.seqs() == list(range(5))


def test_what_a_user_can_mend_is_not_tried_again(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage
) -> None:
    module = write_stage("refusing", "raise UserError('It cannot be.', saw='this', fix='do that')")
    with make_system(frames=30, modules={"draw": module}) as system:
        watcher = watch(system)
        watcher.until(lambda: "error" in [h.kind for h in watcher.happened])
    error = next(h.error for h in watcher.happened if h.kind == "error")
    assert isinstance(error, UserError)
    assert (error.what, error.saw, error.fix) == ("It cannot be.", "this", "do that")


def test_errors_keep_their_kind_on_the_way_to_the_parent() -> None:
    error = pickle.loads(pickle.dumps(SourceError("a", saw="b", fix="c")))
    assert type(error) is SourceError
    assert str(error) == "a\n  saw: b\n  fix: c"


def test_the_order_of_the_end_lets_every_frame_out(make_system: MakeSystem, watch: Watch) -> None:
    with make_system() as system:
        watcher = watch(system)
        watcher.until(lambda: len(watcher.shown) >= 20)
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
        assert watcher.seqs() == list(range(system.captured()["cam0"]))
    assert watcher.kinds() == []


def live(**supervise: float) -> dict[str, Any]:
    return {
        "live": ("cam0",),
        "capture": CaptureConfig(size_wh=(320, 180), lossless=False, realtime_fps=100),
        "supervise": SuperviseConfig(**{"reconnect_s": 0.05, "longest_reconnect_s": 0.1, **supervise}),  # type: ignore[arg-type]
    }


def test_a_stage_of_an_endless_run_that_dies_too_often_rests_and_comes_back(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage
) -> None:
    module = write_stage("faltering", "if generation < 3:\n    os.kill(os.getpid(), signal.SIGKILL)")
    with make_system(modules={"lookup": module}, **live(max_restarts=1, rest_s=0.3)) as system:
        watcher = watch(system)
        watcher.until(lambda: ("rests", "lookup") in watcher.kinds())
        assert system.supervisor.resting() == system.supervisor.shut() == ["lookup"]
        assert not watcher.shown
        watcher.until(lambda: len(watcher.shown) > 20)
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
    told = [kind for kind, process in watcher.kinds() if process == "lookup"]
    assert told == ["restarted", "rests", "tried", "rests", "tried"]


def test_a_stage_that_rests_does_not_keep_the_run_from_ending(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage
) -> None:
    module = write_stage("hopeless", "os.kill(os.getpid(), signal.SIGKILL)")
    with make_system(modules={"draw": module}, **live(max_restarts=0, rest_s=1000)) as system:
        watcher = watch(system)
        watcher.until(lambda: ("rests", "draw") in watcher.kinds())
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
    assert watcher.kinds() == [("rests", "draw")]


def test_the_death_of_a_camera_is_a_pause_however_often_it_comes(make_system: MakeSystem, watch: Watch) -> None:
    with make_system(**live(max_restarts=0)) as system:
        watcher = watch(system)
        watcher.until(lambda: watcher.shown)
        for _ in range(4):
            before = len(watcher.shown)
            os.kill(system.supervisor.pids()["capture:cam0"], signal.SIGKILL)
            watcher.until(lambda: watcher.kinds()[-1:] == [("away", "capture:cam0")])
            watcher.happened.clear()
            watcher.until(lambda before=before: len(watcher.shown) > before + 5)
            assert watcher.kinds() == []
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)


def test_a_camera_that_stands_still_is_killed_within_its_own_time(make_system: MakeSystem, watch: Watch) -> None:
    with make_system(**live(camera_timeout_s=2, hang_timeout_s=1000)) as system:
        watcher = watch(system)
        watcher.until(lambda: len(watcher.shown) > 5)
        os.kill(system.supervisor.pids()["capture:cam0"], signal.SIGSTOP)
        watcher.until(watcher.kinds)
        assert watcher.kinds() == [("away", "capture:cam0")]
        assert "gave no picture for 2 s; trying again in" in watcher.happened[-1].text
        before = len(watcher.shown)
        watcher.until(lambda: len(watcher.shown) > before + 5)


def refusing_source(write_stage: WriteStage, folder: Path, condition: str) -> str:
    """A source that refuses to open; `write_stage` makes its folder one to import from."""
    write_stage("unused", "pass")
    (folder / "refusing_source.py").write_text(
        "from checkpoints.errors import SourceError\n"
        "from testbench import passing\n"
        "def open_source(context, camera):\n"
        f"    if {condition}:\n"
        "        raise SourceError('The camera cannot be opened.', saw='refused')\n"
        "    return passing.open_source(context, camera)\n"
    )
    return "refusing_source"


def test_a_camera_that_never_was_there_ends_the_run(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage, tmp_path: Path
) -> None:
    module = refusing_source(write_stage, tmp_path, "True")
    with make_system(modules={"capture": module}, **live()) as system:
        watcher = watch(system)
        watcher.until(lambda: watcher.kinds())
    assert watcher.kinds() == [("error", "capture:cam0")]
    assert isinstance(watcher.happened[-1].error, SourceError)


def test_a_camera_is_waited_for_from_the_start_on_wish(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage, tmp_path: Path
) -> None:
    module = refusing_source(write_stage, tmp_path, "context.generation < 2")
    with make_system(modules={"capture": module}, **live(wait_for_cameras=True)) as system:
        watcher = watch(system)
        watcher.until(lambda: len(watcher.shown) > 5)
    assert watcher.kinds() == [("away", "capture:cam0")] * 2


def test_a_camera_that_is_not_there_is_tried_again_beside_one_that_is(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage, tmp_path: Path
) -> None:
    module = refusing_source(write_stage, tmp_path, "camera.name == 'cam0' and context.generation < 3")
    with make_system(cameras=2, modules={"capture": module}, **live()) as system:
        watcher = watch(system)
        watcher.until(lambda: len(watcher.seqs("cam0")) > 5)
    assert watcher.kinds() == [("away", "capture:cam0")] * 3


def test_a_camera_that_is_away_is_no_stage_that_rests(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage, tmp_path: Path
) -> None:
    module = refusing_source(write_stage, tmp_path, "camera.name == 'cam0'")
    pauses = live(reconnect_s=1000, longest_reconnect_s=1000)
    with make_system(cameras=2, modules={"capture": module}, **pauses) as system:
        watcher = watch(system)
        watcher.until(lambda: ("away", "capture:cam0") in watcher.kinds() and watcher.seqs("cam1"))
        assert system.supervisor.away() == ["cam0"]
        assert (system.supervisor.resting(), system.supervisor.shut()) == ([], [])


def test_other_settings_of_a_camera_that_is_away_are_tried_at_once(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage, tmp_path: Path
) -> None:
    module = refusing_source(write_stage, tmp_path, "camera.name == 'cam0' and camera.source != 'mended'")
    pauses = live(reconnect_s=1000, longest_reconnect_s=1000)
    with make_system(cameras=2, modules={"capture": module}, **pauses) as system:
        watcher = watch(system)
        watcher.until(lambda: ("away", "capture:cam0") in watcher.kinds())
        cameras = (replace(system.config.cameras[0], source="mended"), system.config.cameras[1])
        system.adopt(replace(system.config, cameras=cameras), ["capture:cam0"])
        watcher.until(lambda: watcher.seqs("cam0"))


@pytest.mark.parametrize("process", ["capture:cam0", "detect", "lookup", "draw"])
def test_a_process_is_renewed_without_the_loss_of_a_frame(make_system: MakeSystem, watch: Watch, process: str) -> None:
    with make_system() as system:
        watcher = watch(system)
        for _ in range(2):
            before = len(watcher.shown)
            watcher.until(lambda before=before: len(watcher.shown) > before + 20)
            pid = system.supervisor.pids()[process]
            system.supervisor.renew(process)
            watcher.until(lambda pid=pid: system.supervisor.pids().get(process, pid) != pid)
        before = len(watcher.shown)
        watcher.until(lambda: len(watcher.shown) > before + 20)
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
        assert watcher.seqs() == list(range(system.captured()["cam0"]))
    assert watcher.kinds() == []


def test_a_process_that_does_not_leave_is_killed_and_starts_anew(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage
) -> None:
    module = write_stage("staying", "if seq == 5 and generation == 0:\n    threading.Event().wait()")
    config = SuperviseConfig(hang_timeout_s=1000, stop_timeout_s=0.2)
    with make_system(frames=30, modules={"lookup": module}, supervise=config) as system:
        watcher = watch(system)
        watcher.until(lambda: len(watcher.shown) == 5)
        system.supervisor.renew("lookup")
        watcher.until(lambda: False)
    assert watcher.seqs() == list(range(30))
    assert watcher.kinds() == []


def test_what_worked_in_an_endless_run_is_tried_again_whatever_it_says(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage
) -> None:
    module = write_stage("full", "if seq > 5 and generation == 0:\n    raise UserError('The disk is full.', saw='0')")
    with make_system(modules={"draw": module}, **live()) as system:
        watcher = watch(system)
        watcher.until(lambda: ("restarted", "draw") in watcher.kinds())
        assert watcher.happened[-1].text == "cannot go on: The disk is full. 0"
        before = len(watcher.shown)
        watcher.until(lambda: len(watcher.shown) > before + 5)
    assert watcher.kinds() == [("restarted", "draw")]


def test_what_never_worked_in_an_endless_run_ends_it(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage
) -> None:
    module = write_stage("wrong", "raise UserError('The model is missing.', saw='x')")
    with make_system(modules={"detect": module}, **live()) as system:
        watcher = watch(system)
        watcher.until(lambda: ("error", "detect") in watcher.kinds())


def test_a_stage_that_leaks_is_started_anew_and_no_frame_is_torn(
    make_system: MakeSystem, watch: Watch, write_stage: WriteStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_watch, "_EVERY_NS", 0)
    monkeypatch.setattr(memory_watch, "_SETTLED_NS", 0)
    module = write_stage("leaking", "if generation == 0:\n    self.held = bytearray(os.urandom(1)) * 400_000_000")
    with make_system(modules={"align": module}, **live(memory_limit_mb=300)) as system:
        watcher = watch(system)
        watcher.until(lambda: ("restarted", "align") in watcher.kinds())
        assert "more than 300" in watcher.happened[-1].text
        pid = system.supervisor.pids()["align"]
        watcher.until(lambda: system.supervisor.pids().get("align", pid) != pid)
        before = len(watcher.shown)
        watcher.until(lambda: len(watcher.shown) > before + 5)
    assert watcher.kinds() == [("restarted", "align")]


def test_a_rest_tells_what_the_stage_died_of(make_system: MakeSystem, watch: Watch, write_stage: WriteStage) -> None:
    module = write_stage("lost_gpu", "raise RuntimeError('CUDA error: device lost')")
    with make_system(modules={"detect": module}, **live(max_restarts=0, rest_s=1000)) as system:
        watcher = watch(system)
        watcher.until(lambda: ("rests", "detect") in watcher.kinds())
    assert "(RuntimeError: CUDA error: device lost)" in watcher.happened[-1].text


@pytest.mark.parametrize("pause_s", [0.001, 1000.0])  # it is being tried, or rests, when the end comes
def test_a_camera_that_is_away_does_not_hold_up_the_end(
    pause_s: float, make_system: MakeSystem, watch: Watch, write_stage: WriteStage, tmp_path: Path
) -> None:
    module = refusing_source(write_stage, tmp_path, "camera.name == 'cam0'")
    pauses = live(reconnect_s=pause_s, longest_reconnect_s=pause_s)
    with make_system(cameras=2, modules={"capture": module}, **pauses) as system:
        watcher = watch(system)
        watcher.until(lambda: len(watcher.seqs("cam1")) > 5 and ("away", "capture:cam0") in watcher.kinds())
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
        assert watcher.seqs("cam1")[-1] == system.captured()["cam1"] - 1
