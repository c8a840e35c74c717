from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from checkpoints.errors import SourceError, UserError
from pipeline.config import SuperviseConfig
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
    with make_system(frames=30, modules={"recognise": module}, supervise=SuperviseConfig(hang_timeout_s=1.0)) as system:
        watcher = watch(system)
        watcher.until(lambda: False)
    assert watcher.kinds() == [("said", "recognise"), ("restarted", "recognise")]
    assert watcher.seqs() == list(range(30))


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
