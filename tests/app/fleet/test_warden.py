"""A warden and a real process that it keeps alive."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from app.fleet import figures, warden
from app.fleet.order import Order, Report
from app.fleet.warden import Here, Warden
from tests.app.fleet.made_up import order

STAND_IN = (sys.executable, "-m", "tests.app.fleet.run_stand_in")
PATIENCE_S = 60.0
Begin = Callable[[str], Warden]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    monkeypatch.setattr(warden, "_LOOK_EVERY_S", 0.02)
    made: list[Warden] = []

    def begin(source: str) -> Warden:
        made.append(Warden(watched(source), Here("node-1", "127.0.0.1"), STAND_IN))
        return made[-1]

    yield begin
    for one in made:
        one.stop()


def watched(source: str) -> Order:
    plain = order(EMBEDDER="dlib")
    return replace(plain, camera=replace(plain.camera, source=source))


def until(one: Warden, reached: Callable[[Report], bool]) -> Report:
    tick = threading.Event()
    for _ in range(int(PATIENCE_S / 0.01)):
        if reached(one.look()):
            return one.look()
        tick.wait(0.01)
    raise AssertionError(f"{one.look()}, {one.log(20)}")


def test_it_tells_how_its_camera_is_and_where_the_picture_is(begin: Begin) -> None:
    report = until(begin("well"), lambda report: report.state == "live")
    assert (report.camera, report.node, report.address) == ("door", "node-1", "127.0.0.1")
    assert (report.fps, report.age_s) == (12.5, 0.25)
    assert report.console.startswith("http://127.0.0.1:")
    assert report.revision == watched("well").revision
    assert {name for name, _, _ in report.samples} == {"facewire_fps", "facewire_camera_age_seconds"}
    assert report.machine is not None
    assert report.machine.memory_free_mb > 0


def test_a_run_that_is_killed_is_begun_again_with_another_mark(begin: Begin) -> None:
    one = begin("well")
    first = until(one, lambda report: report.state == "live")
    (process,) = children()
    os.kill(process, signal.SIGKILL)
    second = until(one, lambda report: report.state == "live" and report.restarts == 1)
    assert second.run != first.run
    assert sorted([first.run, second.run]) == [first.run, second.run]


def test_stopping_it_ends_its_run_in_order(begin: Begin) -> None:
    one = begin("well")
    until(one, lambda report: report.state == "live")
    assert one.stop().state == "stopped"
    assert one.log(1)[0].endswith("ended in order")
    assert children() == []


def test_a_run_that_does_not_end_is_killed(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warden, "_STOP_S", 0.2)
    one = begin("deaf")
    until(one, lambda report: report.state == "live")
    one.stop()
    assert children() == []


def test_a_file_that_has_come_to_its_end_is_not_begun_again(begin: Begin) -> None:
    report = until(begin("ends"), lambda report: report.state == "ended")
    assert report.restarts == 0


def test_what_a_person_has_to_put_right_is_told_and_not_tried_at_once(begin: Begin) -> None:
    one = begin("refused")
    report = until(one, lambda report: report.state == "refused")
    assert "The source cannot be opened." in report.said
    assert one.log(10)[-2].endswith("told door 0")


def test_pauses_between_lives_that_are_short_grow(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(warden, "FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr(warden, "MAX_BACKOFF_S", 0.05)
    one = begin("dies")
    wait = one._stopping.wait

    def note(timeout: float | None = None) -> bool:
        waits.append(timeout or 0.0)
        return wait(timeout)

    monkeypatch.setattr(one._stopping, "wait", note)
    until(one, lambda report: report.restarts >= 5)
    pauses = [pause for pause in waits if pause != warden._LOOK_EVERY_S]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 0.05


def test_a_run_that_cannot_be_begun_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warden, "FIRST_BACKOFF_S", 0.01)
    one = Warden(watched("well"), Here("node-1", "127.0.0.1"), ("/no such program",))
    report = until(one, lambda report: report.restarts >= 2 and report.state == "resting")
    assert "cannot be begun" in report.said
    one.stop()


def test_what_a_console_says_that_is_no_figure_is_told(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    def strange(*_: object) -> object:
        return list(figures.samples("facewire_fps many"))

    monkeypatch.setattr(figures, "ask", strange)
    report = until(begin("well"), lambda report: report.state == "stale")
    assert "cannot be read" in report.said


def test_a_bug_of_the_warden_is_not_hidden_and_ends_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warden, "_LOOK_EVERY_S", 0.02)

    def broken(*_: object) -> object:
        raise KeyError("broken")

    monkeypatch.setattr(figures, "ask", broken)
    one = Warden(watched("well"), Here("node-1", "127.0.0.1"), STAND_IN)
    one._thread.join()
    with pytest.raises(RuntimeError, match="has died"):
        one.look()
    assert children() == []


def test_a_run_ends_when_its_warden_is_killed() -> None:
    """The whole process of a warden, as Ray kills it with its node."""
    code = (
        "import sys, time; from tests.app.fleet.test_warden import *;"
        "one = Warden(watched('well'), Here('n', '127.0.0.1'), STAND_IN);"
        "until(one, lambda report: report.state == 'live'); print(*children(), flush=True); time.sleep(600)"
    )
    keeper = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=warden.ROOT)
    assert keeper.stdout is not None
    run = int(keeper.stdout.readline())
    watch = os.pidfd_open(run)
    keeper.kill()
    keeper.wait()
    ended, _, _ = select.select([watch], [], [], PATIENCE_S)
    assert ended == [watch]
    keeper.stdout.close()
    os.close(watch)


def children() -> list[int]:
    """Processes that this one has started, from whichever thread."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            words = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes()
            if int(words[1]) == os.getpid() and b"run_stand_in" in command:
                found.append(int(entry.name))
    return found
