"""The process that keeps events and passes them on: ours is killed, theirs is restarted, nothing is left out."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoints.errors import OutputError
from pipeline.config import (
    CameraConfig,
    CaptureConfig,
    MqttConfig,
    OutletsConfig,
    OutputConfig,
    RunConfig,
    WebhookConfig,
)
from pipeline.event_log import EventLog
from pipeline.gallery.lock import Lock
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from pipeline.system import System
from pipeline.wiring import STAGES, SideRow, StageRow
from testbench.passing import CROP_PX
from tests.pipeline.outlets.broker import MOSQUITTO, Broker, Listener
from tests.pipeline.outlets.conftest import told
from tests.pipeline.outlets.receiver import Receiver

Watch = Callable[[System], Any]
STAGES_THAT_PASS = tuple(
    StageRow(r.name, "testbench.passing", r.writes, r.reads, r.looks_at, r.per_camera) for r in STAGES
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


def system_with(folder: Path, *, webhook: WebhookConfig | None = None, mqtt: MqttConfig | None = None) -> System:
    config = RunConfig(
        cameras=(CameraConfig("cam0", "demo", "demo"),),
        capture=CaptureConfig(size_wh=(320, 180), lossless=False, realtime_fps=20),
        output=OutputConfig(events=folder / "e.jsonl", event_part_bytes=3000),
        outlets=OutletsConfig(folder / "store", days=30_000, mqtt=mqtt, webhook=webhook),
    )
    return System(config, CROP_PX, STAGES_THAT_PASS, (SideRow("outlets", "pipeline.outlets.side"),))


def write(folder: Path, *events: dict[str, Any]) -> None:
    log = EventLog(folder / "e.jsonl", part_bytes=3000)
    for event in events:
        log.append(event)
    log.close()


def test_whoever_is_killed_goes_on_where_it_was(tmp_path: Path, watch: Watch, receiver: Receiver) -> None:
    with system_with(tmp_path, webhook=WebhookConfig(receiver.url)) as system:
        watcher = watch(system)
        watcher.until(lambda: system.supervisor.ready)
        for start in (0, 100):
            write(tmp_path, *(told(frame) for frame in range(start, start + 100)))
            watcher.until(lambda start=start: len(receiver.received) > start + 10)
            os.kill(system.supervisor.pids()["outlets"], signal.SIGKILL)
        watcher.until(lambda: len(set(receiver.frames)) == 200)
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
    assert watcher.kinds().count(("restarted", "outlets")) == 2
    assert list(dict.fromkeys(receiver.frames)) == list(range(200)), "each at least once, and in order"
    assert len(receiver.frames) <= 202, "only what was just being told is told twice"
    assert [event.body["frame"] for event in Store(tmp_path / "store").all(Wanted())] == list(range(200))


def test_what_is_told_last_still_gets_out(tmp_path: Path, watch: Watch, receiver: Receiver) -> None:
    with system_with(tmp_path, webhook=WebhookConfig(receiver.url)) as system:
        system.supervisor.sides_may_end = False
        watcher = watch(system)
        watcher.until(lambda: system.supervisor.ready)
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: system.supervisor.stages_ended)
        write(tmp_path, {"type": "end", "t": "2026-01-31T12:00:00.000Z"})
        system.supervisor.sides_may_end = True
        watcher.until(lambda: False)
    assert [body["type"] for _, body in receiver.received] == ["end"]


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
def test_one_who_is_away_holds_nobody_up(tmp_path: Path, watch: Watch, receiver: Receiver) -> None:
    """The broker is down at the start, and the web address never answers for a while."""
    broker = Broker(tmp_path, persistent=True)
    broker.start()
    listener = Listener(broker.port, name="listener")
    broker.stop()
    receiver.answers = [None]
    mqtt, webhook = MqttConfig("127.0.0.1", broker.port), WebhookConfig(receiver.url)
    with system_with(tmp_path, mqtt=mqtt, webhook=webhook) as system:
        watcher = watch(system)
        watcher.until(lambda: system.supervisor.ready)
        write(tmp_path, *(told(frame) for frame in range(50)))
        watcher.until(lambda: receiver.asked == 1)
        before = len(watcher.shown)
        watcher.until(lambda: len(watcher.shown) > before + 20)
        assert not any(kind == "restarted" for kind, _ in watcher.kinds())
        broker.start()
        watcher.until(lambda: len(listener.frames()) == 50)
        assert receiver.received == []
        receiver.let_go.set()
        watcher.until(lambda: len(receiver.received) == 50)
        system.supervisor.ask_sources_to_stop()
        watcher.until(lambda: False)
    assert listener.frames() == list(range(50))
    assert receiver.frames == list(range(50))
    listener.until(lambda: listener.last("facewire/status") == b"offline")
    listener.close()
    broker.stop()


def test_two_runs_do_not_tell_the_same_events(tmp_path: Path, watch: Watch) -> None:
    (tmp_path / "store").mkdir()
    with Lock(tmp_path / "store" / "lock"), system_with(tmp_path) as system:
        watcher = watch(system)
        watcher.until(lambda: ("error", "outlets") in watcher.kinds())
        (error,) = (h.error for h in watcher.happened if h.kind == "error")
        assert isinstance(error, OutputError)
        assert f"process {os.getpid()}" in str(error)
        assert "DATA_DIR" in str(error)
